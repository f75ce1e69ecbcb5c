import * as l10n from '@vscode/l10n';
import type { AccountId, GroupId } from '../../core/ids.ts';
import type { IsMine } from '../../core/ownership.ts';
import { plainText } from '../../core/plainText.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import { findGroup } from '../../services/sessions/grouping.ts';
import { isSameSession } from '../../services/sessions/sameSession.ts';
import type { LiveViews } from '../liveView/liveViews.ts';
import { shownName } from '../sessionNames.ts';
import type { ReadSetting } from '../settings.ts';
import type { SessionDescription } from '../text/confirmations.ts';
import { groupName } from '../text/groupNames.ts';
import { kindOfAccount, nameOfAccount } from './accountNames.ts';
import { type EndPlanParts, reasonLeftOut } from './endPlan.ts';
import { ageOf } from './lists.ts';

/** Sessions younger than this, in milliseconds, may be ones that someone is only starting to use. */
const youngMs = 60_000;

/** What describing sessions in dialogs needs. */
export interface DescriptionParts extends EndPlanParts {
  readonly liveViews: Pick<LiveViews, 'isOpen'>;
  readonly setting: ReadSetting;
  /** Which sessions are the user's own; undefined without a rule and workspace folders. */
  readonly isMine: () => IsMine | undefined;
}

/** Describes sessions for a dialog. */
export function describeSessions(parts: DescriptionParts, sessions: readonly AccountSession[]): SessionDescription[] {
  // Read once, because there may be thousands of sessions.
  const isMine = parts.isMine();
  return sessions.map((one) => describe(parts, one, isMine));
}

/** The name of a listed group; undefined if it isn't listed. */
export function nameOfGroup(
  { store }: Pick<DescriptionParts, 'store'>,
  accountId: AccountId,
  groupId: GroupId,
): string | undefined {
  const contents = store.state(accountId)?.contents;
  const group = contents && findGroup(groupId, contents);
  return group && groupName(group);
}

/** A sentence saying that an end includes sessions that the filter hides; none if it doesn't. */
export function unfiltered(
  { filter }: Pick<EndPlanParts, 'filter'>,
  reached: readonly AccountSession[],
): readonly string[] {
  if (reached.every(({ accountId, session }) => filter.shows(accountId, session))) return [];
  return [l10n.t('The filter "{0}" is NOT applied. Sessions that it hides are included.', filter.name)];
}

/** A sentence saying that some of these sessions are the same ones, listed in several accounts; none if they aren't. */
export function countedTwice(
  { store, accounts }: Pick<EndPlanParts, 'store' | 'accounts'>,
  sessions: readonly AccountSession[],
): readonly string[] {
  const twice = [...Map.groupBy(sessions, ({ session }) => session.id)].filter(([id, its]) =>
    its.some(({ accountId: one }, index) => {
      const others = its.slice(index + 1);
      return others.some(({ accountId: two }) => isSameSession(store, id, accounts.get(one), accounts.get(two)));
    }),
  ).length;
  if (twice === 0) return [];
  return twice === 1
    ? [l10n.t('1 session is listed in several accounts and counted in each.')]
    : [l10n.t('{0} sessions are listed in several accounts and counted in each.', twice)];
}

function describe(
  parts: DescriptionParts,
  { accountId, session, shownAs = shownName(parts.store, accountId, session) }: AccountSession,
  isMine: IsMine | undefined,
): SessionDescription {
  const start = parts.store.startOf(accountId, session.id);
  const kind = kindOfAccount(parts, accountId);
  return {
    account: nameOfAccount(parts, accountId),
    provider: plainText(kind?.label ?? ''),
    ...shownAs,
    age: ageOf(parts, accountId, session.id),
    young: start?.exact === true && parts.clock.now() - start.at < youngMs,
    group: session.groupId && nameOfGroup(parts, accountId, session.groupId),
    loss: kind?.wording.ending ?? '',
    closes: session.ends === 'pages' ? (session.pages ?? []) : undefined,
    detaches: session.ends === 'connection',
    bulkEndExclusion: reasonLeftOut(parts, { accountId, session }),
    watched: parts.liveViews.isOpen(accountId, session.id),
    inUseBy: plainText(l10n.t(session.inUseBy ?? ''), 60) || undefined,
    profile: session.local?.profile?.afterEnd,
    mine: isMine?.(session),
  };
}
