import { type Clock, deadline } from '../../core/clock.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';
import { capabilitiesOf, type Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import type { Connections } from '../accounts/connections.ts';
import type { EvidenceLog, ListAnswer } from '../ending/evidence.ts';
import { wholeRound } from '../ending/verification.ts';
import { ListBounds } from './listBounds.ts';
import type { SessionStore } from './sessionStore.ts';

/** The result of listing an account. */
export type ListResult =
  | {
      readonly kind: 'listed';
      /** When the first list was requested, in monotonic milliseconds. */
      readonly began: number;
      /** Whether every row said which session it is: if not, no session is known to be missing. */
      readonly complete: boolean;
      /** Whether anything on screen changed. */
      readonly changed: boolean;
      /** How many lists were requested: several where each may come from a different worker. */
      readonly lists: number;
      readonly provider: Provider;
    }
  | { readonly kind: 'failed'; readonly trouble: ProviderError };

/** What {@link listAccount} needs. */
export interface ListingParts {
  readonly store: SessionStore;
  readonly evidence: EvidenceLog;
  readonly connections: Connections;
  readonly clock: Clock;
}

/**
 * Milliseconds that listing an account may take, with all its pages and rounds: ends and commands wait for it. Each of a
 * list's hundreds of pages may take as long as any request.
 */
const longestListMs = 180_000;

/**
 * Lists an account once, puts the result into the store and the evidence, and removes sessions it confirms gone.
 * Where a list may come from one of several workers, a whole round is requested as soon as one differs from what is known,
 * and always where several workers are known, or when `thorough` is set.
 * @throws the signal's reason, and nothing else.
 */
export async function listAccount(
  parts: ListingParts,
  account: AccountId,
  thorough: boolean,
  signal: AbortSignal,
): Promise<ListResult> {
  const { store, evidence, connections, clock } = parts;
  const began = clock.monotonic();
  const run = store.beginList(account);
  const limit = deadline(clock, longestListMs);
  const stop = AbortSignal.any([signal, limit.signal]);
  try {
    const provider = await connections.open(account);
    const learn = () => store.setCapabilities(account, capabilitiesOf(provider));
    learn();
    /** How many sessions the server counts, where it said so with the first list. */
    let counted = 0;
    const ask = async (): Promise<ListAnswer> => {
      const began = clock.monotonic();
      const sessions = new Map<SessionId, Session>();
      const unreadable = new Set<string>();
      let complete = true;
      const bounds = new ListBounds();
      const take = (page: Inventory) => {
        run.arrive(page);
        counted = Math.max(counted, page.counted ?? 0);
        for (const session of page.sessions) sessions.set(session.id, session);
        // They count as listed, so that code that waits for their end doesn't consider them gone.
        for (const id of page.shownElsewhere?.keys() ?? []) unreadable.add(id);
        for (const { subject, unnamed } of page.faults) {
          unreadable.add(subject);
          if (unnamed === true) complete = false;
        }
      };
      for await (const page of provider.list(stop)) {
        // Before its sessions are shown, so that their menus are complete.
        learn();
        take(bounds.take(page));
      }
      const { leftOut } = bounds;
      if (leftOut.length > 0) take({ sessions: [], groups: [], faults: leftOut, account: undefined });
      return { began, ended: clock.monotonic(), sessions, unreadable, complete };
    };
    const known = new Map(store.known(account));
    const first = await ask();
    signal.throwIfAborted();
    const rounds = [[first]];
    let someFailed = false;
    if (provider.ending.lists === 'partial' || evidence.isCombined(account)) {
      // A list with unnamed rows confirms nothing, however many there are, and may be a flood.
      const isNews = !hasSameSessions(known, first) || counted > first.sessions.size;
      const isWorthMore = first.complete && (thorough || isNews);
      if (isWorthMore || evidence.isCombined(account)) {
        const others = await Promise.allSettled(Array.from({ length: wholeRound - 1 }, ask));
        stop.throwIfAborted();
        const answers = others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []));
        rounds.push(answers);
        someFailed = answers.length < others.length;
      }
    }
    const { ending } = provider;
    const shown = () => store.known(account);
    for (const answers of rounds) evidence.addLists(account, ending, { answers, someFailed }, shown().values());
    const all = rounds.flat();
    const complete = all.every((answer) => answer.complete);
    const gone = evidence.confirmedGone(account, shown().keys());
    learn();
    const changed = run.complete({ gone, complete, combined: evidence.isCombined(account) });
    evidence.keepOnly(account, shown());
    return { kind: 'listed', began, complete, changed, lists: all.length, provider };
  } catch (error) {
    signal.throwIfAborted();
    const trouble = limit.signal.aborted ? tookTooLong() : ProviderError.from(error);
    run.fail(trouble);
    return { kind: 'failed', trouble };
  } finally {
    limit.dispose();
  }
}

function tookTooLong(): ProviderError {
  const message = `the list took longer than ${longestListMs} ms`;
  return new ProviderError({ kind: 'timedOut', afterMs: longestListMs }, message);
}

function hasSameSessions(known: ReadonlyMap<SessionId, Session>, { sessions }: ListAnswer): boolean {
  return known.size === sessions.size && [...sessions.keys()].every((id) => known.has(id));
}
