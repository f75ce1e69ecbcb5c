import { type GroupId, isRandomId, type SessionId } from './ids.ts';
import type { LocalBrowser } from './localBrowser.ts';
import { type Page, stillOpen } from './page.ts';
import type { Usage } from './usage.ts';

/**
 * The state of a listed session, in the same words for every provider. There is none for "ended": an ended session isn't
 * listed. `unknown` is a status that the adapter doesn't know; such a session is shown and can be ended.
 */
export type SessionPhase = 'starting' | 'running' | 'idle' | 'ending' | 'unknown';

/**
 * A running remote browser, as a provider lists it. Text is the provider's: clean it before showing.
 * Times are epoch milliseconds.
 */
export interface Session {
  readonly id: SessionId;
  /** The name its owner gave it; see `bestName` for what it's called without one. */
  readonly name: string | undefined;
  /** A host that it shows or has shown, where the list says that but doesn't include its pages. */
  readonly host: string | undefined;
  readonly phase: SessionPhase;
  /** The provider's own word for its status. */
  readonly status: string | undefined;
  /**
   * Undefined where the provider doesn't say; the store then uses the time when the session was first seen. Never calculated
   * from how long it has been running: a start that moves forward by a second means another session, see {@link isSame}.
   */
  readonly startedAt: number | undefined;
  readonly region: string | undefined;
  readonly groupId: GroupId | undefined;
  readonly tags: readonly string[];
  /** Metadata that its owner set, by key. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Short facts for the row, e.g. `headless` or `proxy`. */
  readonly traits: readonly string[];
  /** Its pages, or undefined where the list doesn't include them. */
  readonly pages: readonly Page[] | undefined;
  /** Whether it can be shown live, where the provider supports that. */
  readonly canWatch: boolean;
  /** Whether the provider's own call can take screenshots of it; the same as `canWatch` by default. */
  readonly canTakeScreenshot?: boolean | undefined;
  /**
   * What ending it closes: the whole session; only its pages, where the browser around them may be the user's own; or only a
   * tool's connection to a browser that it didn't start itself. That browser ends too if it was started for the connection.
   */
  readonly ends: 'session' | 'pages' | 'connection';
  /** Why it is skipped when several sessions are ended at once; undefined where it isn't. */
  readonly bulkEndExclusion: string | undefined;
  /** What it has used so far, where the provider says so. */
  readonly usage: Usage | undefined;
  /** More facts for the tooltip, as label and value. Never a secret, or a link that works without a key. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  /** The name of a program that is still running and may be using it; undefined if none is known. */
  readonly inUseBy: string | undefined;
  /** Only for browsers on this machine. */
  readonly local: LocalBrowser | undefined;
  /** The session of another provider, by that provider's ID, that this one only controls. Both are the same browser. */
  readonly drives?: { readonly provider: string; readonly id: SessionId } | undefined;
  /** Another ID that the provider ends it by, which its owner may have chosen; undefined if it has none. */
  readonly otherId?: string | undefined;
  /**
   * Which browser has it, if one address can lead to several: another one can't say that it's gone. Random, and kept for as long as
   * that browser runs.
   */
  readonly browserId?: string | undefined;
  /** Whether its ID is certainly never given to another session. Otherwise, a later start shows that it was. */
  readonly hasUniqueId?: boolean | undefined;
}

/** How a session ended, according to the provider. */
export interface EndCause {
  /** `completed` also when it was ended on request; `timedOut` when its time was up; `failed` when it crashed. */
  readonly how: 'completed' | 'timedOut' | 'failed';
  /** Epoch milliseconds; undefined where the provider doesn't say. */
  readonly endedAt: number | undefined;
}

/**
 * Whether the session that the user confirmed is still running, given what a complete list has under its id.
 * Where only pages end, it runs while one of the confirmed pages is open; pages opened since don't count.
 */
export function stillRuns(confirmed: Session, listed: Session | undefined): boolean {
  if (listed === undefined) return false;
  if (confirmed.ends !== 'pages' || confirmed.pages === undefined || listed.pages === undefined) return true;
  // Without a page, nothing shows that its end had an effect.
  return confirmed.pages.length === 0 || stillOpen(confirmed.pages, listed.pages).length > 0;
}

/**
 * By how much, in milliseconds, a session's reported start may move between answers: some give
 * whole seconds, and others don't.
 */
const sameStartMs = 1_000;

/**
 * Whether the session listed under a confirmed session's id is still that session: a server may reuse the id for another
 * one, which then started later. A start that moves a little, or back, means the same session: otherwise it would be
 * called ended while it runs.
 */
export function isSame(
  confirmed: Pick<Session, 'startedAt'>,
  listed: Pick<Session, 'startedAt' | 'hasUniqueId'> | undefined,
): boolean {
  if (listed === undefined) return false;
  return listed.hasUniqueId === true || isSameStart(confirmed.startedAt, listed.startedAt);
}

/** Whether a session can be told from another one that gets its ID later. */
export function isRecognizable({ id, startedAt, hasUniqueId }: Session): boolean {
  return hasUniqueId === true || startedAt !== undefined || isRandomId(id);
}

/** The same for two starts, in epoch milliseconds; also true if one of them isn't known. */
export function isSameStart(confirmed: number | undefined, reported: number | undefined): boolean {
  return confirmed === undefined || reported === undefined || reported - confirmed < sameStartMs;
}
