import type { Clock } from '../../core/clock.ts';
import type { AccountId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { EndingTerms, Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { isSame, type Session, stillRuns } from '../../core/session.ts';
import type { Connections } from '../connections.ts';
import type { Refresher } from '../refresher.ts';
import { type Absence, isListed, isSecond, type SessionStore, troubleOf } from '../sessionStore.ts';
import { type Probed, probe } from './probe.ts';
import { neverAborted } from './request.ts';

/** What looking works with. */
export interface LookParts {
  readonly store: SessionStore;
  readonly refresher: Refresher;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whose sessions are looked for, and with what. */
export interface LookedAt {
  readonly accountId: AccountId;
  readonly terms: EndingTerms;
  /** @throws ProviderError `cancelled` where another key, or none, has taken the place of the one it began with. */
  readonly connection: () => Promise<Provider>;
}

/** A session of which it is to be proven that it is gone. */
export interface Sought {
  readonly session: Session;
  /** Whether the last list was complete and has left it out, and no probe has said since that it runs. */
  absent: boolean;
}

/** What a look has shown. */
export interface Look<S extends Sought> {
  /** Proven gone; the store has taken it off its list. */
  readonly gone: ReadonlySet<S>;
  /** Why no list could be had. */
  readonly blind: ProviderError | undefined;
  /** Whether none will be had, either. */
  readonly cutOff: boolean;
  /** What went wrong with the questions about single sessions, where a complete list had left them out. */
  readonly failures: Probed['failures'];
}

/** What questions about single sessions have shown. */
interface Asked<S extends Sought> {
  readonly gone: readonly S[];
  readonly failures: Probed['failures'];
}

/** Looks which sessions are gone: by a complete list that begins now, else by asking for each. Never rejects. */
export async function look<S extends Sought>(parts: LookParts, at: LookedAt, sought: readonly S[]): Promise<Look<S>> {
  const { store, refresher, clock } = parts;
  const { accountId, terms } = at;
  const began = clock.now();
  await refresher.refresh(accountId);
  let provider: Provider;
  try {
    provider = await at.connection();
  } catch (error) {
    const blind = ProviderError.from(error);
    return { gone: new Set(), blind, cutOff: blind.trouble.kind === 'cancelled', failures: new Map() };
  }
  const state = store.state(accountId);
  const isWhole = isListed(state) && state.asOf >= began;
  const complete = isWhole && !state.contents.faults.some(({ unnamed }) => unnamed === true);
  let gone: readonly S[];
  let failures: Probed['failures'] = new Map();
  if (complete) {
    const unproven = store.unproven(accountId);
    const listed = ({ id }: Session) => (unproven.has(id) ? undefined : store.session(accountId, id));
    for (const one of sought) {
      const found = listed(one.session);
      one.absent = !isSame(one.session, found) || !stillRuns(one.session, found);
    }
    const absent = sought.filter((one) => one.absent);
    if (terms.proof === 'probe') ({ gone, failures } = await ask(parts, accountId, provider, absent));
    else {
      const isLeftOut = ({ session }: S) => isProvenByLists(terms.proof, unproven.get(session.id), began);
      ({ gone, failures } = await doubted(parts, at, provider, absent.filter(isLeftOut)));
    }
  } else {
    for (const one of sought) one.absent = false;
    ({ gone } = await ask(parts, accountId, provider, sought));
  }
  if (!complete || terms.proof !== 'list') {
    const proven = gone.map(({ session }) => session);
    const itsOwn = proven.filter((session) => isSame(session, store.session(accountId, session.id)));
    store.removeProven(
      accountId,
      itsOwn.map(({ id }) => id),
    );
  }
  const blind = complete ? undefined : ((state && troubleOf(state)) ?? (isWhole ? unreadable() : givenUp()));
  return { gone: new Set(gone), blind, cutOff: false, failures };
}

/**
 * Of sessions that enough lists have left out, those that the vendor does not say to run all the same. Where a second list
 * was wanted, each is asked for, however many: lists may be behind the times for all of them at once. Where questions
 * were broken off, what was not told of waits for the next look.
 */
async function doubted<S extends Sought>(
  parts: LookParts,
  { accountId, terms }: LookedAt,
  provider: Provider,
  absent: readonly S[],
): Promise<Asked<S>> {
  if (terms.proof === 'list') return { gone: absent, failures: new Map() };
  const runs = parts.store.unproven(accountId);
  const wereKnown = new Set(absent.filter(({ session }) => runs.get(session.id)?.runs === true));
  const { gone, told, error, failures } = await ask(parts, accountId, provider, absent);
  const proven = new Set(gone);
  const isLeft = ({ session }: S) => error !== undefined && !told.has(session.id);
  const isGone = (one: S) => proven.has(one) || (one.absent && !wereKnown.has(one) && !isLeft(one));
  return { gone: absent.filter(isGone), failures };
}

/** Asks for each. One that the vendor says to run is not absent, whatever a list leaves out. */
async function ask<S extends Sought>(
  { clock, connections, logger, store }: LookParts,
  accountId: AccountId,
  provider: Provider,
  sought: readonly S[],
): Promise<Asked<S> & Pick<Probed, 'told' | 'error'>> {
  const sessions = sought.map(({ session }) => session);
  const window = () => connections.rateWindow(accountId);
  const options = { clock, logger, stop: neverAborted, most: sessions.length, window };
  const { gone, told, error, failures } = await probe(provider, sessions, options);
  store.learn(accountId, told);
  for (const one of sought) if (told.get(one.session.id) === 'running') one.absent = false;
  return { gone: sought.filter(({ session }) => gone.has(session.id)), told, error, failures };
}

/** Whether lists have proven a session gone, the last of which began at `began` and has left it out. */
function isProvenByLists(proof: EndingTerms['proof'], absence: Absence | undefined, began: number): boolean {
  // Without an absence its row is gone: somebody else has had the proof.
  return proof === 'list' || absence === undefined || isSecond(absence, began);
}

function givenUp(): ProviderError {
  return new ProviderError({ kind: 'cancelled' }, 'the list was given up');
}

function unreadable(): ProviderError {
  const what = 'a row of its list does not tell which session it is about';
  return new ProviderError({ kind: 'unexpectedAnswer', what }, what);
}
