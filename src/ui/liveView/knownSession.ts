import type { Logger } from '../../core/logger.ts';
import type { Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import { type EndCause, isSame, type Session } from '../../core/session.ts';
import { unlistedSession } from '../../core/unlistedSession.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import type { AccountSession, ShownName } from '../../services/ending/report.ts';
import type { Verdict } from '../../services/ending/verification.ts';
import type { EndedSession, History } from '../../services/history/history.ts';
import { isListed, knownPages, type SessionsView } from '../../services/sessions/sessionsView.ts';
import { shownName } from '../sessionNames.ts';
import { accountHost, nameAndId, shortId } from '../text/names.ts';
import { accountGoneCard, endedCard, unconfirmedCard } from '../text/watching.ts';
import type { OverStage } from './panelState.ts';
import type { LiveViewTarget } from './viewSource.ts';

const endCauseTimeoutMs = 20_000;

/** What {@link KnownSession} needs. */
export interface KnownSessionParts {
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly store: SessionsView;
  readonly history: History;
  /** Checks whether an unlisted session has ended; see `services/ending/verifier.ts`. Never rejects. */
  readonly review: (target: AccountSession) => Promise<Verdict>;
  readonly logger: Logger;
}

/** What a panel keeps across restarts about the session that it was opened for. */
export interface FirstSession {
  /** Epoch milliseconds; undefined if it isn't known. */
  readonly startedAt: number | undefined;
  /** When the account's key was entered, in epoch milliseconds. Undefined without a key, or if it can't be read. */
  readonly keyAt: number | undefined;
}

/** Stands for a key that was replaced. No key was entered at this time. */
const replacedKey = -1;

/** What is known about a panel's session. It's kept after the session is gone. */
export class KnownSession {
  readonly #parts: KnownSessionParts;
  readonly #accountId: LiveViewTarget['accountId'];
  readonly #id: LiveViewTarget['sessionId'];
  #session: Session | undefined;
  /** The session that the panel was opened for: when it started, as it was first listed. */
  #openedFor: Pick<Session, 'startedAt'> | undefined;
  /** Whether another session may have got its ID, without a way to tell. */
  #mayBeAnother: boolean;
  /** Whether it has left the list since it was listed: what has its ID later is another session, whatever start it has. */
  #hasLeft = false;
  /**
   * Whether the panel is from before a restart. The account may have another key by now, which may find an earlier session
   * with the same ID.
   */
  readonly #isRestored: boolean;
  /** Its pages and what it was called when it was last listed. */
  #pages: readonly Page[] = [];
  #shownAs: ShownName | undefined;
  /** How the session ended, if that wasn't seen here and its provider knows. */
  #endCause: EndCause | undefined;
  /** The other session that the card named last. */
  #offered: Session | undefined;
  /** The result of the last check, made when the session wasn't listed. */
  #verdict: Verdict | undefined;
  /**
   * Whether the account's key has changed since the session was listed: it may still be running if the new key doesn't
   * find it.
   */
  #hasOtherKey = false;
  /** When the key that the panel was opened with was entered. */
  #keyAt: number | undefined;
  /** Resolves once it's known and, after a restart, compared. */
  readonly #keyIsKnown: Promise<void>;

  /**
   * @param restored set for a panel that is restored after a restart.
   */
  constructor(parts: KnownSessionParts, { accountId, sessionId }: LiveViewTarget, restored?: FirstSession) {
    this.#parts = parts;
    this.#accountId = accountId;
    this.#id = sessionId;
    this.#openedFor = restored;
    this.#mayBeAnother = restored !== undefined && restored.startedAt === undefined;
    this.#isRestored = restored !== undefined;
    this.#keyAt = restored?.keyAt;
    this.#keyIsKnown = parts.accounts.keyAt(accountId).then((keyAt) => {
      if (restored === undefined) this.#keyAt ??= keyAt;
      else if (restored.keyAt !== keyAt) {
        this.noteOtherKey();
        // It may be listed with the other key.
        this.learn();
      }
    });
  }

  /** Reads the session from the store, if it's listed. */
  learn(): void {
    const listed = this.#parts.store.session(this.#accountId, this.#id);
    if (listed === undefined) return;
    this.#openedFor ??= listed;
    this.#session = listed;
    this.#pages = knownPages(this.#parts.store, this.#accountId, this.#id) ?? this.#pages;
    this.#shownAs = shownName(this.#parts.store, this.#accountId, listed);
    this.#verdict = undefined;
    this.#hasOtherKey = false;
  }

  /** Notes that the account has another key or address: the same ID may be someone else's session. */
  noteOtherKey(): void {
    this.#mayBeAnother = true;
    this.#verdict = undefined;
    this.#hasOtherKey = true;
    this.#keyAt = replacedKey;
  }

  /** Notes that the session has left the list. */
  noteLeft(): void {
    this.#hasLeft = true;
  }

  /** The session as it was last listed; undefined if it never was. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Whether another session is listed under its ID than the last one that was read. */
  get isReplaced(): boolean {
    const listed = this.#parts.store.session(this.#accountId, this.#id);
    return this.#session !== undefined && listed !== undefined && !isSame(this.#session, listed);
  }

  /** Whether the session that is listed now is certainly the one that the panel was opened for. */
  get isStillTheFirst(): boolean {
    const listed = this.#parts.store.session(this.#accountId, this.#id);
    if ((this.#mayBeAnother || this.#isRestored || this.#hasLeft) && listed?.hasUniqueId !== true) return false;
    return this.#openedFor !== undefined && isSame(this.#openedFor, listed);
  }

  /**
   * When the session that the panel was opened for started, in epoch milliseconds, for the next restart. Undefined if that
   * isn't known, or if another session may have got its ID.
   */
  get firstStart(): number | undefined {
    return this.#mayBeAnother ? undefined : this.#openedFor?.startedAt;
  }

  /** When the key that the panel was opened with was entered, for the next restart; see {@link FirstSession}. */
  get keyAt(): number | undefined {
    return this.#keyAt;
  }

  /** The session's name, as plain text. */
  get name(): string {
    return this.shownAs.name;
  }

  /** What the session was called when it was last listed. */
  get shownAs(): ShownName {
    if (this.#shownAs !== undefined) return this.#shownAs;
    const id = shortId(this.#id);
    return { name: plainText(this.#parts.history.find(this.#accountId, this.#id)?.name ?? '') || id, shortId: id };
  }

  /** The session's pages, as last known. */
  get pages(): readonly Page[] {
    return knownPages(this.#parts.store, this.#accountId, this.#id) ?? this.#pages;
  }

  /** The host of the account's address; empty if the account was removed. */
  get host(): string {
    return accountHost(this.#parts.accounts.get(this.#accountId));
  }

  /**
   * Whether the account's latest list is complete and doesn't have the session, and the last check didn't find it
   * running.
   */
  get isGone(): boolean {
    const { store } = this.#parts;
    const state = store.state(this.#accountId);
    return isListed(state) && !store.known(this.#accountId).has(this.#id) && this.#verdict !== 'stillRunning';
  }

  /** Whether the last check found it running although it isn't listed. Lists can't tell then when it ends. */
  get isRunningUnlisted(): boolean {
    return this.#verdict === 'stillRunning';
  }

  /**
   * Checks again whether a session that was found running unlisted has ended. An answer that says nothing changes nothing.
   * Never rejects. @returns whether it's confirmed gone.
   */
  async hasEndedSince(): Promise<boolean> {
    const before = this.#verdict;
    if ((await this.look()) === 'confirmedGone') return true;
    if (this.#verdict === 'unknown') this.#verdict = before;
    return false;
  }

  /** Checks whether an unlisted session has ended, and how. Never rejects. */
  async look(): Promise<Verdict> {
    await this.#keyIsKnown;
    let verdict: Verdict = 'confirmedGone';
    if (!this.#isConfirmedGone) {
      verdict = this.#hasOtherKey ? 'unknown' : await this.#review();
    }
    if (verdict === 'confirmedGone') await this.#askFate();
    this.#verdict = verdict;
    return verdict;
  }

  #review(): Promise<Verdict> {
    const session = this.#session ?? unlistedSession(this.#id);
    return this.#parts.review({ accountId: this.#accountId, session, unlisted: this.#isOnlyAnId });
  }

  /** Whether only its ID is known: then whatever has that ID now is meant, not an earlier session that had it. */
  get #isOnlyAnId(): boolean {
    return this.#session === undefined && this.#openedFor === undefined;
  }

  get #isConfirmedGone(): boolean {
    if (this.#isOnlyAnId) return this.#verdict === 'confirmedGone';
    const isEnded = this.#parts.store.hasEnded(this.#accountId, this.#id);
    return this.#verdict === 'confirmedGone' || isEnded || this.#seenEnd !== undefined;
  }

  /** Its end, if that was seen here. */
  get #seenEnd(): EndedSession | undefined {
    // It may be a later session with the same ID as the one in the history.
    if (this.#isOnlyAnId || (this.#mayBeAnother && this.#session === undefined)) return undefined;
    return this.#parts.history.find(this.#accountId, this.#id, this.#session ?? this.#openedFor);
  }

  /** Asks how the session ended, unless that was seen here. Asks once, until {@link forget}. Never rejects. */
  async #askFate(): Promise<void> {
    const { connections, logger } = this.#parts;
    if (this.#endCause !== undefined || this.#seenEnd !== undefined) return;
    try {
      const provider = await connections.open(this.#accountId);
      this.#endCause = await provider.endCause?.(this.#id, AbortSignal.timeout(endCauseTimeoutMs));
    } catch (error) {
      logger.debug(`how ${this.#id} ended could not be asked: ${ProviderError.from(error).message}`);
    }
  }

  /** Forgets the last check, so that it's made again. */
  forget(): void {
    this.#endCause = undefined;
    this.#verdict = undefined;
  }

  /**
   * The stage for a session that is over, or whose account was removed. @param before what was known about its end so
   * far.
   */
  over(before: OverStage['knownEnd']): OverStage {
    const { accounts, store } = this.#parts;
    if (accounts.get(this.#accountId) === undefined) {
      // What was confirmed before the account was removed stays true.
      const known = this.#seenEnd ?? before;
      const nothing = { recording: false, dashboard: false, next: undefined };
      return {
        kind: 'over',
        card: known === undefined ? accountGoneCard() : endedCard(known, nothing),
        knownEnd: known,
      };
    }
    const confirmed = this.#isConfirmedGone ? 'confirmed' : undefined;
    const knownEnd = this.#seenEnd ?? this.#endCause ?? before ?? confirmed;
    const can = store.capabilities(this.#accountId);
    this.#offered = this.#next;
    const afterwards = {
      recording: can.has('recording'),
      dashboard: can.has('dashboard'),
      next: this.#offered && nameAndId(shownName(store, this.#accountId, this.#offered)),
    };
    const card =
      knownEnd === undefined
        ? unconfirmedCard(this.#hasOtherKey ? '' : this.host, afterwards)
        : endedCard(knownEnd, afterwards);
    return { kind: 'over', card, knownEnd };
  }

  /** The other session that the card named last. */
  get offered(): Session | undefined {
    return this.#offered;
  }

  /** Another session to show: the newest of the same group, or else of the account. */
  get #next(): Session | undefined {
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
