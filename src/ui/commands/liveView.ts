import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { waysToSee } from '../../core/provider.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { LiveViews } from '../liveView/liveViews.ts';
import type { LiveViewTarget } from '../liveView/viewSource.ts';
import { reach } from '../onboarding/milestones.ts';
import { shownName } from '../sessionNames.ts';
import { nameAndId } from '../text/names.ts';
import { nameOfGroup } from './descriptions.ts';
import { type InspectParts, showDetails } from './inspecting.ts';
import { missingSentence } from './lists.ts';
import {
  groupChoices,
  pickOne,
  sessionChoices,
  sessionsOf,
  type TargetParts,
  targetOfOne,
  targetsOf,
} from './targets.ts';

/** What commands that show live views need. */
export interface LiveViewParts extends TargetParts {
  readonly liveViews: LiveViews;
}

/** How many live views are opened without asking, and how many editor groups they are spread over, at most. */
const mostWithoutAsking = 4;

/** Opens the live view of a session or page, or reveals the panel that already shows it. */
export async function openLiveView(parts: LiveViewParts, args: readonly unknown[]): Promise<void> {
  await show(parts, args, vscode.ViewColumn.Active, false);
}

/** Opens the live view of a session or page to the side. */
export async function openLiveViewToSide(parts: LiveViewParts, args: readonly unknown[]): Promise<void> {
  await show(parts, args, vscode.ViewColumn.Beside, false);
}

/**
 * Does what the settings say about a click on a row. The tree keeps the focus, so that its keyboard shortcuts keep
 * working.
 */
export async function openDefault(parts: LiveViewParts & InspectParts, args: readonly unknown[]): Promise<void> {
  const [target] = sessionsOf(parts, targetsOf(args));
  const action = parts.setting('clickAction');
  if (action === 'liveView' && (target === undefined || canShow(parts, target))) {
    await show(parts, args, vscode.ViewColumn.Active, true);
  } else await showDetails(parts, args);
}

/** Opens a session or page in the user's default browser. */
export async function openLiveViewExternal(parts: LiveViewParts, args: readonly unknown[]): Promise<void> {
  const target = await targetFor(parts, args, l10n.t('Open in External Browser'), hasLink);
  if (target !== undefined && !(await parts.liveViews.openExternal(target))) tellNoLink(parts);
}

/** Copies a link for watching a session or page. */
export async function copyLiveViewUrl(parts: LiveViewParts, args: readonly unknown[]): Promise<void> {
  const target = await targetFor(parts, args, l10n.t('Copy Live View Link'), hasLink);
  if (target !== undefined && !(await parts.liveViews.copyLink(target))) tellNoLink(parts);
}

/** Opens the live views of all sessions in a group side by side. Asks first if there are many. */
export async function openGroupLiveViews(parts: LiveViewParts, args: readonly unknown[]): Promise<void> {
  const named = targetOfOne(args);
  const none = l10n.t('There are no groups.');
  const title = l10n.t('Open All Live Views in Group');
  const target =
    named?.groupId === undefined
      ? await pickOne(parts, title, l10n.t('Select a group'), none, await groupChoices(parts))
      : named;
  if (target?.groupId === undefined) return;
  const sessions = sessionsOf(parts, [target]).filter((one) => canShow(parts, one));
  if (sessions.length === 0) {
    void parts.prompts.tell('info', l10n.t('No session in this group has a live view.'), []);
    return;
  }
  const group = nameOfGroup(parts, target.accountId, target.groupId);
  await openMany(
    parts,
    sessions.map(({ accountId, session }) => ({ accountId, sessionId: session.id, pageId: undefined })),
    l10n.t('Each live view in {0} streams images.', group ?? ''),
  );
}

/** Opens the live views of the selected sessions and pages side by side. Asks first if there are many. */
export async function openSelectedLiveViews(parts: LiveViewParts, args: readonly unknown[]): Promise<void> {
  const targets = targetsOf(args).flatMap((target): LiveViewTarget[] => {
    const { accountId, sessionId, pageId } = target;
    if (sessionId === undefined || !sessionsOf(parts, [target]).some((one) => canShow(parts, one))) return [];
    return [{ accountId, sessionId, pageId }];
  });
  if (targets.length === 0) {
    void parts.prompts.tell('info', l10n.t('None of the selected sessions has a live view.'), []);
  } else await openMany(parts, targets, l10n.t('Each live view streams images.'));
}

/** Opens live views side by side. @param cost what the user is told before many of them are opened. */
async function openMany(parts: LiveViewParts, targets: readonly LiveViewTarget[], cost: string): Promise<void> {
  const count = targets.length;
  if (count > mostWithoutAsking) {
    const button = l10n.t('Open {0} Live Views', count);
    const message = l10n.t('Open {0} live views?', count);
    if ((await parts.prompts.confirm({ message, detail: cost, choices: [button] })) !== button) return;
  }
  if (count > 1) await vscode.commands.executeCommand('vscode.setEditorLayout', layoutFor(count));
  for (const [index, target] of targets.entries()) {
    // One that is already open would cover another one in its place.
    await parts.liveViews.open(target, (index % mostWithoutAsking) + 1, index > 0, true);
  }
}

/** An editor layout: two groups side by side, or up to four in two columns. */
function layoutFor(count: number): object {
  const column = (rows: number) => ({ groups: Array.from({ length: rows }, () => ({})) });
  if (count === 2) return { orientation: 0, groups: [{}, {}] };
  return { orientation: 0, groups: [column(2), count === 3 ? {} : column(2)] };
}

async function show(
  parts: LiveViewParts,
  args: readonly unknown[],
  column: vscode.ViewColumn,
  keepFocus: boolean,
): Promise<void> {
  const target = await targetFor(parts, args, l10n.t('Open Live View'), canShow);
  if (target === undefined) return;
  reach('watchedOnce');
  await parts.liveViews.open(target, column, keepFocus);
}

function canShow({ store }: Pick<LiveViewParts, 'store'>, { accountId, session }: AccountSession): boolean {
  return waysToSee(store.capabilities(accountId), session.canWatch).live;
}

function hasLink({ store }: Pick<LiveViewParts, 'store'>, { accountId, session }: AccountSession): boolean {
  return waysToSee(store.capabilities(accountId), session.canWatch).link;
}

function tellNoLink({ prompts }: Pick<LiveViewParts, 'prompts'>): void {
  void prompts.tell(
    'info',
    l10n.t("This provider doesn't have a live view page that you can open or copy a link to."),
    [],
  );
}

/** The session or page that a caller names, or else the session that the user picks from those that fit. */
async function targetFor(
  parts: LiveViewParts,
  args: readonly unknown[],
  title: string,
  fits: (parts: LiveViewParts, target: AccountSession) => boolean,
): Promise<LiveViewTarget | undefined> {
  const target = targetOfOne(args);
  if (target?.sessionId !== undefined) {
    const { accountId, sessionId, pageId } = target;
    const [there] = sessionsOf(parts, [target]);
    if (there === undefined) {
      void parts.prompts.tell('info', missingSentence(parts, accountId, sessionId), []);
      return undefined;
    }
    if (fits(parts, there)) return { accountId, sessionId, pageId };
    void parts.prompts.tell(
      'info',
      l10n.t('{0} has no live view.', nameAndId(shownName(parts.store, accountId, there.session))),
      [],
    );
    return undefined;
  }
  const choices = (await sessionChoices(parts)).filter(({ value }) => fits(parts, value));
  const none = l10n.t('No running session has a live view.');
  const picked = await pickOne(parts, title, l10n.t('Select a session'), none, choices);
  return picked && { accountId: picked.accountId, sessionId: picked.session.id, pageId: undefined };
}
