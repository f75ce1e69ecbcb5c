import { sleep } from '../../core/clock.ts';
import type { SessionId } from '../../core/ids.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { AccountEnd, PendingEnd } from './accountEnd.ts';
import { mostAttempts, neverAborted, stillRunning, wasGoneBefore } from './request.ts';
import type { Verdict } from './verification.ts';
import { type VerifierParts, verify } from './verifier.ts';

/** When to look again whether sessions are gone, in milliseconds after the look before; the last one repeats. */
const looks = [0, 1_000, 2_000, 4_000, 8_000];
/** The longest pause while sessions of one of several workers are missing from lists and not confirmed gone yet. */
const roundsApartMs = 500;
/** How many looks are worth it after a request whose effect isn't known and that isn't sent again. */
const looksAfterFault = 3;
/** How often the end of a session is sent at most where several workers share an address. */
const mostAttemptsAtWorkers = 80;

/** Sends ends once more. */
export interface Resend {
  readonly stop: AbortSignal;
  readonly send: (pending: readonly PendingEnd[]) => Promise<void>;
}

/**
 * Looks until every session is confirmed gone or its time is up, and settles each. Sends ends again whose effect wasn't
 * known, to sessions that a look showed to be running, where it may.
 */
export async function confirmEnds(parts: VerifierParts, end: AccountEnd, again: Resend | undefined): Promise<void> {
  const { clock, evidence } = parts;
  const { accountId, terms } = end;
  let open = end.pending.filter((pending) => {
    if (pending.sent.kind === 'notSent') end.settle(pending, 'cancelled');
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
  // Requests may take long, too: a worker that doesn't answer must not keep the others waiting for ever.
  const isHurrying = () => evidence.isCombined(accountId) && clock.monotonic() - began < terms.withinMs;
  const mayResend = ({ sent, attempts }: PendingEnd, look: number) => {
    if (again === undefined || again.stop.aborted) return false;
    if (sent.kind !== 'unclear') return isHurrying() && attempts < mostAttemptsAtWorkers;
    // Of the several attempts at the workers only one may have failed, and looks bound those, too.
    return 'error' in sent.why && (attempts < mostAttempts || (isHurrying() && look < looksAfterFault));
  };
  // Counted, and not read off a clock: a machine may sleep in between.
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
        end.settle(pending, wasGoneBefore(sent) ? 'alreadyGone' : 'ended');
        return false;
      }
      if (verdict !== 'stillRunning') return true;
      if (mayResend(pending, index + 1)) repeat.push(pending);
      else if (sent.kind === 'unclear' && index + 1 >= looksAfterFault) {
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

function attemptsOf(pending: readonly PendingEnd[]): number {
  return pending.reduce((sum, { attempts }) => sum + attempts, 0);
}
