import { listMenuCommands } from './listMenus.ts';
import type { CommandEntry, MenuEntry } from './menus.ts';

const hasAccounts = 'browserSessions.hasAccounts';
const hasSessions = 'browserSessions.hasSessions';
const canHaveBatches = 'browserSessions.canHaveBatches';
const showsFinished = 'browserSessions.showsFinishedBatches';
const isFiltered = 'browserSessions.filtered';
/**
 * For the Command Palette: before activation these aren't known, and running a command is what activates the extension.
 */
const ifAccounts = `!browserSessions.loaded || ${hasAccounts}`;
const ifSessions = `!browserSessions.loaded || ${hasSessions}`;
const inView = 'view == browserSessions.sessions';
const inEnded = 'view == browserSessions.ended';
const endedRow = (...flags: readonly string[]) => `${inEnded} && viewItem =~ /^rb:ended\\b${ahead(flags)}/`;

function ahead(flags: readonly string[]): string {
  return flags.map((flag) => `(?=.*\\+${flag}\\b)`).join('');
}

/** Matches rows of a kind whose context value has all of the flags; see ui/tree/contextValue.ts. */
function row(kind: 'account' | 'group' | 'session' | 'page' | 'error', ...flags: readonly string[]): string {
  return `${inView} && viewItem =~ /^rb:${kind}\\b${ahead(flags)}/`;
}

/**
 * The same for a row that isn't one of several selected ones, because a command that acts on one row is ambiguous there.
 * VS Code's own key for this, `listMultiSelection`, is about the whole tree, and outdated once selected rows are gone.
 */
function alone(...[kind, ...flags]: Parameters<typeof row>): string {
  return row(kind, ...flags).replace(/\/$/, '(?!.*\\+selected\\b)/');
}

/** The same menu entry for sessions and for their pages. */
function forBoth(flag: string, entry: (when: string) => MenuEntry, rows = row): MenuEntry[] {
  return [entry(rows('session', flag)), entry(rows('page', flag))];
}

const inline = (when: string, place: number): MenuEntry => ({
  menu: 'view/item/context',
  when,
  group: `inline@${place}`,
});
const context = (when: string, group: string): MenuEntry => ({ menu: 'view/item/context', when, group });
const title = (group: string, when = inView): MenuEntry => ({ menu: 'view/title', when, group });

/**
 * Every command, by its id without the prefix `browserSessions.`, and every menu that offers it. `npm run manifest`
 * writes package.json and package.nls.json from it; a test checks that they agree.
 */
export const commandTable = {
  addAccount: { title: 'Add Account…', icon: 'add', palette: 'always', menus: [title('navigation@1')] },
  manageAccounts: {
    title: 'Manage Accounts…',
    palette: ifAccounts,
    menus: [title('4_accounts@1', `${inView} && ${hasAccounts}`)],
  },
  tryIt: { title: 'Try It with a Browser on This Machine', palette: 'always', menus: [] },
  importKeys: { title: 'Import Keys from Environment…', palette: 'always', menus: [] },
  openWalkthrough: { title: 'Open Walkthrough', palette: 'always', menus: [] },
  replaceKey: {
    title: 'Replace Key…',
    icon: 'key',
    palette: ifAccounts,
    menus: [inline(row('error', 'replaceKey'), 2), context(alone('account', 'key'), '7_account@2')],
  },
  enterKey: {
    title: 'Enter Key…',
    icon: 'key',
    palette: 'never',
    menus: [inline(row('error', 'enterKey'), 2), context(alone('account', 'keyMissing'), '7_account@2')],
  },
  renameAccount: {
    title: 'Rename Account…',
    palette: ifAccounts,
    menus: [context(alone('account', 'added'), '7_account@1')],
  },
  testConnection: {
    title: 'Test Connection',
    palette: ifAccounts,
    menus: [context(alone('account'), '7_account@3')],
  },
  removeAccount: {
    title: 'Remove Account…',
    palette: ifAccounts,
    menus: [context(alone('account', 'added'), '7_account@4')],
  },
  hideThisMachine: {
    title: 'Hide This Machine',
    palette: 'never',
    menus: [context(alone('account', 'automatic'), '7_account@4')],
  },
  setFilter: {
    title: 'Filter Sessions…',
    icon: 'filter',
    palette: ifAccounts,
    menus: [
      title('navigation@2', `${inView} && ${hasAccounts} && !${isFiltered}`),
      title('1_view@1', `${inView} && ${isFiltered}`),
    ],
  },
  clearFilter: {
    title: 'Clear Filter',
    icon: 'filter-filled',
    palette: `!browserSessions.loaded || ${isFiltered}`,
    menus: [title('navigation@2', `${inView} && ${isFiltered}`)],
  },
  filterToAccount: {
    title: 'Filter to This Account',
    palette: 'never',
    menus: [context(alone('account'), '5_organize@2')],
  },
  filterToGroup: {
    title: 'Filter to This Group',
    palette: 'never',
    menus: [context(alone('group', 'endable'), '5_organize@2')],
  },
  sortBy: { title: 'Sort By…', palette: ifAccounts, menus: [] },
  groupBy: { title: 'Group By…', palette: ifAccounts, menus: [] },
  ...listMenuCommands,
  showFinishedBatches: {
    title: 'Show Finished Batches',
    palette: `${canHaveBatches} && !${showsFinished}`,
    menus: [title('1_view@2', `${inView} && ${canHaveBatches} && !${showsFinished}`)],
  },
  // VS Code doesn't draw check marks for commands of extensions (microsoft/vscode#109306).
  hideFinishedBatches: {
    title: '✓ Show Finished Batches',
    palette: showsFinished,
    menus: [title('1_view@2', `${inView} && ${showsFinished}`)],
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
    menus: [inline(row('account'), 1), context(alone('account'), '7_account@0'), inline(row('error', 'retry'), 1)],
  },
  refreshSelectedAccounts: {
    title: 'Refresh Selected Accounts',
    palette: 'never',
    menus: [context(row('account', 'selected'), '7_account@0')],
  },
  showMore: { title: 'Show More', palette: 'never', menus: [] },
  openLiveView: {
    title: 'Open Live View',
    icon: 'open-preview',
    palette: ifSessions,
    menus: [
      ...forBoth('live', (when) => inline(when, 1)),
      ...forBoth('live', (when) => context(when, 'navigation@1'), alone),
    ],
  },
  openLiveViewToSide: {
    title: 'Open Live View to the Side',
    palette: ifSessions,
    menus: forBoth('live', (when) => context(when, 'navigation@2'), alone),
  },
  openLiveViewExternal: {
    title: 'Open in External Browser',
    icon: 'link-external',
    palette: ifSessions,
    menus: forBoth('link', (when) => context(when, 'navigation@4'), alone),
  },
  openGroupLiveViews: {
    title: 'Open All Live Views in Group',
    icon: 'multiple-windows',
    palette: ifSessions,
    menus: [inline(row('group', 'live'), 1), context(alone('group', 'live'), 'navigation@1')],
  },
  openSelectedLiveViews: {
    title: 'Open Selected Live Views',
    palette: 'never',
    menus: [
      context(row('session', 'live', 'selected'), 'navigation@1'),
      context(row('page', 'live', 'selected'), 'navigation@1'),
    ],
  },
  openDefault: { title: 'Open', palette: 'never', menus: [] },
  showDetails: {
    title: 'Show Details',
    palette: ifSessions,
    menus: [context(alone('session'), '1_view@1')],
  },
  openDashboard: {
    title: 'Open Dashboard',
    palette: ifSessions,
    menus: [context(alone('session', 'dashboard'), '1_view@2'), context(endedRow('dashboard'), '1_view@2')],
  },
  openRecording: {
    title: 'Open Recording',
    palette: ifSessions,
    menus: [context(alone('session', 'recording'), '1_view@3'), context(endedRow('recording'), '1_view@3')],
  },
  takeScreenshot: {
    title: 'Take Screenshot',
    palette: ifSessions,
    menus: forBoth('picture', (when) => context(when, '2_debug@1'), alone),
  },
  copySessionId: {
    title: 'Copy Session ID',
    palette: ifSessions,
    menus: [context(alone('session'), '3_copy@1'), context(endedRow(), '3_copy@1')],
  },
  copySelectedSessionIds: {
    title: 'Copy Session IDs',
    palette: 'never',
    menus: [context(row('session', 'selected'), '3_copy@1')],
  },
  copyLiveViewUrl: {
    title: 'Copy Live View Link',
    palette: ifSessions,
    menus: forBoth('link', (when) => context(when, '3_copy@2'), alone),
  },
  copyPageUrl: {
    title: 'Copy Page URL',
    palette: ifSessions,
    menus: [context(alone('page'), '3_copy@3')],
  },
  copyJson: {
    title: 'Copy as JSON',
    palette: ifSessions,
    menus: [context(alone('session'), '3_copy@4')],
  },
  endSession: {
    title: 'End Session…',
    icon: 'debug-stop',
    palette: ifSessions,
    menus: [inline(alone('session', 'endable'), 3), context(alone('session', 'endable'), '9_destructive@1')],
  },
  endSelectedSessions: {
    title: 'End Selected Sessions…',
    icon: 'debug-stop',
    palette: 'never',
    menus: (['session', 'group'] as const).flatMap((kind) => [
      inline(row(kind, 'endable', 'selected'), 3),
      context(row(kind, 'endable', 'selected'), '9_destructive@1'),
    ]),
  },
  endGroup: {
    title: 'End Group…',
    icon: 'debug-stop',
    palette: ifSessions,
    menus: [inline(alone('group', 'endable'), 3), context(alone('group', 'endable'), '9_destructive@2')],
  },
  deleteBatch: {
    title: 'Delete Batch…',
    palette: ifAccounts,
    menus: [context(alone('group', 'deletable'), '9_destructive@3')],
  },
  endAccountSessions: {
    title: 'End All Sessions in Account…',
    palette: ifSessions,
    menus: [context(alone('account', 'endable'), '9_destructive@1')],
  },
  endLeftBehind: {
    title: 'End All Browsers Left Behind…',
    palette: ifAccounts,
    menus: (['account', 'group'] as const).map((kind) =>
      context(alone(kind, 'endable', 'leftBehind'), '9_destructive@0'),
    ),
  },
  endSessionById: {
    title: 'End Session by ID…',
    palette: ifAccounts,
    menus: [context(alone('account'), '9_destructive@2')],
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
  retryFailedEnds: { title: 'Retry Ending Sessions…', palette: ifSessions, menus: [] },
  cancelBatch: {
    title: 'Cancel Batch…',
    palette: ifAccounts,
    menus: [context(alone('group', 'cancellable'), '9_destructive@2')],
  },
  protectSession: {
    title: 'Protect Session',
    icon: 'shield',
    palette: ifSessions,
    menus: [context(alone('session', 'protectable'), '5_organize@1')],
  },
  protectSelectedSessions: {
    title: 'Protect Selected Sessions',
    palette: 'never',
    menus: [context(row('session', 'selected'), '5_organize@1')],
  },
  unprotectSession: {
    title: 'Unprotect Session',
    palette: ifSessions,
    menus: [context(alone('session', 'protected'), '5_organize@1')],
  },
  unprotectSelectedSessions: {
    title: 'Unprotect Selected Sessions',
    palette: 'never',
    menus: [context(row('session', 'selected'), '5_organize@2')],
  },
  endMySessions: {
    title: 'End All My Sessions…',
    palette: `(${ifSessions}) && (config.browserSessions.mine || workspaceFolderCount > 0)`,
    menus: [title('9_destructive@0', `${inView} && ${hasSessions} && config.browserSessions.mine`)],
  },
  reviewUnfinishedEnds: { title: 'Review Unfinished Sessions', palette: 'never', menus: [] },
  deleteProfile: {
    title: 'Delete Profile…',
    palette: 'always',
    menus: [context(endedRow('deletable'), '9_destructive@1')],
  },
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

/** The prefix of every command id. */
export const commandPrefix = 'browserSessions.';
