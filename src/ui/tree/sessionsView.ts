import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { IsMine } from '../../core/ownership.ts';
import type { Session } from '../../core/session.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import type { ThisMachineAccount } from '../../services/accounts/thisMachineAccount.ts';
import type { ProviderKinds } from '../../services/providers/providerKinds.ts';
import type { PageLoader } from '../../services/sessions/pageLookups.ts';
import type { Protections } from '../../services/sessions/protections.ts';
import type { Refresher } from '../../services/sessions/refresher.ts';
import type { AccountState, SessionsView } from '../../services/sessions/sessionsView.ts';
import { SessionNames } from '../sessionNames.ts';
import { Arrangement } from './arrangement.ts';
import type { TreeModel } from './children.ts';
import type { TreeFilter } from './filter.ts';
import type { FinishedRows } from './finishedRows.ts';
import type { ListOptions } from './listOptions.ts';
import { LostPages } from './lostPages.ts';
import { type TreeNode, TreeNodes } from './nodes.ts';
import { RowSelection } from './rowSelection.ts';
import { SessionsTree, sessionsViewId } from './sessionsTree.ts';
import { keepTitle } from './title.ts';
import { clickCommand, dimmedRows } from './treeItem.ts';

/** How often a click checks, and how long it waits, until VS Code knows the rows again, in milliseconds. */
const askedAnewMs = 50;
const mostAskedAnewMs = 3_000;

/** What the view "Sessions" needs. */
export interface SessionsViewParts {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly store: SessionsView;
  readonly pages: PageLoader;
  readonly refresher: Refresher;
  readonly protections: Protections;
  readonly ownMachine: ThisMachineAccount;
  /** Whether a session is the user's own; undefined without a rule and workspace folders. */
  readonly isMine: () => IsMine | undefined;
  readonly filter: TreeFilter;
  /** How the list is sorted and grouped. */
  readonly options: ListOptions;
  /** Draws finished batches. Undefined until the user first shows them. */
  readonly finished: () => FinishedRows | undefined;
  /** What a click on a session does: `liveView`, `details` or `none`. */
  readonly clickAction: () => string;
  /** What the rows of sessions show besides their names. */
  readonly details: () => readonly string[];
  readonly now: () => number;
  readonly ratePerHour: TreeModel['ratePerHour'];
  readonly currency: TreeModel['currency'];
  /** The folder with our own icons. */
  readonly media: vscode.Uri;
}

/** Opens the view, tells the refresher whether it is visible, and sets the context keys of its menus. */
export function openSessionsView({
  accounts,
  kinds,
  store,
  pages,
  refresher,
  protections,
  ownMachine,
  filter,
  options,
  finished,
  isMine,
  clickAction,
  details,
  now,
  ratePerHour,
  currency,
  media,
}: SessionsViewParts): {
  readonly tree: SessionsTree;
  readonly view: vscode.TreeView<TreeNode>;
  readonly rowSelection: RowSelection;
  readonly arrangement: Arrangement;
  readonly disposable: vscode.Disposable;
} {
  // Read when it changes, not for each row.
  let rule = isMine();
  let shownDetails = details();
  const model = {
    store,
    nodes: new TreeNodes(),
    names: new SessionNames(store),
    details: () => shownDetails,
    accounts: () => accounts.all,
    account: accounts.get.bind(accounts),
    kind: kinds.get.bind(kinds),
    now,
    isForThisWindow: accounts.isForThisWindow.bind(accounts),
    ratePerHour,
    currency,
    filter,
    finished,
    isProtected: protections.has.bind(protections),
    isMine: (session: Session) => rule?.(session),
    opensOnClick: () => clickAction() !== 'none',
  };
  const arrangement = new Arrangement({
    store,
    changes: model.names.onDidChange,
    filter,
    options,
    ratePerHour: (id) => ratePerHour(accounts.get(id)?.provider ?? ''),
    now,
  });
  const lostPages = new LostPages(store, (id) => refresher.refreshOnRequest(id));
  const tree = new SessionsTree(model, arrangement, pages, lostPages, media);
  const view = vscode.window.createTreeView(sessionsViewId, {
    treeDataProvider: tree,
    canSelectMany: true,
    showCollapseAll: true,
  });

  const rowSelection = new RowSelection({
    viewId: sessionsViewId,
    view,
    isThere: (node) => tree.isThere(node),
    showSelected: (nodes) => tree.showSelected(nodes),
  });

  const attend = () => {
    const { focused, active } = vscode.window.state;
    const attention = { visible: view.visible, focused: focused && active };
    refresher.setAttention(attention);
    pages.setAttention(attention);
    ownMachine.setVisible(view.visible);
    protections.follow();
  };
  const contexts = new Map<string, boolean | string>();
  const setContext = (key: string, value: boolean | string) => {
    if (contexts.get(key) === value) return;
    contexts.set(key, value);
    void vscode.commands.executeCommand('setContext', `browserSessions.${key}`, value);
  };
  const tell = () => {
    protections.follow();
    setContext('filtered', filter.isOn);
    setContext('sortBy', options.sortBy);
    setContext('groupBy', options.groupBy);
    setContext(
      'canHaveBatches',
      accounts.all.some(({ id }) => store.capabilities(id).has('deleteGroup')),
    );
    setContext('hasAccounts', accounts.all.length > 0);
    setContext(
      'hasSessions',
      accounts.all.some(({ id }) => mayHaveSessions(store.state(id))),
    );
    // Last: the welcome view is shown where this is true and `hasAccounts` isn't.
    setContext('loaded', true);
  };
  attend();
  tell();

  const disposable = vscode.Disposable.from(
    view,
    tree,
    rowSelection,
    arrangement,
    keepTitle(
      store,
      filter,
      () => tree.summary,
      (title) => {
        view.description = title;
      },
    ),
    vscode.window.registerFileDecorationProvider(dimmedRows),
    vscode.commands.registerCommand(clickCommand, clicked(view, tree)),
    view.onDidChangeVisibility(attend),
    view.onDidExpandElement(({ element }) => tree.setExpanded(element, true)),
    view.onDidCollapseElement(({ element }) => tree.setExpanded(element, false)),
    vscode.window.onDidChangeWindowState(attend),
    store.onDidChange(tell),
    kinds.onDidLoad(() => tree.redrawAll()),
    ...[filter, options].map(({ onDidChange }) =>
      onDidChange(() => {
        tree.arrangeAgain();
        tell();
      }),
    ),
    protections.onDidChange((id) => tree.redraw(id)),
    kinds.onDidChange(() => tree.redrawAll()),
    accounts.onDidChange(({ kind, id }) => {
      if (kind === 'renamed') tree.redraw(id);
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      rule = isMine();
      tree.redrawAll();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      const isAbout = (...keys: readonly string[]) =>
        keys.some((key) => event.affectsConfiguration(`browserSessions.${key}`));
      // One event may be about several: a settings file is edited, or another profile chosen.
      // The last three decide whether anything is shown for which requests are sent in the background.
      if (isAbout('refresh', 'statusBar', 'badge', 'warnings')) refresher.reschedule();
      if (isAbout('mine')) rule = isMine();
      if (isAbout('row')) shownDetails = details();
      if (isAbout('mine', 'row', 'clickAction')) tree.redrawAll();
      if (isAbout('groupByMetadataKey')) options.followSetting();
      if (isAbout('cost')) tree.arrangeAgain();
      if (isAbout('thisMachine')) ownMachine.follow();
      const ofProviders = kinds.all.flatMap(({ id, settings }) => settings.map((setting) => `${id}.${setting.id}`));
      // While the view is hidden, nothing is listed until it is shown again.
      if (view.visible && isAbout('network', ...ofProviders)) void refresher.refreshAll();
    }),
  );
  return { tree, view, rowSelection, arrangement, disposable };
}

/** Runs the action of a click on the selected row. */
function clicked(view: vscode.TreeView<TreeNode>, tree: SessionsTree): () => Promise<void> {
  let clicks = 0;
  return async () => {
    const click = ++clicks;
    // Read synchronously, because the next click may follow. While VS Code requests rows again it knows none of them.
    for (let waitedMs = 0; click === clicks && waitedMs < mostAskedAnewMs; waitedMs += askedAnewMs) {
      const [node, ...others] = view.selection;
      // A click selects one row. If several are selected by now, the user has moved on.
      if (others.length > 0) return undefined;
      if (node !== undefined) return tree.click(node);
      await sleep(askedAnewMs);
    }
    return undefined;
  };
}

/** Also true of an account that was never listed: its sessions aren't known yet. */
function mayHaveSessions(state: AccountState | undefined): boolean {
  return (
    state !== undefined &&
    (state.contents.sessions.size > 0 || state.kind === 'disconnected' || state.kind === 'loading')
  );
}
