import type { Clock } from '../../core/clock.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import { type EndingTerms, type Provider, usualEnding } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { isSame, type Session } from '../../core/session.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Connections } from '../accounts/connections.ts';
import type { SessionStore } from '../sessions/sessionStore.ts';
import type { Life, StuckReason } from '../sessions/sessionsView.ts';
import type { EvidenceLog } from './evidence.ts';
import type { AccountSession, EndOutcomeKind, EndResult } from './report.ts';
import { accountRemoved, keyReplaced, type Sent } from './request.ts';

/** What ending sessions needs. */
export interface EndingParts {
  readonly store: SessionStore;
  readonly evidence: EvidenceLog;
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One session whose end isn't settled yet. */
export interface PendingEnd {
  readonly session: Session;
  readonly unlisted: boolean;
  /** What is known about the last request. */
  sent: Sent;
  attempts: number;
  /** How often it wasn't sent because the list that comes first was rate limited or failed. */
  delays: number;
}

/** How many active end operations each session is part of. Its row shows the outcome of the last to settle. */
export type EndCounts = Map<SessionId, number>;

/** One account's part of an end operation, bound to the connection it started with. */
export class AccountEnd {
  readonly accountId: AccountId;
  readonly terms: EndingTerms;
  readonly pending: readonly PendingEnd[];
  readonly results: EndResult[] = [];
  readonly #parts: EndingParts;
  readonly #provider: Provider | ProviderError;
  readonly #generation: number;
  readonly #counts: EndCounts;
  readonly #onSettled: (session: SessionId) => void;
  readonly #began: number;
  readonly #unwant: () => void;
  /** States that aren't on the rows yet. */
  readonly #lives = new Map<SessionId, Life>();

  private constructor(
    parts: EndingParts,
    accountId: AccountId,
    targets: readonly Pick<AccountSession, 'session' | 'unlisted'>[],
    provider: Provider | ProviderError,
    counts: EndCounts,
    onSettled: (session: SessionId) => void,
    generation: number,
  ) {
    this.#parts = parts;
    this.#generation = generation;
    this.accountId = accountId;
    this.#provider = provider;
    this.#counts = counts;
    this.#onSettled = onSettled;
    this.#began = parts.clock.monotonic();
    this.terms = provider instanceof Error ? usualEnding : provider.ending;
    this.pending = targets.map(({ session, unlisted = false }) => ({
      session,
      unlisted,
      sent: { kind: 'notSent' },
      attempts: 0,
      delays: 0,
    }));
    for (const { session } of targets) counts.set(session.id, (counts.get(session.id) ?? 0) + 1);
    this.#unwant = parts.evidence.want(
      accountId,
      targets.map(({ session }) => session),
    );
  }

  /**
   * Marks the sessions as ending, and keeps the connection that every request and check will use.
   * @param generation the one in which the user confirmed the end; see `Connections.generation`.
   */
  static async begin(
    parts: EndingParts,
    accountId: AccountId,
    targets: readonly Pick<AccountSession, 'session' | 'unlisted'>[],
    counts: EndCounts,
    onSettled: (session: SessionId) => void,
    generation = parts.connections.generation(accountId),
  ): Promise<AccountEnd> {
    const ids = targets.map(({ session }) => session.id);
    parts.store.setLife(accountId, ids, { kind: 'ending', since: parts.clock.now() });
    // Whatever has its id now is meant, not the session that had it and ended.
    for (const { session, unlisted } of targets) if (unlisted === true) parts.store.forgetEnd(accountId, session.id);
    const provider = await parts.connections.open(accountId).catch((error: unknown) => ProviderError.from(error));
    return new AccountEnd(parts, accountId, targets, provider, counts, onSettled, generation);
  }

  /** @throws ProviderError `canceled` if the account was removed or has another key, which lists other sessions. */
  readonly connection = async (): Promise<Provider> => {
    const { accounts, connections } = this.#parts;
    if (accounts.get(this.accountId) === undefined) throw accountRemoved();
    if (connections.generation(this.accountId) !== this.#generation) throw keyReplaced();
    if (this.#provider instanceof Error) throw this.#provider;
    if ((await connections.open(this.accountId)) !== this.#provider) throw keyReplaced();
    return this.#provider;
  };

  /** Records a session's outcome; {@link showOutcomes} puts it on the row. */
  settle({ session, sent, attempts }: PendingEnd, outcome: EndOutcomeKind, why?: StuckReason): void {
    const { store, clock } = this.#parts;
    const others = (this.#counts.get(session.id) ?? 1) - 1;
    if (others > 0) this.#counts.set(session.id, others);
    else this.#counts.delete(session.id);
    // Another operation is still ending it, or another session has its id.
    const isItsOwn = others <= 0 && isSame(session, store.session(this.accountId, session.id));
    const life: Life =
      why === undefined || !isItsOwn ? { kind: 'running' } : { kind: 'stuck', since: clock.now(), why };
    if (others <= 0) this.#lives.set(session.id, life);
    this.record(session, outcome, why, sent, attempts);
  }

  /** Puts settled outcomes on the rows, all at once: each change redraws the tree. */
  showOutcomes(): void {
    if (this.#lives.size > 0) this.#parts.store.setLives(this.accountId, this.#lives);
    this.#lives.clear();
  }

  /** Call it when everything is settled. */
  finish(): void {
    this.showOutcomes();
    this.#unwant();
  }

  /** Adds a line to the report and the log. */
  record(
    session: Session,
    outcome: EndOutcomeKind,
    why: StuckReason | undefined,
    sent: Sent = { kind: 'notSent' },
    attempts = 0,
  ): void {
    const { clock, accounts, logger } = this.#parts;
    const { accountId } = this;
    const how = why === undefined && sent.kind === 'taken' ? sent.how : undefined;
    const ms = Math.round(clock.monotonic() - this.#began);
    this.results.push({ accountId, session, outcome, why, how, attempts, ms });
    const reason = why !== undefined && 'error' in why ? why.error?.message : how;
    const line = `end ${accounts.get(accountId)?.label ?? accountId} ${session.id}: ${outcome}, ${attempts} sent, ${ms} ms`;
    logger.info(reason === undefined ? line : `${line}: ${reason}`);
    this.#onSettled(session.id);
  }
}
