/** Where a command is offered. `group` orders it there: VS Code sorts by it, letter by letter. */
export interface MenuEntry {
  readonly menu: 'view/title' | 'view/item/context';
  readonly when: string;
  readonly group: string;
}

/** All that package.json says of a command. */
export interface CommandEntry {
  readonly title: string;
  readonly icon?: string;
  /** Greys the command out, in menus too. */
  readonly enablement?: string;
  /** When the palette offers it: `always`, `never`, or a when clause. */
  readonly palette: string;
  readonly menus: readonly MenuEntry[];
}

const hasAccounts = 'browserSessions.hasAccounts';
const hasSessions = 'browserSessions.hasSessions';
/** In the palette: before the extension has started nobody knows, and running the command is what starts it. */
const ifAccounts = `!browserSessions.loaded || ${hasAccounts}`;
const ifSessions = `!browserSessions.loaded || ${hasSessions}`;
const inView = 'view == browserSessions.sessions';
const inEnded = 'view == browserSessions.ended';
const endedRow = `${inEnded} && viewItem =~ /^rb:ended\\b/`;
const single = '!listMultiSelection';

/** Matches rows of a kind whose context value has all of the flags; see ui/tree/contextValue.ts. */
function row(kind: 'account' | 'group' | 'session' | 'page' | 'error', ...flags: readonly string[]): string {
  const ahead = flags.map((flag) => `(?=.*\\+${flag}\\b)`).join('');
  return `${inView} && viewItem =~ /^rb:${kind}\\b${ahead}/`;
}

const inline = (when: string, place: number): MenuEntry => ({
  menu: 'view/item/context',
  when,
  group: `inline@${place}`,
});
const context = (when: string, group: string): MenuEntry => ({ menu: 'view/item/context', when, group });
const title = (group: string, when = inView): MenuEntry => ({ menu: 'view/title', when, group });

/**
 * Every command, by its id without the prefix `browserSessions.`, and every place that offers it. `npm run manifest`
 * writes package.json and package.nls.json from it; a test holds that they agree.
 */
export const commandTable = {
  addAccount: { title: 'Add Account…', icon: 'add', palette: 'always', menus: [title('navigation@1')] },
  replaceKey: {
    title: 'Replace Key…',
    icon: 'key',
    palette: ifAccounts,
    menus: [inline(row('error', 'replaceKey'), 2), context(`${row('account', 'key')} && ${single}`, '7_account@2')],
  },
  renameAccount: {
    title: 'Rename Account…',
    palette: ifAccounts,
    menus: [context(`${row('account')} && ${single}`, '7_account@1')],
  },
  testConnection: {
    title: 'Test Connection',
    palette: ifAccounts,
    menus: [context(`${row('account')} && ${single}`, '7_account@3')],
  },
  removeAccount: {
    title: 'Remove Account…',
    palette: ifAccounts,
    menus: [context(`${row('account')} && ${single}`, '7_account@4')],
  },
  refresh: {
    title: 'Refresh',
    icon: 'refresh',
    palette: ifAccounts,
    menus: [title('navigation@3', `${inView} && ${hasAccounts}`)],
  },
  refreshAccount: {
    title: 'Refresh Account',
    icon: 'refresh',
    palette: 'never',
    menus: [
      inline(row('account'), 1),
      context(`${row('account')} && ${single}`, '7_account@0'),
      inline(row('error', 'retry'), 1),
    ],
  },
  showMore: { title: 'Show More', palette: 'never', menus: [] },
  openLiveView: {
    title: 'Open Live View',
    icon: 'open-preview',
    palette: ifSessions,
    menus: [
      inline(row('session', 'live'), 1),
      context(`${row('session', 'live')} && ${single}`, 'navigation@1'),
      inline(row('page', 'live'), 1),
      context(`${row('page', 'live')} && ${single}`, 'navigation@1'),
    ],
  },
  openLiveViewExternal: {
    title: 'Open in External Browser',
    icon: 'link-external',
    palette: ifSessions,
    menus: [
      context(`${row('session', 'live')} && ${single}`, 'navigation@4'),
      context(`${row('page', 'live')} && ${single}`, 'navigation@4'),
    ],
  },
  openDashboard: {
    title: 'Open Dashboard',
    palette: ifSessions,
    menus: [context(`${row('session', 'dashboard')} && ${single}`, '1_view@2'), context(endedRow, '1_view@2')],
  },
  copySessionId: {
    title: 'Copy Session ID',
    palette: ifSessions,
    menus: [context(`${row('session')} && ${single}`, '3_copy@1'), context(endedRow, '3_copy@1')],
  },
  endSession: {
    title: 'End Session…',
    icon: 'debug-stop',
    palette: ifSessions,
    menus: [
      inline(row('session', 'endable'), 3),
      context(`${row('session', 'endable')} && ${single}`, '9_destructive@1'),
    ],
  },
  endSelectedSessions: {
    title: 'End Selected Sessions…',
    palette: 'never',
    menus: [
      context(`${row('session', 'endable')} && listMultiSelection`, '9_destructive@1'),
      context(`${row('group', 'endable')} && listMultiSelection`, '9_destructive@1'),
    ],
  },
  endGroup: {
    title: 'End Group…',
    palette: ifSessions,
    menus: [context(`${row('group', 'endable')} && ${single}`, '9_destructive@2')],
  },
  deleteBatch: {
    title: 'Delete Batch…',
    icon: 'trash',
    palette: ifAccounts,
    menus: [
      inline(row('group', 'deletable'), 3),
      context(`${row('group', 'deletable')} && ${single}`, '9_destructive@3'),
    ],
  },
  endAccountSessions: {
    title: 'End All Sessions in Account…',
    palette: ifSessions,
    menus: [context(`${row('account', 'endable')} && ${single}`, '9_destructive@1')],
  },
  endAllSessions: {
    title: 'End All Sessions…',
    palette: ifSessions,
    menus: [title('9_destructive@1', `${inView} && ${hasSessions}`)],
  },
  endOldSessions: {
    title: 'End Old Sessions…',
    palette: ifSessions,
    menus: [title('9_destructive@0', `${inView} && ${hasSessions}`)],
  },
  retryFailedEnds: { title: 'Retry Failed Ends…', palette: ifSessions, menus: [] },
  cancelBatch: {
    title: 'Cancel Batch…',
    palette: ifAccounts,
    menus: [context(`${row('group', 'cancellable')} && ${single}`, '9_destructive@2')],
  },
  protectSession: {
    title: 'Protect Session',
    icon: 'shield',
    palette: ifSessions,
    menus: [context(row('session', 'protectable'), '5_organize@1')],
  },
  unprotectSession: {
    title: 'Unprotect Session',
    palette: ifSessions,
    menus: [context(row('session', 'protected'), '5_organize@1')],
  },
  endMySessions: {
    title: 'End All of Mine…',
    palette: `(${ifSessions}) && config.browserSessions.mine`,
    menus: [title('9_destructive@0', `${inView} && ${hasSessions} && config.browserSessions.mine`)],
  },
  reviewUnfinishedEnds: { title: 'Review Unfinished Ends', palette: 'never', menus: [] },
  exportEnded: {
    title: 'Export as JSON',
    icon: 'json',
    palette: 'never',
    menus: [title('navigation@1', inEnded)],
  },
  clearEnded: {
    title: 'Clear Recently Ended',
    icon: 'clear-all',
    palette: 'never',
    menus: [title('navigation@2', inEnded)],
  },
  showLog: { title: 'Show Log', palette: 'always', menus: [title('5_log@1')] },
} as const satisfies Readonly<Record<string, CommandEntry>>;

/** A command's id without the prefix. */
export type CommandName = keyof typeof commandTable;

/** What every command id begins with. */
export const commandPrefix = 'browserSessions.';

/** Keys that work while the tree has the focus. `keyboard` tells the command that no row came with it. */
export const keybindings = [
  {
    command: 'browserSessions.endSession',
    key: 'delete',
    mac: 'cmd+backspace',
    when: 'focusedView == browserSessions.sessions && listFocus && !inputFocus',
    args: { keyboard: true },
  },
] as const;
