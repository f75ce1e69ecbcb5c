import type { Account } from '../../core/account.ts';
import type { AccountId } from '../../core/ids.ts';
import type { IsMine } from '../../core/ownership.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import { type Cost, costOf, totalOf } from './cost.ts';
import { type AccountState, isListed, type SessionsView, troubleOf } from './sessionsView.ts';

/** How long a session may run, or be idle, before it needs attention, in milliseconds; 0 for no limit. */
export interface SessionLimits {
  readonly ageMs: number;
  readonly idleMs: number;
}

/** A session that is over a limit. */
export interface OverLimit {
  readonly accountId: AccountId;
  readonly session: Session;
  readonly limit: 'age' | 'idle';
  /** When it started, or became idle, in epoch milliseconds; not `exact` if that may be earlier. */
  readonly since: { readonly at: number; readonly exact: boolean };
  /** Whether the account was listed recently. If not, the session may have ended long ago. */
  readonly isCurrent: boolean;
}

/** What is running in one account. */
export interface AccountOverview {
  readonly account: Account;
  readonly running: number;
  /** When its oldest session started. */
  readonly oldest: { readonly at: number; readonly exact: boolean } | undefined;
  /** How many sessions may run at once, where the provider says so. */
  readonly sessionLimit: number | undefined;
  /** What its running sessions have cost so far; see `totalOf`. */
  readonly costs: readonly Cost[];
  readonly trouble: ProviderError | undefined;
  /** When it was last listed completely, in epoch milliseconds; undefined if it never was. */
  readonly asOf: number | undefined;
}

/** What is running in all accounts. */
export interface Overview {
  readonly accounts: readonly AccountOverview[];
  readonly running: number;
  /** First those over the age limit, then those over the idle limit, the longest first. */
  readonly over: readonly OverLimit[];
  /** Accounts that couldn't be listed. */
  readonly troubled: number;
  /** When the account with the oldest list was listed; undefined if any was never listed, or there are no accounts. */
  readonly asOf: number | undefined;
}

/** The age, in milliseconds, from which a list may differ a lot from what is running now. */
export const oldListMs = 15 * 60_000;

/** What {@link overviewOf} needs. */
export interface OverviewParts {
  readonly accounts: { readonly all: readonly Account[] };
  readonly store: SessionsView;
  readonly protections: { has(account: AccountId, session: Session['id']): boolean };
  /** Whether a session is the user's own; undefined without a rule and workspace folders. */
  readonly isMine: () => IsMine | undefined;
  readonly limits: () => SessionLimits;
  /** The user's own rate for a provider's sessions, if there is one. */
  readonly ratePerHour: (provider: string) => number | undefined;
  readonly now: () => number;
}

/**
 * Sums up what is running, and finds the sessions that are over a limit. That excludes protected sessions, other people's
 * sessions, sessions that are skipped when several are ended at once, and sessions that are ending.
 */
export function overviewOf(parts: OverviewParts): Overview {
  const { accounts, store, now, limits, ratePerHour } = parts;
  const at = now();
  const { ageMs, idleMs } = limits();
  const isMine = parts.isMine();
  const over: OverLimit[] = [];
  const taken = accounts.all.flatMap((account): AccountOverview[] => {
    const state = store.state(account.id);
    if (state === undefined) return [];
    const asOf = state.kind === 'ready' ? state.asOf : undefined;
    const isCurrent = isListed(state) && at - state.asOf <= oldListMs;
    const rate = ratePerHour(account.provider);
    const costs: (Cost | undefined)[] = [];
    let oldest: AccountOverview['oldest'];
    for (const session of state.contents.sessions.values()) {
      const start = store.startOf(account.id, session.id) ?? { at, exact: false };
      if (oldest === undefined || start.at < oldest.at) oldest = start;
      costs.push(costOf(session, start.at, rate, at));
      const idleAt = store.idleSince(account.id, session.id);
      const isOld = ageMs > 0 && at - start.at >= ageMs;
      // Until the last list: what has happened since isn't known.
      const isIdle = idleMs > 0 && idleAt !== undefined && (asOf ?? at) - idleAt >= idleMs;
      if (!(isOld || isIdle) || !counts(parts, account.id, session, isMine)) continue;
      const since = isOld ? start : { at: idleAt ?? at, exact: false };
      over.push({ accountId: account.id, session, limit: isOld ? 'age' : 'idle', since, isCurrent });
    }
    return [{ account, oldest, asOf, costs: totalOf(costs), ...totals(state) }];
  });
  return {
    accounts: taken,
    running: taken.reduce((sum, { running }) => sum + running, 0),
    over: over.sort((a, b) => order[a.limit] - order[b.limit] || a.since.at - b.since.at),
    troubled: taken.filter(({ trouble }) => trouble !== undefined).length,
    asOf: taken.reduce<number | undefined>(
      (first, { asOf }) => (first === undefined || asOf === undefined ? undefined : Math.min(first, asOf)),
      taken[0]?.asOf,
    ),
  };
}

function counts(
  { store, protections }: OverviewParts,
  account: AccountId,
  session: Session,
  isMine: IsMine | undefined,
): boolean {
  return (
    session.bulkEndExclusion === undefined &&
    isMine?.(session) !== false &&
    store.life(account, session.id).kind !== 'ending' &&
    !protections.has(account, session.id)
  );
}

const order = { age: 0, idle: 1 } as const;

function totals(state: AccountState): Pick<AccountOverview, 'running' | 'sessionLimit' | 'trouble'> {
  const { sessions, account } = state.contents;
  return { running: sessions.size, sessionLimit: account?.sessionLimit, trouble: troubleOf(state) };
}
