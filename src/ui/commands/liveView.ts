import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { waysToSee } from '../../core/provider.ts';
import type { EndTarget } from '../../services/ending/report.ts';
import type { Subject } from '../liveView/sights.ts';
import { groupName, sessionName } from '../words/names.ts';
import { type CommandContext, missingSentence } from './context.ts';
import { showDetails } from './inspecting.ts';
import { groupChoices, pickOne, sessionChoices, sessionsOf, targetsOf } from './targets.ts';

/** Live views that are opened without asking, and the places there are for them side by side. */
const mostWithoutAsking = 4;

/** Shows a session or page live; a panel that shows it already comes to the front. */
export async function openLiveView(context: CommandContext, args: readonly unknown[]): Promise<void> {
  await show(context, args, vscode.ViewColumn.Active, false);
}

/** The same beside what is open. */
export async function openLiveViewToSide(context: CommandContext, args: readonly unknown[]): Promise<void> {
  await show(context, args, vscode.ViewColumn.Beside, false);
}

/** Does what a click on a row is set to do. The list keeps the focus, so that keys go on working on it. */
export async function openDefault(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const [target] = sessionsOf(context, targetsOf(context, args));
  const action = context.setting('clickAction');
  if (action === 'liveView' && (target === undefined || canShow(context, target))) {
    await show(context, args, vscode.ViewColumn.Active, true);
  } else await showDetails(context, args);
}

/** Shows a session or page in the browser that the person uses. */
export async function openLiveViewExternal(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const subject = await subjectFor(context, args, l10n.t('Open in External Browser'), hasLink);
  if (subject !== undefined && !(await context.liveViews.openExternal(subject))) tellNoLink(context);
}

/** Puts a link on the clipboard with which a session or page can be watched. */
export async function copyLiveViewUrl(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const subject = await subjectFor(context, args, l10n.t('Copy Live View Link'), hasLink);
  if (subject !== undefined && !(await context.liveViews.copyLink(subject))) tellNoLink(context);
}

/** Shows all sessions of a group side by side, after asking where they are many. */
export async function openGroupLiveViews(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const named = targetsOf(context, args).find(({ groupId }) => groupId !== undefined);
  const none = l10n.t('There is no group.');
  const title = l10n.t('Open All Live Views in Group');
  const target =
    named ?? (await pickOne(context, title, l10n.t('Choose a group'), none, await groupChoices(context, () => true)));
  if (target?.groupId === undefined) return;
  const sessions = sessionsOf(context, [target]).filter((one) => canShow(context, one));
  const count = sessions.length;
  if (count === 0) {
    void context.prompts.tell('info', l10n.t('No session of it can be shown live.'), []);
    return;
  }
  if (count > mostWithoutAsking) {
    const group = context.store.state(target.accountId)?.contents.groups.get(target.groupId);
    const button = l10n.t('Open {0} Live Views', count);
    const chosen = await context.prompts.confirm({
      message: l10n.t('Open {0} live views?', count),
      detail: l10n.t('{0}: each of them is a stream of pictures.', group === undefined ? '' : groupName(group)),
      choices: [button],
    });
    if (chosen !== button) return;
  }
  if (count > 1) await vscode.commands.executeCommand('vscode.setEditorLayout', layoutFor(count));
  for (const [index, { accountId, session }] of sessions.entries()) {
    const column = (index % mostWithoutAsking) + 1;
    await context.liveViews.open({ accountId, sessionId: session.id, pageId: undefined }, column, index > 0);
  }
}

/** Two side by side, or up to four in two columns of two. */
function layoutFor(count: number): object {
  const column = (rows: number) => ({ groups: Array.from({ length: rows }, () => ({})) });
  if (count === 2) return { orientation: 0, groups: [{}, {}] };
  return { orientation: 0, groups: [column(2), count === 3 ? {} : column(2)] };
}

async function show(
  context: CommandContext,
  args: readonly unknown[],
  column: vscode.ViewColumn,
  keepFocus: boolean,
): Promise<void> {
  const subject = await subjectFor(context, args, l10n.t('Open Live View'), canShow);
  if (subject !== undefined) await context.liveViews.open(subject, column, keepFocus);
}

function canShow({ store }: CommandContext, { accountId, session }: EndTarget): boolean {
  return waysToSee(store.capabilities(accountId), session.watchable).live;
}

function hasLink({ store }: CommandContext, { accountId, session }: EndTarget): boolean {
  return waysToSee(store.capabilities(accountId), session.watchable).link;
}

function tellNoLink({ prompts }: CommandContext): void {
  void prompts.tell('info', l10n.t('This provider has no page of its own that shows sessions.'), []);
}

/** The session or page that a caller names, or the session that the person picks of those that fit. */
async function subjectFor(
  context: CommandContext,
  args: readonly unknown[],
  title: string,
  fits: (context: CommandContext, target: EndTarget) => boolean,
): Promise<Subject | undefined> {
  const [target] = targetsOf(context, args);
  if (target?.sessionId !== undefined) {
    const { accountId, sessionId, pageId } = target;
    const [there] = sessionsOf(context, [target]);
    if (there === undefined) {
      void context.prompts.tell('info', missingSentence(context, accountId, sessionId), []);
      return undefined;
    }
    if (fits(context, there)) return { accountId, sessionId, pageId };
    void context.prompts.tell('info', l10n.t('{0} has no live view.', sessionName(there.session)), []);
    return undefined;
  }
  const choices = (await sessionChoices(context)).filter(({ value }) => fits(context, value));
  const none = l10n.t('No running session has a live view.');
  const picked = await pickOne(context, title, l10n.t('Choose a session'), none, choices);
  return picked && { accountId: picked.accountId, sessionId: picked.session.id, pageId: undefined };
}
