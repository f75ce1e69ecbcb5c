import * as l10n from '@vscode/l10n';
import type { CommandContext } from './context.ts';
import { pickOne, sessionChoices, sessionsOf, type Target, targetsOf } from './targets.ts';

/** Opens the live view of a session or page in a panel; one that is open already comes to the front. */
export async function openLiveView(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const target = await viewTarget(context, args);
  if (target === undefined) return;
  await context.liveViews.open(target.accountId, target.sessionId, target.pageId);
}

/** Opens the live view of a session or page in the browser that the person uses. */
export async function openLiveViewExternal(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const target = await viewTarget(context, args);
  if (target === undefined) return;
  await context.liveViews.openExternal(target.accountId, target.sessionId, target.pageId);
}

async function viewTarget(context: CommandContext, args: readonly unknown[]) {
  const target: Target | undefined = targetsOf(context, args)[0];
  if (target?.sessionId !== undefined) {
    const [there] = sessionsOf(context, [target]);
    if (there !== undefined) return { ...target, sessionId: target.sessionId };
    void context.prompts.tell('info', l10n.t('That session has already ended.'), []);
    return undefined;
  }
  const choices = (await sessionChoices(context)).filter(({ value }) => {
    return context.store.capabilities(value.accountId).has('liveView');
  });
  const none = l10n.t('No running session has a live view.');
  const picked = await pickOne(context, l10n.t('Open Live View'), l10n.t('Choose a session'), none, choices);
  return picked && { accountId: picked.accountId, sessionId: picked.session.id, pageId: undefined };
}
