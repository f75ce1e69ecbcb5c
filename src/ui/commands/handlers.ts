import * as l10n from '@vscode/l10n';
import { removeAccount, renameAccount, replaceKey, testConnection } from './accounts.ts';
import { addAccount } from './addAccount.ts';
import type { CommandContext } from './context.ts';
import { deleteBatch, endAccountSessions, endAllSessions, endGroup, endSession } from './ending.ts';
import { openLiveView, openLiveViewExternal } from './liveView.ts';
import type { CommandName } from './table.ts';
import { pickOne, sessionChoices, sessionsOf, targetsOf } from './targets.ts';

/** What a command does with the arguments that VS Code or a caller passes. */
export type CommandHandler = (context: CommandContext, args: readonly unknown[]) => unknown;

/** What each command does. Commands of the view's title take no arguments: VS Code passes them the focused row. */
export const commandHandlers: Readonly<Record<CommandName, CommandHandler>> = {
  addAccount,
  replaceKey,
  renameAccount,
  testConnection,
  removeAccount,
  refresh: ({ refresher }) => refresher.refreshAll(),
  refreshAccount: async (context, args) => {
    await Promise.all(targetsOf(context, args).map(({ accountId }) => context.refresher.refresh(accountId)));
  },
  showMore: (context, args) => {
    for (const { accountId, groupId } of targetsOf(context, args)) context.tree.showMore(accountId, groupId);
  },
  openLiveView,
  openLiveViewExternal,
  copySessionId,
  endSession,
  endSelectedSessions: endSession,
  endGroup,
  deleteBatch,
  endAccountSessions,
  endAllSessions,
  showLog: ({ showLog }) => showLog(),
};

async function copySessionId(context: CommandContext, args: readonly unknown[]): Promise<string | undefined> {
  const named = targetsOf(context, args).filter(({ sessionId }) => sessionId !== undefined);
  const none = l10n.t('No session is running.');
  const target =
    sessionsOf(context, named)[0] ??
    (await pickOne(
      context,
      l10n.t('Copy Session ID'),
      l10n.t('Choose a session'),
      none,
      await sessionChoices(context),
    ));
  if (target === undefined) return undefined;
  await context.copyText(target.session.id);
  context.prompts.note(l10n.t('Session ID copied.'));
  return target.session.id;
}
