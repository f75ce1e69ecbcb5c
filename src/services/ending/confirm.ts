import { sleep } from '../../core/clock.ts';
import type { SessionId } from '../../core/ids.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import type { ProviderError } from '../../core/providerError.ts';
import { isRecognizable } from '../../core/session.ts';
import type { AccountEnd, PendingEnd } from './accountEnd.ts';
import { errorOf, mostAttempts, type Sent, stillRunning, wasGoneBefore } from './request.ts';
import type { Verdict } from './verification.ts';
import { type VerifierParts, verify } from './verifier.ts';

/** When to check again whether sessions are gone, in milliseconds after the previous check; the last value repeats. */
const looks = [0, 1_000, 2_000, 4_000, 8_000];
/** The longest pause, in milliseconds, while sessions of one of several workers are missing but not confirmed gone. */
const roundsApartMs = 500;
/** How many checks to make after a request whose effect isn't known and that isn't sent again. */
const looksAfterFault = 3;
/** How many times the end of one session is sent at most when several workers share an address. */
const mostAttemptsAtWorkers = 80;

/** Sends ends again. */
export interface Resend {
  readonly stop: AbortSignal;
  readonly send: (pending: readonly PendingEnd[]) => Promise<void>;
}

/**
 * Checks until every session is confirmed gone or its time is up, and settles each one. If an end may not have had an
 * effect and a check shows that the session is still running, it is sent again where that is allowed.
 */
export async function confirmEnds(parts: VerifierParts, end: AccountEnd, again: Resend | undefined): Promise<void> {
  const { clock, evidence, store } = parts;
  const { accountId, terms } = end;
  let open = end.pending.filter((pending) => {
    if (pending.sent.kind === 'notSent') end.settle(pending, 'canceled');
    else if (pending.sent.kind === 'refused') end.settle(pending, 'failed', pending.sent.why);
    else return true;
    return false;
  });
  end.showOutcomes();
  const began = clock.monotonic();
  let trouble: ProviderError | undefined;
  let failures: ReadonlyMap<SessionId, ProviderError> = new Map();
  let verdicts: ReadonlyMap<SessionId, Verdict> = new Map();
  const verdictOf = ({ session }: PendingEnd): Verdict => verdicts.get(session.id) ?? 'unknown';
  // Requests may take long, too: a worker that doesn't respond must not hold up the others forever.
  const isHurrying = () => evidence.isCombined(accountId) && clock.monotonic() - began < terms.withinMs;
  const mayResend = ({ session, sent, attempts }: PendingEnd, look: number) => {
    if (again === undefined || again.stop.aborted) return false;
    if (sent.kind !== 'unclear') return isHurrying() && attempts < mostAttemptsAtWorkers;
    // It may have ended, and what is running may be another session that has its ID.
    if (isOther(sent) || !isRecognizable(session)) return false;
    // When several attempts went to the workers, perhaps only one failed. The number of checks limits these, too.
    return 'error' in sent.why && (attempts < mostAttempts || (isHurrying() && look < looksAfterFault));
  };
  // Counted, not read from a clock: the machine may sleep in between.
  let waited = 0;
  let wait = 0;
  for (let index = 0; open.length > 0; index++) {
    if (index > 0 && waited + wait > terms.withinMs) break;
    waited += wait;
    await sleep(clock, wait, neverAborted);
    const look = await verify(
      parts,
      accountId,
      end.connection,
      open.map(({ session }) => session),
    );
    ({ trouble, failures, verdicts } = look);
    if (look.isCutOff) break;
    const repeat: PendingEnd[] = [];
    open = open.filter((pending) => {
      const { sent } = pending;
      const verdict = verdictOf(pending);
      if (verdict === 'confirmedGone') {
        // Nothing was sent, and what has the ID now is listed: that it's another session is only what the provider's answers suggest.
        if (sent.kind === 'unclear' && isOther(sent) && store.session(accountId, pending.session.id) !== undefined) {
          end.settle(pending, 'failed', sent.why);
          return false;
        }
        end.settle(pending, wasGoneBefore(sent) || isOther(sent) ? 'alreadyGone' : 'ended');
        return false;
      }
      if (verdict !== 'stillRunning') return true;
      if (mayResend(pending, index + 1)) repeat.push(pending);
      else if (sent.kind === 'unclear' && (isOther(sent) || index + 1 >= looksAfterFault)) {
        end.settle(pending, 'failed', sent.why);
        return false;
      }
      return true;
    });
    end.showOutcomes();
    if (repeat.length > 0) {
      const before = attemptsOf(repeat);
      await again?.send(repeat);
      if (attemptsOf(repeat) > before && !evidence.isCombined(accountId)) waited = 0;
    }
    wait = looks[Math.min(index + 1, looks.length - 1)] ?? 0;
    const isMissing = trouble === undefined && open.some((pending) => verdictOf(pending) === 'unknown');
    if (isMissing && isHurrying()) wait = Math.min(wait, roundsApartMs);
  }
  for (const pending of open) {
    const { session, sent } = pending;
    if (verdictOf(pending) !== 'stillRunning') {
      const error = trouble ?? failures.get(session.id);
      const isCombined = error === undefined && evidence.isCombined(accountId);
      end.settle(pending, 'stuck', { kind: 'unconfirmed', error, isCombined });
    } else if (sent.kind === 'unclear' || sent.kind === 'refused') end.settle(pending, 'failed', sent.why);
    else end.settle(pending, 'stuck', stillRunning(sent));
  }
  end.showOutcomes();
}

/** Whether nothing was sent because the ID may mean another session now. That's final, because a later check may not notice it. */
function isOther(sent: Sent): boolean {
  return errorOf(sent)?.trouble.kind === 'otherSession';
}

function attemptsOf(pending: readonly PendingEnd[]): number {
  return pending.reduce((sum, { attempts }) => sum + attempts, 0);
}
