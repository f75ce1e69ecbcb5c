import { sleep } from '../../core/clock.ts';
import { type AccountId, isRandomId, type SessionId } from '../../core/ids.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import type { Provider } from '../../core/provider.ts';
import { canceled, ProviderError } from '../../core/providerError.ts';
import { isSame, type Session, stillRuns } from '../../core/session.ts';
import type { Refresher } from '../sessions/refresher.ts';
import { checkMissing, type MissingParts } from './checkMissing.ts';
import type { AccountSession } from './report.ts';
import { unreadableRow } from './request.ts';
import type { Verdict } from './verification.ts';

/** What {@link verify} needs. */
export interface VerifierParts extends MissingParts {
  readonly refresher: Refresher;
}

/** The result of {@link verify}. */
export interface Verification {
  readonly verdicts: ReadonlyMap<SessionId, Verdict>;
  /** The reason there is no complete list. All verdicts are then `unknown`. */
  readonly trouble: ProviderError | undefined;
  /** Whether the account was removed or got another key, so that checking again won't help. */
  readonly isCutOff: boolean;
  /** What went wrong with questions about single sessions. */
  readonly failures: ReadonlyMap<SessionId, ProviderError>;
}

/**
 * Checks whether sessions are gone: with a list that is requested now and, if that isn't enough, by asking the provider
 * about each one. If it knows no such session, the account is listed and the provider asked once more. Sessions that
 * are confirmed gone are removed from the store. Without a complete list everything is `unknown`, whatever single
 * answers say: in an outage every address answers "not found". Never rejects.
 * @param connection throws ProviderError `canceled` if the account has another key than at the start, or none.
 */
export async function verify(
  parts: VerifierParts,
  account: AccountId,
  connection: () => Promise<Provider>,
  sessions: readonly Session[],
): Promise<Verification> {
  const { evidence } = parts;
  const first = await look(parts, account, connection, sessions);
  const doubtful = sessions.filter(({ id }) => first.trouble === undefined && evidence.needsSecondAnswer(account, id));
  if (doubtful.length === 0) return first;
  const second = await look(parts, account, connection, doubtful);
  if (second.isCutOff) return second;
  const { trouble } = second;
  const failures = trouble === undefined ? second.failures : doubtful.map(({ id }) => [id, trouble] as const);
  return {
    ...first,
    verdicts: new Map([...first.verdicts, ...second.verdicts]),
    failures: new Map([...first.failures, ...failures]),
  };
}

async function look(
  parts: VerifierParts,
  account: AccountId,
  connection: () => Promise<Provider>,
  sessions: readonly Session[],
): Promise<Verification> {
  const { store, evidence, refresher } = parts;
  const result = await refresher.refresh(account, { thorough: true });
  let provider: Provider;
  try {
    provider = await connection();
  } catch (error) {
    return undecided(ProviderError.from(error));
  }
  if (result.kind === 'failed') return undecided(result.trouble);
  if (!result.complete) return undecided(unreadableRow());
  const listedNow = ({ id }: Session) => (store.missing(account).has(id) ? undefined : store.session(account, id));
  const verdicts = new Map<SessionId, Verdict>();
  const missing: Session[] = [];
  for (const session of sessions) {
    const found = listedNow(session);
    if (found === undefined) missing.push(session);
    else if (isSame(session, found) && stillRuns(session, found)) verdicts.set(session.id, 'stillRunning');
    // No other session gets a random ID: it may only have another start than before.
    else verdicts.set(session.id, !isSame(session, found) && isRandomId(found.id) ? 'unknown' : 'confirmedGone');
  }
  const asking = missing.filter(({ id }) => evidence.needsProbe(account, id));
  const { failures } = await checkMissing(parts, account, provider, asking, neverAborted, asking.length);
  for (const { id } of missing) {
    verdicts.set(id, store.hasEnded(account, id) ? 'confirmedGone' : evidence.verdict(account, id));
  }
  return { verdicts, trouble: undefined, isCutOff: false, failures };
}

/** Milliseconds before each check of a review. */
const reviewLooks = [0, 1_000, 2_000, 3_000];

/** Runs {@link verify} until every session's verdict is known, at most a few times. Never rejects. */
export async function review(
  parts: VerifierParts,
  account: AccountId,
  connection: () => Promise<Provider>,
  sessions: readonly Session[],
): Promise<Verification> {
  const unwant = parts.evidence.want(account, sessions);
  try {
    let latest = undecided(canceled('looking'));
    for (const wait of reviewLooks) {
      await sleep(parts.clock, wait, neverAborted);
      latest = await verify(parts, account, connection, sessions);
      const isKnown = sessions.every(({ id }) => (latest.verdicts.get(id) ?? 'unknown') !== 'unknown');
      if (latest.trouble !== undefined || isKnown) break;
    }
    return latest;
  } finally {
    unwant();
  }
}

/** {@link review} of one session, with the key its account has now. Never rejects. */
export async function reviewOne(
  parts: VerifierParts,
  { accountId: account, session, unlisted }: AccountSession,
): Promise<Verdict> {
  // Whatever has its ID now is meant, not the session that had it and ended.
  if (unlisted === true) parts.store.forgetEnd(account, session.id);
  const { verdicts } = await review(parts, account, () => parts.connections.open(account), [session]);
  return verdicts.get(session.id) ?? 'unknown';
}

function undecided(trouble: ProviderError): Verification {
  const isCutOff = trouble.trouble.kind === 'canceled';
  return { verdicts: new Map(), trouble, isCutOff, failures: new Map() };
}
