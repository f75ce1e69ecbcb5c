import * as l10n from '@vscode/l10n';
import type { AccountSession } from '../../services/ending/report.ts';
import type { Place, Protections } from '../../services/sessions/protections.ts';
import { type ImportParts, importKeys } from '../onboarding/importKeys.ts';
import type { TrialOfExtension, TryItParts } from '../onboarding/tryIt.ts';
import { shownName } from '../sessionNames.ts';
import { nameAndId } from '../text/names.ts';
import type { SessionsTree } from '../tree/sessionsTree.ts';
import { type KnownAccountParts, renameAccount, replaceKey, testConnection } from './accounts.ts';
import { addAccount } from './addAccount.ts';
import { type ArrangingParts, groupBy, listMenuHandlers, sortBy } from './arranging.ts';
import { type DeleteProfileParts, deleteProfile } from './deleteProfile.ts';
import { endSessionById } from './endById.ts';
import { endSession } from './ending.ts';
import { endAccountSessions, endAllSessions, endMySessions, endOldSessions, retryFailedEnds } from './endingMany.ts';
import { endLeftBehind } from './endLeftBehind.ts';
import { filterToAccount, filterToGroup, setFilter } from './filtering.ts';
import { cancelBatch, deleteBatch, endGroup } from './groups.ts';
import {
  copyJson,
  copyPageUrl,
  type InspectParts,
  openDashboard,
  openRecording,
  showDetails,
  takeScreenshot,
} from './inspecting.ts';
import {
  copyLiveViewUrl,
  type LiveViewParts,
  openDefault,
  openGroupLiveViews,
  openLiveView,
  openLiveViewExternal,
  openLiveViewToSide,
  openSelectedLiveViews,
} from './liveView.ts';
import { manageAccounts } from './manageAccounts.ts';
import { protectedAmong } from './protectedSessions.ts';
import { removeAccount } from './removeAccount.ts';
import type { CommandName } from './table.ts';
import {
  isNamed,
  isOneRow,
  pickOne,
  sessionChoices,
  sessionsOf,
  sessionTarget,
  sessionTargetsOf,
  type TargetParts,
  targetsOf,
  wholeAccount,
} from './targets.ts';
import { reviewUnfinishedEnds, type UnfinishedParts } from './unfinishedEnds.ts';

/** What commands that act on the tree need. */
interface TreeParts extends TargetParts {
  readonly tree: SessionsTree;
  readonly protections: Protections;
  readonly copyText: (text: string) => Promise<void>;
  /** Opens a text as an unsaved document. */
  readonly openText: (text: string, language: string) => Promise<void>;
}

/** What the commands of the welcome view need. */
interface WelcomeParts extends ImportParts, TryItParts {
  readonly trial: TrialOfExtension;
  readonly openWalkthrough: () => Promise<void>;
}

/** What all commands need together; each file declares what its own commands need. */
export type CommandParts = WelcomeParts &
  KnownAccountParts &
  UnfinishedParts &
  InspectParts &
  LiveViewParts &
  DeleteProfileParts &
  TreeParts &
  ArrangingParts;

/** Runs a command with the arguments that VS Code or a caller passes. */
export type CommandHandler = (parts: CommandParts, args: readonly unknown[]) => unknown;

/**
 * The handler of each command. Those in the view's title take no arguments, because VS Code passes them the focused
 * row.
 */
export const commandHandlers: Readonly<Record<CommandName, CommandHandler>> = {
  addAccount,
  manageAccounts: (parts) => manageAccounts(parts),
  tryIt: async (parts) => {
    const watched = await parts.trial.find();
    if (watched !== undefined) await openLiveView(parts, [watched]);
  },
  importKeys,
  openWalkthrough: ({ openWalkthrough }) => openWalkthrough(),
  replaceKey,
  enterKey: replaceKey,
  renameAccount,
  testConnection,
  removeAccount,
  hideThisMachine: ({ changeSetting }) => changeSetting('thisMachine.enabled', false),
  setFilter,
  clearFilter: ({ filter }) => filter.clear(),
  filterToAccount,
  filterToGroup,
  sortBy,
  groupBy,
  ...listMenuHandlers,
  showFinishedBatches: ({ finished }) => finished.show(true),
  hideFinishedBatches: ({ finished }) => finished.show(false),
  refresh: ({ refresher, finished, tree }) =>
    tree.whileRefreshing(async () => {
      await Promise.all([refresher.refreshAll(), finished.reloadAll()]);
    }),
  refreshAccount: refreshAccounts,
  refreshSelectedAccounts: refreshAccounts,
  showMore: (parts, args) => {
    for (const { accountId, groupId } of targetsOf(args)) parts.tree.showMore(accountId, groupId);
  },
  openLiveView,
  openLiveViewToSide,
  openLiveViewExternal,
  openGroupLiveViews,
  openSelectedLiveViews,
  openDefault,
  showDetails,
  openDashboard,
  openRecording,
  takeScreenshot,
  copySessionId: copySessionIds,
  copySelectedSessionIds: copySessionIds,
  copyLiveViewUrl,
  copyPageUrl,
  copyJson,
  // The Delete key can pass any kind of row.
  endSession: (parts, args) => (isOneRow(args, 'account') ? endAccountSessions(parts, args) : endSession(parts, args)),
  endSelectedSessions: endSession,
  endGroup,
  deleteBatch,
  endAccountSessions,
  endLeftBehind,
  endSessionById,
  endAllSessions,
  endOldSessions,
  retryFailedEnds,
  cancelBatch,
  endMySessions,
  reviewUnfinishedEnds,
  deleteProfile,
  exportEnded: ({ history, openText }) => openText(`${JSON.stringify(history.all, null, 2)}\n`, 'json'),
  clearEnded: ({ history }) => history.clear(),
  protectSession: (parts, args) => setProtected(parts, args, true),
  protectSelectedSessions: (parts, args) => setProtected(parts, args, true),
  unprotectSession: (parts, args) => setProtected(parts, args, false),
  unprotectSelectedSessions: (parts, args) => setProtected(parts, args, false),
  showLog: ({ showLog }) => showLog(),
};

async function setProtected(parts: TreeParts, args: readonly unknown[], isProtected: boolean): Promise<void> {
  const named = targetsOf(args).filter(({ sessionId }) => sessionId !== undefined);
  const title = isProtected ? l10n.t('Protect Session') : l10n.t('Unprotect Session');
  const choices = async () =>
    (await sessionChoices(parts)).filter(
      ({ value }) => parts.protections.has(value.accountId, value.session.id) !== isProtected,
    );
  const none = isProtected ? l10n.t('No sessions are running.') : l10n.t('No sessions are protected.');
  const picked =
    named.length > 0 ? undefined : await pickOne(parts, title, l10n.t('Select a session'), none, await choices());
  const targets = picked === undefined ? sessionsOf(parts, named) : [picked];
  const all = parts.accounts.all.map(({ id }) => wholeAccount(id));
  const before = isProtected ? [] : protectedAmong(parts, sessionsOf(parts, [...named, ...all]));
  const places: Place[] = [];
  for (const [accountId, its] of Map.groupBy(targets, (target) => target.accountId)) {
    const ids = its.map(({ session }) => session.id);
    places.push(...(await parts.protections.set(accountId, ids, isProtected)));
  }
  // Other extensions can call this, too, and the next end would then include what the user protected.
  if (!isProtected) void tellUnprotected(parts, before, places);
}

/**
 * Says that sessions are no longer protected, and offers to protect them again.
 * @param before the sessions that were protected. Several of them can be in one browser.
 * @param places where their protection was removed.
 */
async function tellUnprotected(parts: TreeParts, before: readonly AccountSession[], places: readonly Place[]) {
  const still = new Set(protectedAmong(parts, before));
  const changed = before.filter((target) => !still.has(target));
  const [first] = changed;
  if (first === undefined) return;
  // Several accounts may list the same one.
  const count = new Set(changed.map(({ session }) => session.id)).size;
  const message =
    count === 1
      ? l10n.t('{0} is no longer protected.', nameAndId(shownName(parts.store, first.accountId, first.session)))
      : l10n.t('{0} sessions are no longer protected.', count);
  const again = l10n.t('Protect Again');
  if ((await parts.prompts.tell('info', message, [again])) !== again) return;
  for (const { account, sessions } of places) await parts.protections.set(account, sessions, true);
}

/** Refreshes the accounts of the given rows, or all accounts if no row has focus. */
async function refreshAccounts({ refresher, finished, accounts, tree }: CommandParts, args: readonly unknown[]) {
  const named = isNamed(args) ? targetsOf(args).map(({ accountId }) => accountId) : accounts.all.map(({ id }) => id);
  await tree.whileRefreshing(async () => {
    await Promise.all([...new Set(named)].flatMap((id) => [refresher.refreshOnRequest(id), finished.reload(id)]));
  });
}

/** Copies the IDs of sessions, one per line. @returns what was copied. */
async function copySessionIds(parts: InspectParts, args: readonly unknown[]): Promise<string | undefined> {
  // Ctrl+C can pass any kind of row.
  if (isOneRow(args, 'page')) return copyPageUrl(parts, args);
  let ids = sessionTargetsOf(args).flatMap(({ sessionId }) => sessionId ?? []);
  if (ids.length === 0 && isNamed(args)) {
    parts.prompts.note(l10n.t('Select a session to copy its ID.'));
    return undefined;
  }
  if (ids.length === 0) {
    const none = l10n.t('No sessions are running.');
    const picked = await sessionTarget(parts, args, l10n.t('Copy Session ID'), none, () => true);
    ids = picked === undefined ? [] : [picked.sessionId];
  }
  if (ids.length === 0) return undefined;
  const text = ids.join('\n');
  await parts.copyText(text);
  parts.prompts.note(ids.length === 1 ? l10n.t('Session ID copied.') : l10n.t('{0} session IDs copied.', ids.length));
  return text;
}
