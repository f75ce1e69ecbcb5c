import { isRecent } from '../../core/clock.ts';
import type { GroupDeletion } from '../../core/group.ts';
import { mostConnections } from '../../core/http.ts';
import { type AccountId, type GroupId, isRandomId, type SessionId } from '../../core/ids.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import { type Provider, usualEnding } from '../../core/provider.ts';
import type { ProviderError } from '../../core/providerError.ts';
import { isSame, type Session } from '../../core/session.ts';
import type { Refresher } from '../sessions/refresher.ts';
import type { StuckReason } from '../sessions/sessionsView.ts';
import { AccountEnd, type EndCounts, type EndingParts, type PendingEnd } from './accountEnd.ts';
import { confirmEnds } from './confirm.ts';
import type { EndJournal } from './journal.ts';
import { firstOnOneConnection } from './pace.ts';
import { AccountQueue, mostFailedLists, type WhyUnsure } from './queue.ts';
import type { AccountSession, AskedReport, EndOptions, EndReport, EndResult, GroupReport } from './report.ts';
import {
  accountRemoved,
  errorOf,
  keyReplaced,
  type Sent,
  sentBy,
  startedLater,
  unreadableRow,
  unsupported,
  wantsLess,
} from './request.ts';

/** What {@link Ender} needs. */
export interface EnderOptions extends EndingParts {
  readonly refresher: Refresher;
  readonly journal: EndJournal;
}

/** How old a list may be, in milliseconds, before an end is sent to a provider that may reuse ids. */
const freshMs = 5_000;

/** Ends sessions and confirms that they are gone. It only ends the sessions it is given, one by one. */
export class Ender {
  readonly #options: EnderOptions;
  /** The queues of accounts with end operations in progress, and how many operations use each. */
  readonly #queues = new Map<AccountId, { readonly queue: AccountQueue; users: number }>();

  constructor(options: EnderOptions) {
    this.#options = options;
  }

  /** Ends exactly these sessions. Accounts don't wait for each other. Never rejects. */
  async end(targets: readonly AccountSession[], { stop, onProgress, generations }: EndOptions): Promise<EndReport> {
    const byAccount = new Map<AccountId, Map<SessionId, AccountSession>>();
    for (const target of targets) {
      const its = byAccount.get(target.accountId) ?? new Map<SessionId, AccountSession>();
      byAccount.set(target.accountId, its.set(target.session.id, target));
    }
    // Read before anything is waited for.
    const { connections } = this.#options;
    const meant = [...byAccount].map(([id, its]) => {
      return { id, its: [...its.values()], generation: generations?.get(id) ?? connections.generation(id) };
    });
    const total = [...byAccount.values()].reduce((sum, { size }) => sum + size, 0);
    const entry = await this.#options.journal.begin(targets);
    let [sent, settled] = [0, 0];
    const progress = {
      sent: () => onProgress({ total, sent: ++sent, settled }),
      settled: (account: AccountId, session: SessionId) => {
        entry.settle(account, session);
        onProgress({ total, sent, settled: ++settled });
      },
    };
    const results = await Promise.all(
      meant.map(({ id, its, generation }) => this.#endInAccount(id, its, generation, stop, progress)),
    );
    await entry.finish();
    return { results: results.flat() };
  }

  /**
   * Calls the provider's "end everything" once, then checks what happened to the listed sessions. Never rejects.
   * @param generation the one in which the user confirmed it, here as below; see `Connections.generation`.
   */
  async endEverything(accountId: AccountId, generation = this.#generation(accountId)): Promise<AskedReport> {
    // The call doesn't reach the others, such as sessions of other keys.
    const sessions = this.#listed(accountId).filter(({ bulkEndExclusion }) => bulkEndExclusion === undefined);
    const { store, evidence } = this.#options;
    await this.#relist(accountId);
    const { results, sent } = await this.#ask(accountId, generation, sessions, async (provider) => {
      if (provider.endEverything === undefined) throw unsupported('end everything at once');
      const missing = new Set(store.missing(accountId));
      await provider.endEverything(neverAborted);
      // It only reached one of several servers.
      if (evidence.isCombined(accountId)) return;
      for (const { id } of sessions) evidence.addAcceptedEnd(accountId, id, false, !missing.has(id));
    });
    return { results, error: errorOf(sent) };
  }

  /** Has the provider delete a group, once, then checks what happened to its sessions. Never rejects. */
  async deleteGroup(
    accountId: AccountId,
    group: GroupId,
    generation = this.#generation(accountId),
  ): Promise<GroupReport> {
    let answer: GroupDeletion | undefined;
    let refused: ReadonlyMap<string, string> = new Map();
    const { results, sent } = await this.#ask(
      accountId,
      generation,
      this.#membersOf(accountId, group),
      async (provider) => {
        if (provider.deleteGroup === undefined) throw unsupported('delete a batch');
        answer = await provider.deleteGroup(group, neverAborted);
        refused = new Map(answer.failures.map(({ sessionId, reason }) => [sessionId, reason]));
      },
      ({ id }) => refused.get(id),
    );
    return { answer: answer ?? errorOf(sent) ?? unsupported('delete a batch'), results };
  }

  /** Has the provider cancel a group, once, then checks what happened to its sessions. Never rejects. */
  async cancelGroup(
    accountId: AccountId,
    group: GroupId,
    generation = this.#generation(accountId),
  ): Promise<AskedReport> {
    const members = this.#membersOf(accountId, group);
    const { results, sent } = await this.#ask(accountId, generation, members, async (provider) => {
      if (provider.cancelGroup === undefined) throw unsupported('cancel a batch');
      await provider.cancelGroup(group, neverAborted);
    });
    return { results, error: errorOf(sent) };
  }

  /**
   * Sends one request for many sessions, once, and checks what happened to each. It is never sent again: if its answer
   * is lost, each session is checked instead.
   * @param reasonFor what the provider said about a session that it couldn't end, if anything.
   */
  async #ask(
    accountId: AccountId,
    generation: number,
    sessions: readonly Session[],
    call: (provider: Provider) => Promise<void>,
    reasonFor: (session: Session) => string | undefined = () => undefined,
  ): Promise<{ readonly results: readonly EndResult[]; readonly sent: Sent }> {
    const entry = await this.#options.journal.begin(sessions.map((session) => ({ accountId, session })));
    const counts: EndCounts = this.#queues.get(accountId)?.queue.counts ?? new Map();
    const targets = sessions.map((session) => ({ session }));
    const onSettled = (id: SessionId) => entry.settle(accountId, id);
    const end = await AccountEnd.begin(this.#options, accountId, targets, counts, onSettled, generation);
    const sent = await sentBy(end.connection, async (provider) => {
      await call(provider);
      return { kind: 'taken', alreadyGone: false, how: undefined, said: undefined };
    });
    for (const pending of end.pending) {
      const said = reasonFor(pending.session);
      pending.sent = said === undefined ? sent : { kind: 'unclear', why: { kind: 'notDeleted', said } };
    }
    await confirmEnds(this.#options, end, undefined);
    end.finish();
    await entry.finish();
    return { results: end.results, sent };
  }

  #generation(accountId: AccountId): number {
    return this.#options.connections.generation(accountId);
  }

  #membersOf(accountId: AccountId, group: GroupId): readonly Session[] {
    return this.#listed(accountId).filter(({ groupId }) => groupId === group);
  }

  #listed(accountId: AccountId): readonly Session[] {
    return [...(this.#options.store.state(accountId)?.contents.sessions.values() ?? [])];
  }

  async #endInAccount(
    accountId: AccountId,
    confirmed: readonly AccountSession[],
    generation: number,
    stop: AbortSignal,
    progress: { readonly sent: () => void; readonly settled: (account: AccountId, session: SessionId) => void },
  ): Promise<EndResult[]> {
    const { store } = this.#options;
    const confirmedAt = this.#options.clock.now();
    await this.#relist(accountId);
    // A session that ended since, or whose id belongs to another session now, isn't there to be ended.
    const isThere = ({ session, unlisted }: AccountSession) =>
      isSame(session, store.session(accountId, session.id) ?? (unlisted === true ? session : undefined));
    const there = new Set(confirmed.filter(isThere));
    const missing = confirmed.flatMap((target) => {
      const { session } = target;
      return there.has(target) ? [] : [{ session, error: this.#whyMissing(accountId, session.id) }];
    });
    const queue = await this.#enterQueue(accountId);
    const onSettled = (id: SessionId) => progress.settled(accountId, id);
    const end = await AccountEnd.begin(this.#options, accountId, [...there], queue.counts, onSettled, generation);
    try {
      for (const { session, error } of missing) {
        const why: StuckReason | undefined = error && { kind: 'failed', error };
        progress.sent();
        end.record(session, why ? 'failed' : 'alreadyGone', why);
      }
      const whyUnsure = end.terms.mayReuseIds === true ? this.#whyUnsure(accountId, confirmedAt) : undefined;
      await queue.send(end, end.pending, stop, progress.sent, whyUnsure);
      const send = (again: readonly PendingEnd[]) => queue.send(end, again, stop, () => {}, whyUnsure);
      await confirmEnds(this.#options, end, { stop, send });
    } finally {
      end.finish();
      queue.leave(end);
      this.#leaveQueue(accountId);
    }
    return end.results;
  }

  /**
   * Lists an account again before ends are sent, where ids may be reused or where a list may come from one of several
   * workers: later lists are compared with what all workers have now. If that fails and ids may be reused, it's listed before
   * each end.
   */
  async #relist(accountId: AccountId): Promise<void> {
    const { store, connections, refresher } = this.#options;
    const state = store.state(accountId);
    // An account that can't be connected to is reported with each end.
    const provider = await connections.open(accountId).catch(() => undefined);
    if (state === undefined || provider === undefined) return;
    const { lists, mayReuseIds = false } = provider.ending;
    const isListed = state.kind === 'ready';
    const isOld = !this.#isFresh(accountId);
    const isNeeded = isListed && (lists === 'partial' || (lists === 'complete' && isOld));
    if (isNeeded || (isOld && mayReuseIds)) await refresher.refresh(accountId, { thorough: true });
  }

  /**
   * Says, right before the end of a session is sent, why it can't be compared: another one may have its id by now, and other
   * extensions' providers don't compare it themselves. The account is listed again if others have taken long or a rate limit was
   * waited for. Once several lists in a row have failed, no further one is requested.
   */
  #whyUnsure(accountId: AccountId, confirmedAt: number): WhyUnsure {
    let failed: readonly ProviderError[] = [];
    return async (session) => {
      if (!hasStart(session)) return undefined;
      if (!this.#isFresh(accountId, confirmedAt)) {
        if (failed.length >= mostFailedLists) return failed.at(-1);
        const result = await this.#options.refresher.refresh(accountId, { thorough: true });
        if (result.kind === 'failed') {
          // Ends that are sent at the same time share a list.
          if (!wantsLess(result.trouble) && !failed.includes(result.trouble)) failed = [...failed, result.trouble];
          return result.trouble;
        }
        failed = [];
      }
      return this.#whyUnread(accountId, session.id);
    };
  }

  /** The reason why the last list doesn't show which session has an ID, although it may have one; undefined if it does. */
  #whyUnread(accountId: AccountId, id: SessionId): ProviderError | undefined {
    const isUnread = this.#options.store.state(accountId)?.contents.unread?.has(id) === true;
    return isUnread ? unreadableRow() : undefined;
  }

  /** Whether the last list is recent: when it began, or when it was complete, if it's newer than the confirmation. */
  #isFresh(accountId: AccountId, confirmedAt = Number.POSITIVE_INFINITY): boolean {
    const { store, clock } = this.#options;
    const state = store.state(accountId);
    if (state?.kind !== 'ready') return false;
    return isRecent(state.began >= confirmedAt ? state.asOf : state.began, clock.now(), freshMs);
  }

  /** The reason a confirmed session isn't there; undefined if it has ended, or another session has its ID. */
  #whyMissing(accountId: AccountId, id: SessionId): ProviderError | undefined {
    const { store } = this.#options;
    if (store.state(accountId) === undefined) return accountRemoved();
    if (store.session(accountId, id) === undefined) return store.hasEnded(accountId, id) ? undefined : keyReplaced();
    return isRandomId(id) ? startedLater() : undefined;
  }

  async #enterQueue(accountId: AccountId): Promise<AccountQueue> {
    const { connections } = this.#options;
    const provider = await connections.open(accountId).catch(() => undefined);
    const terms = provider?.ending ?? usualEnding;
    const mostInFlight = () => terms.mostInFlight ?? connections.concurrency(accountId) ?? mostConnections;
    const window = () => connections.rateWindow(accountId);
    const hasOneConnection = connections.concurrency(accountId) !== undefined;
    const first = terms.startsAtMost === true ? mostInFlight() : hasOneConnection ? firstOnOneConnection : undefined;
    const known = this.#queues.get(accountId) ?? {
      queue: new AccountQueue(this.#options, mostInFlight, window, first),
      users: 0,
    };
    known.users++;
    this.#queues.set(accountId, known);
    return known.queue;
  }

  #leaveQueue(accountId: AccountId): void {
    const known = this.#queues.get(accountId);
    if (known !== undefined && --known.users === 0) this.#queues.delete(accountId);
  }
}

/** Whether a later list can tell a session from another one that has its ID. */
function hasStart({ startedAt }: Session): boolean {
  return startedAt !== undefined;
}
