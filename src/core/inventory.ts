import type { AccountFacts } from './account.ts';
import type { Group } from './group.ts';
import type { SessionId } from './ids.ts';
import type { Session } from './session.ts';

/** A row of a provider's list that can't be shown as a session. Text may be the provider's: clean it before showing. */
export interface ListFault {
  /** The row's id if it can be read, else its place in the list. */
  readonly subject: string;
  /** Whether the row doesn't say which session it is: it may be any that is missing from the list. */
  readonly unnamed?: boolean;
  /** False if it certainly hides no session that the key can end: it's about a batch, or about other keys' sessions. */
  readonly hidesSession?: false;
  /** What is wrong with it, as the end of the sentence "It cannot be shown: …". */
  readonly what: string;
}

/**
 * The running sessions of an account, or one page of them. Of two sessions with the same id the later one counts, so that
 * a provider's second list can add to its first.
 */
export interface Inventory {
  readonly sessions: readonly Session[];
  readonly groups: readonly Group[];
  readonly faults: readonly ListFault[];
  /** Undefined on pages that say nothing about the account; then what an earlier page said stays. */
  readonly account: AccountFacts | undefined;
  /**
   * How many sessions the server counts, apart from those that it lists. Where it counts more, and lists may be one of several
   * workers', several lists are asked for. It's no evidence by itself: Browserless also counts jobs without a session.
   */
  readonly counted?: number | undefined;
  /**
   * Sessions that are running but aren't in this list, because another account shows them: the one whose address is this port
   * of this machine, if there is one. Only read from built-in providers.
   */
  readonly shownElsewhere?: ReadonlyMap<SessionId, number | undefined> | undefined;
}
