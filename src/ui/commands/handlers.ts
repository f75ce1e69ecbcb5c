import * as l10n from '@vscode/l10n';
import { removeAccount, renameAccount, replaceKey, testConnection } from './accounts.ts';
import { addAccount } from './addAccount.ts';
import type { CommandContext } from './context.ts';
import { endSessionById } from './endById.ts';
import { endSession } from './ending.ts';
import { endAccountSessions, endAllSessions, endMySessions, endOldSessions, retryFailedEnds } from './endingMany.ts';
import { setFilter } from './filtering.ts';
import { cancelBatch, deleteBatch, endGroup } from './groups.ts';
import { copyJson, copyPageUrl, openDashboard, openRecording, showDetails, takeScreenshot } from './inspecting.ts';
import {
  copyLiveViewUrl,
  openDefault,
  openGroupLiveViews,
  openLiveView,
  openLiveViewExternal,
  openLiveViewToSide,
} from './liveView.ts';
import type { CommandName } from './table.ts';
import { pickOne, sessionChoices, sessionsOf, sessionTarget, targetsOf } from './targets.ts';
import { reviewUnfinishedEnds } from './unfinishedEnds.ts';

/** What a command does with the arguments that VS Code or a caller passes. */
export type CommandHandler = (context: CommandContext, args: readonly unknown[]) => unknown;

/** What each command does. Commands of the view's title take no arguments: VS Code passes them the focused row. */
export const commandHandlers: Readonly<Record<CommandName, CommandHandler>> = {
  addAccount,
  replaceKey,
  enterKey: replaceKey,
  renameAccount,
  testConnection,
  removeAccount,
  setFilter,
  clearFilter: ({ filter }) => filter.set(''),
  showFinishedBatches: ({ finished }) => finished.show(true),
  hideFinishedBatches: ({ finished }) => finished.show(false),
  refresh: async ({ refresher, finished }) => {
    await Promise.all([refresher.refreshAll(), finished.reloadAll()]);
  },
  refreshAccount: async (context, args) => {
    const { refresher, finished } = context;
    const accounts = targetsOf(context, args).map(({ accountId }) => accountId);
    await Promise.all(accounts.flatMap((id) => [refresher.refreshAsked(id), finished.reload(id)]));
  },
  showMore: (context, args) => {
    for (const { accountId, groupId } of targetsOf(context, args)) context.tree.showMore(accountId, groupId);
  },
  openLiveView,
  openLiveViewToSide,
  openLiveViewExternal,
  openGroupLiveViews,
  openDefault,
  showDetails,
  openDashboard,
  openRecording,
  takeScreenshot,
  copySessionId,
  copyLiveViewUrl,
  copyPageUrl,
  copyJson,
  endSession,
  endSelectedSessions: endSession,
  endGroup,
  deleteBatch,
  endAccountSessions,
  endSessionById,
  endAllSessions,
  endOldSessions,
  retryFailedEnds,
  cancelBatch,
  endMySessions,
  reviewUnfinishedEnds,
  exportEnded: ({ history, openText }) => openText(`${JSON.stringify(history.all, null, 2)}\n`, 'json'),
  clearEnded: ({ history }) => history.clear(),
  protectSession: (context, args) => setProtected(context, args, true),
  unprotectSession: (context, args) => setProtected(context, args, false),
  showLog: ({ showLog }) => showLog(),
};

async function setProtected(context: CommandContext, args: readonly unknown[], isProtected: boolean): Promise<void> {
  const named = targetsOf(context, args).filter(({ sessionId }) => sessionId !== undefined);
  const title = isProtected ? l10n.t('Protect Session') : l10n.t('Unprotect Session');
  const choices = async () =>
    (await sessionChoices(context)).filter(
      ({ value }) => context.protections.has(value.accountId, value.session.id) !== isProtected,
    );
  const none = isProtected ? l10n.t('No session is running.') : l10n.t('No session is protected.');
  const picked =
    named.length > 0 ? undefined : await pickOne(context, title, l10n.t('Choose a session'), none, await choices());
  const targets = picked === undefined ? sessionsOf(context, named) : [picked];
  for (const [accountId, its] of Map.groupBy(targets, (target) => target.accountId)) {
    await context.protections.set(
      accountId,
      its.map(({ session }) => session.id),
      isProtected,
    );
  }
}

async function copySessionId(context: CommandContext, args: readonly unknown[]): Promise<string | undefined> {
  const none = l10n.t('No session is running.');
  const target = await sessionTarget(context, args, l10n.t('Copy Session ID'), none, () => true);
  if (target === undefined) return undefined;
  await context.copyText(target.sessionId);
  context.prompts.note(l10n.t('Session ID copied.'));
  return target.sessionId;
}
