import type { Logger } from '../../core/logger.ts';
import type { Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { EndCause, Session } from '../../core/session.ts';
import { unlistedSession } from '../../core/unlistedSession.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import type { Verdict } from '../../services/ending/verification.ts';
import type { History } from '../../services/history/history.ts';
import { isListed, knownPages, type SessionsView } from '../../services/sessions/sessionsView.ts';
import { accountHost, sessionName, shortId } from '../text/names.ts';
import { accountGoneCard, endedCard, unconfirmedCard } from '../text/watching.ts';
import type { OverStage } from './panelState.ts';
import type { Subject } from './viewSource.ts';

const endCauseTimeoutMs = 20_000;

/** Where what is known of a session comes from. */
export interface KnownSessionParts {
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly store: SessionsView;
  readonly history: History;
  /** Looks whether a session that isn't in the list ended; see `services/ending/verifier.ts`. Never rejects. */
  readonly review: (account: Subject['accountId'], session: Session) => Promise<Verdict>;
  readonly logger: Logger;
}

/** What is known of the session that a panel is about. It stays known when the session is gone. */
export class KnownSession {
  readonly #parts: KnownSessionParts;
  readonly #accountId: Subject['accountId'];
  readonly #id: Subject['sessionId'];
  #session: Session | undefined;
  /** How the session ended, where it did while nobody looked and its provider tells. */
  #endCause: EndCause | undefined;
  /** What a look showed when the list didn't have it. */
  #verdict: Verdict | undefined;
  /** Whether its account got another key since a list had it: what that key doesn't find may still be running. */
  #hasOtherKey = false;

  constructor(parts: KnownSessionParts, { accountId, sessionId }: Subject) {
    this.#parts = parts;
    this.#accountId = accountId;
    this.#id = sessionId;
  }

  /** Takes over what the store has of it. */
  learn(): void {
    const listed = this.#parts.store.session(this.#accountId, this.#id);
    if (listed === undefined) return;
    this.#session = listed;
    this.#verdict = undefined;
    this.#hasOtherKey = false;
  }

  /** Its account has another key, or another address. */
  noteOtherKey(): void {
    this.#verdict = undefined;
    this.#hasOtherKey = true;
  }

  /** As the store had it last; undefined where it never did. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** What it is called, as plain text. */
  get name(): string {
    if (this.#session !== undefined) return sessionName(this.#session);
    return plainText(this.#parts.history.find(this.#accountId, this.#id)?.name ?? '') || shortId(this.#id);
  }

  /** Its pages as lists tell of them. */
  get pages(): readonly Page[] {
    return knownPages(this.#parts.store, this.#accountId, this.#id) ?? this.#session?.pages ?? [];
  }

  /** The host of its account's address; empty where the account is gone. */
  get host(): string {
    return accountHost(this.#parts.accounts.get(this.#accountId));
  }

  /** Whether the account's last list, a complete one, doesn't have the session, and nothing says that it's running. */
  get isGone(): boolean {
    const state = this.#parts.store.state(this.#accountId);
    return isListed(state) && !state.contents.sessions.has(this.#id) && this.#verdict !== 'stillRunning';
  }

  /** Looks what has become of a session that isn't in the list, and how it ended. Never rejects. */
  async look(): Promise<Verdict> {
    let verdict: Verdict = 'confirmedGone';
    if (!this.#isConfirmedGone) {
      const session = this.#session ?? unlistedSession(this.#id);
      verdict = this.#hasOtherKey ? 'unknown' : await this.#parts.review(this.#accountId, session);
    }
    if (verdict === 'confirmedGone') await this.#askFate();
    this.#verdict = verdict;
    return verdict;
  }

  get #isConfirmedGone(): boolean {
    const { store, history } = this.#parts;
    const [account, id] = [this.#accountId, this.#id];
    return this.#verdict === 'confirmedGone' || store.hasEnded(account, id) || history.find(account, id) !== undefined;
  }

  /** Asks how a session ended that nobody here has seen to end; once, until that is forgotten. Never rejects. */
  async #askFate(): Promise<void> {
    const { connections, history, logger } = this.#parts;
    if (this.#endCause !== undefined || history.find(this.#accountId, this.#id) !== undefined) return;
    try {
      const provider = await connections.open(this.#accountId);
      this.#endCause = await provider.endCause?.(this.#id, AbortSignal.timeout(endCauseTimeoutMs));
    } catch (error) {
      logger.debug(`how ${this.#id} ended could not be asked: ${ProviderError.from(error).message}`);
    }
  }

  /** Forgets what became of it, to look again. */
  forget(): void {
    this.#endCause = undefined;
    this.#verdict = undefined;
  }

  /** What its end, or its account's, is known by. @param before what its end was known by before: that stays known. */
  over(before: OverStage['proof']): OverStage {
    const { accounts, store, history } = this.#parts;
    if (accounts.get(this.#accountId) === undefined) {
      return { kind: 'over', card: accountGoneCard(), proof: undefined };
    }
    const confirmed = this.#isConfirmedGone ? 'confirmed' : undefined;
    const proof = history.find(this.#accountId, this.#id) ?? this.#endCause ?? before ?? confirmed;
    const can = store.capabilities(this.#accountId);
    const afterwards = {
      recording: can.has('recording'),
      dashboard: can.has('dashboard'),
      next: this.next && sessionName(this.next),
    };
    const card =
      proof === undefined
        ? unconfirmedCard(this.#hasOtherKey ? '' : this.host, afterwards)
        : endedCard(proof, afterwards);
    return { kind: 'over', card, proof };
  }

  /** Another session to look at: of the same group where there was one, else of the account; the newest first. */
  get next(): Session | undefined {
    const { store } = this.#parts;
    const account = this.#accountId;
    const start = (session: Session) => store.startOf(account, session.id)?.at ?? 0;
    const others = [...(store.state(account)?.contents.sessions.values() ?? [])]
      .filter(
        (session) => session.id !== this.#id && session.canWatch && store.life(account, session.id).kind !== 'ending',
      )
      .sort((a, b) => start(b) - start(a) || (a.id < b.id ? -1 : 1));
    return others.find(({ groupId }) => groupId !== undefined && groupId === this.#session?.groupId) ?? others[0];
  }
}
