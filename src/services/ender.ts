import { type Clock, sleep } from '../core/clock.ts';
import type { GroupDeletion } from '../core/group.ts';
import type { AccountId, GroupId, SessionId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { Provider } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import { type Session, stillRuns } from '../core/session.ts';
import type { Accounts } from './accounts.ts';
import type { Connections } from './connections.ts';
import type { Refresher } from './refresher.ts';
import { type Life, type SessionStore, type StuckReason, troubleOf } from './sessionStore.ts';

/** A session to be ended, as the person saw it when they confirmed. */
export interface EndTarget {
  readonly accountId: AccountId;
  readonly session: Session;
}

/**
 * What became of one session. `ended` and `alreadyGone` are proven: it is absent from a complete list that began after
 * the request, or a probe found it gone. `stuck` was taken by the vendor and is not gone; `failed` was not taken;
 * `cancelled` was never sent.
 */
export type EndOutcomeKind = 'ended' | 'alreadyGone' | 'failed' | 'stuck' | 'cancelled';

/** One session's line in an {@link EndReport}. */
export interface EndResult {
  readonly accountId: AccountId;
  readonly session: Session;
  readonly outcome: EndOutcomeKind;
  /** Set for `failed` and `stuck`. */
  readonly why: StuckReason | undefined;
}

/** One result for each session that was asked for, in no particular order. */
export interface EndReport {
  readonly results: readonly EndResult[];
}

/** What became of a group that was to be deleted, and of the sessions that ran in it. */
export interface GroupReport extends EndReport {
  /** What the vendor answered, or the error in its place. */
  readonly answer: GroupDeletion | ProviderError;
}

/** How an end is watched and stopped. */
export interface EndOptions {
  /** Aborting it keeps what is not sent yet from being sent; what is under way is waited for. */
  readonly stop: AbortSignal;
  /** Called whenever one more session is settled. */
  readonly onProgress: (settled: number, total: number) => void;
}

/** What the ender works with. */
export interface EnderOptions {
  readonly store: SessionStore;
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly refresher: Refresher;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Most end requests under way for one account. */
const concurrency = 4;
/** When to look again whether sessions are gone, in milliseconds after the look before: half a minute in all. */
const looks = [0, 1_000, 2_000, 4_000, 8_000, 15_000];
/** How many of these looks are worth it after a request whose fate is not known. */
const looksAfterFault = 3;
const probeTimeoutMs = 10_000;

/** What is known of a session after its end was sent, or was not. */
type Sent =
  | { readonly kind: 'taken'; readonly alreadyGone: boolean }
  /** It may have had its effect all the same: only looking tells. */
  | { readonly kind: 'unclear'; readonly why: StuckReason }
  /** It had no effect. */
  | { readonly kind: 'refused'; readonly why: StuckReason }
  | { readonly kind: 'notSent' };

/** Ends sessions and proves it. Only what it is handed is ever ended, one by one, and each at most once. */
export class Ender {
  readonly #options: EnderOptions;

  constructor(options: EnderOptions) {
    this.#options = options;
  }

  /** Ends exactly these sessions. Accounts do not wait for each other. Never rejects. */
  async end(targets: readonly EndTarget[], { stop, onProgress }: EndOptions): Promise<EndReport> {
    const byAccount = new Map<AccountId, Map<SessionId, Session>>();
    for (const { accountId, session } of targets) {
      const sessions = byAccount.get(accountId) ?? new Map<SessionId, Session>();
      byAccount.set(accountId, sessions.set(session.id, session));
    }
    const total = [...byAccount.values()].reduce((sum, { size }) => sum + size, 0);
    let settled = 0;
    const onSettled = () => onProgress(++settled, total);
    const results = await Promise.all(
      [...byAccount].map(([id, sessions]) => this.#endInAccount(id, [...sessions.values()], stop, onSettled)),
    );
    return { results: results.flat() };
  }

  /** Uses the vendor's one call, once, and then looks what became of the sessions that were listed. Never rejects. */
  async endEverything(accountId: AccountId): Promise<EndReport> {
    const run = await this.#begin(accountId, () => true);
    const sent = await run.send(async (provider) => {
      if (provider.endEverything === undefined) throw unsupported('ending everything at once');
      await provider.endEverything(neverAborted);
      return { kind: 'taken', alreadyGone: false };
    });
    return { results: await this.#settle(run, () => sent) };
  }

  /** Has the vendor delete a group, once, and then looks what became of its sessions. Never rejects. */
  async deleteGroup(accountId: AccountId, group: GroupId): Promise<GroupReport> {
    let answer: GroupDeletion | undefined;
    const run = await this.#begin(accountId, ({ groupId }) => groupId === group);
    const sent = await run.send(async (provider) => {
      if (provider.deleteGroup === undefined) throw unsupported('deleting a batch');
      answer = await provider.deleteGroup(group, neverAborted);
      return { kind: 'taken', alreadyGone: false };
    });
    const refused = new Map(answer?.failures.map(({ sessionId, reason }) => [sessionId, reason]));
    const results = await this.#settle(run, ({ id }) => {
      const said = refused.get(id);
      return said === undefined ? sent : { kind: 'unclear', why: { kind: 'notDeleted', said } };
    });
    return { answer: answer ?? errorIn(sent), results };
  }

  async #endInAccount(
    accountId: AccountId,
    confirmed: readonly Session[],
    stop: AbortSignal,
    onSettled: () => void,
  ): Promise<EndResult[]> {
    const { store } = this.#options;
    const known = store.state(accountId) !== undefined;
    const listed = confirmed.filter(({ id }) => store.session(accountId, id) !== undefined);
    const missing = confirmed.filter((session) => !listed.includes(session));
    const results = missing.map((session): EndResult => {
      onSettled();
      if (known) return { accountId, session, outcome: 'alreadyGone', why: undefined };
      return { accountId, session, outcome: 'failed', why: { kind: 'failed', error: accountRemoved() } };
    });

    const run = await this.#begin(accountId, listed);
    const sent = new Map<SessionId, Sent>();
    await inParallel(listed, async (session) => {
      if (stop.aborted) return;
      const fate = await run.send(async (provider) => {
        const outcome = await provider.end(session, neverAborted);
        return { kind: 'taken', alreadyGone: outcome === 'alreadyGone' };
      });
      sent.set(session.id, fate);
    });
    return [...results, ...(await this.#settle(run, ({ id }) => sent.get(id) ?? { kind: 'notSent' }, onSettled))];
  }

  /** Marks the sessions as ending and holds on to the connection with which all of it is to be done and proven. */
  async #begin(accountId: AccountId, which: readonly Session[] | ((session: Session) => boolean)): Promise<Run> {
    const { store, connections, clock } = this.#options;
    const listed = [...(store.state(accountId)?.contents.sessions.values() ?? [])];
    const sessions = typeof which === 'function' ? listed.filter(which) : which;
    store.setLife(accountId, sessions.map(idOf), { kind: 'ending', since: clock.now() });
    let provider: Provider | ProviderError;
    try {
      provider = await connections.open(accountId);
    } catch (error) {
      provider = ProviderError.from(error);
    }
    /** Another key lists other sessions: what it does not list is proof of nothing. */
    const connection = async (): Promise<Provider> => {
      if (provider instanceof Error) throw provider;
      if ((await connections.open(accountId)) !== provider) throw keyReplaced();
      return provider;
    };
    return {
      accountId,
      sessions,
      connection,
      send: async (call) => {
        try {
          return await call(await connection());
        } catch (error) {
          return fateOf(ProviderError.from(error));
        }
      },
    };
  }

  /** Looks until every session is proven gone or the looks are used up, and puts the outcome on each row. */
  async #settle(run: Run, fate: (session: Session) => Sent, onSettled: () => void = () => {}): Promise<EndResult[]> {
    const { store, clock } = this.#options;
    const { accountId } = run;
    const results: EndResult[] = [];
    const settle = (session: Session, outcome: EndOutcomeKind, why?: StuckReason) => {
      const result: EndResult = { accountId, session, outcome, why };
      results.push(result);
      this.#audit(result);
      const life: Life = why === undefined ? { kind: 'running' } : { kind: 'stuck', since: clock.now(), why };
      store.setLife(accountId, [session.id], life);
      onSettled();
    };

    let open = run.sessions.filter((session) => {
      const sent = fate(session);
      if (sent.kind === 'notSent') settle(session, 'cancelled');
      else if (sent.kind === 'refused') settle(session, 'failed', sent.why);
      else return true;
      return false;
    });
    let blind: ProviderError | undefined;
    for (const [index, pause] of looks.entries()) {
      if (open.length === 0) break;
      await sleep(clock, pause, neverAborted);
      const look = await this.#look(run, open);
      blind = look.blind;
      open = open.filter((session) => {
        const sent = fate(session);
        if (look.gone.has(session))
          settle(session, sent.kind === 'taken' && sent.alreadyGone ? 'alreadyGone' : 'ended');
        else if (sent.kind === 'unclear' && blind === undefined && index + 1 >= looksAfterFault) {
          settle(session, 'failed', sent.why);
        } else return true;
        return false;
      });
    }
    for (const session of open) {
      const sent = fate(session);
      if (blind !== undefined) settle(session, 'stuck', { kind: 'unproven', error: blind });
      else if (sent.kind === 'unclear') settle(session, 'failed', sent.why);
      else settle(session, 'stuck', { kind: 'stillListed' });
    }
    return results;
  }

  /**
   * Looks which sessions are gone: by a complete list that begins now, else by asking for each. `blind` says why no
   * list could be had.
   */
  async #look(run: Run, sessions: readonly Session[]): Promise<{ gone: ReadonlySet<Session>; blind?: ProviderError }> {
    const { store, refresher, clock } = this.#options;
    const { accountId, connection } = run;
    const began = clock.now();
    await refresher.refresh(accountId);
    let provider: Provider;
    try {
      provider = await connection();
    } catch (error) {
      return { gone: new Set(), blind: ProviderError.from(error) };
    }
    const state = store.state(accountId);
    if (state === undefined) return { gone: new Set(), blind: accountRemoved() };
    if (state.kind === 'ready' && state.trouble === undefined && state.asOf >= began) {
      return { gone: new Set(sessions.filter((session) => !stillRuns(session, store.session(accountId, session.id)))) };
    }
    const gone = await this.#probe(provider, sessions);
    store.removeProven(accountId, [...gone].map(idOf));
    return { gone, blind: troubleOf(state) ?? new ProviderError({ kind: 'cancelled' }, 'the list was given up') };
  }

  async #probe(provider: Provider, sessions: readonly Session[]): Promise<ReadonlySet<Session>> {
    const gone = new Set<Session>();
    await inParallel(sessions, async (session) => {
      try {
        if ((await provider.probe(session, AbortSignal.timeout(probeTimeoutMs))) === 'gone') gone.add(session);
      } catch (error) {
        this.#options.logger.debug(`a probe failed: ${ProviderError.from(error).message}`);
      }
    });
    return gone;
  }

  #audit({ accountId, session, outcome, why }: EndResult): void {
    const { accounts, logger } = this.#options;
    const reason = why !== undefined && 'error' in why ? `: ${why.error.message}` : '';
    logger.info(`end ${accounts.get(accountId)?.label ?? accountId} ${session.id}: ${outcome}${reason}`);
  }
}

/** One account's part of an end, bound to the connection that it began with. */
interface Run {
  readonly accountId: AccountId;
  readonly sessions: readonly Session[];
  /** @throws ProviderError once the account's key has become another. */
  connection(): Promise<Provider>;
  send(call: (provider: Provider) => Promise<Sent>): Promise<Sent>;
}

/** An end that was sent is never called back. */
const neverAborted = new AbortController().signal;

const idOf = ({ id }: Session): SessionId => id;

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}

function accountRemoved(): ProviderError {
  return new ProviderError({ kind: 'cancelled' }, 'the account was removed meanwhile');
}

function keyReplaced(): ProviderError {
  return new ProviderError({ kind: 'cancelled' }, 'the account’s key was replaced meanwhile');
}

function unsupported(what: string): ProviderError {
  return new ProviderError({ kind: 'unsupported', what }, `the provider does not know ${what}`);
}

function errorIn(sent: Sent): ProviderError {
  if ('why' in sent && 'error' in sent.why) return sent.why.error;
  return unsupported('deleting a batch');
}

/** Whether a request that failed may have had its effect all the same. */
function fateOf(error: ProviderError): Sent {
  const why = { kind: 'failed', error } as const;
  switch (error.trouble.kind) {
    case 'timedOut':
    case 'serverFault':
    case 'unexpectedAnswer':
    case 'conflict':
    case 'notFound':
      return { kind: 'unclear', why };
    case 'unreachable':
      return { kind: error.trouble.why === 'cut' || error.trouble.why === 'route' ? 'unclear' : 'refused', why };
    case 'cancelled':
    case 'unauthorized':
    case 'forbidden':
    case 'rateLimited':
    case 'unsupported':
      return { kind: 'refused', why };
  }
}
