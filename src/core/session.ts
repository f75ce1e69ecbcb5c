import type { GroupId, SessionId } from './ids.ts';
import type { Page } from './page.ts';

/**
 * Where a listed session stands, in the same words for every provider. There is no word for "ended": an ended session is
 * not listed. `unknown` is a status that the adapter does not know; such a session is shown and can be ended.
 */
export type SessionPhase = 'starting' | 'running' | 'idle' | 'ending' | 'unknown';

/**
 * A remote browser that runs, as a provider's list tells of it. Text is the provider's: clean it before showing.
 * Times are epoch milliseconds.
 */
export interface Session {
  readonly id: SessionId;
  /** What its owner calls it, or the title of what it shows. */
  readonly name: string | undefined;
  readonly phase: SessionPhase;
  /** The provider's own word for its status. */
  readonly status: string | undefined;
  /** Undefined where the provider does not say; the store then counts from when the session was first seen. */
  readonly startedAt: number | undefined;
  readonly region: string | undefined;
  readonly groupId: GroupId | undefined;
  readonly tags: readonly string[];
  /** What its owner wrote on it, by key. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Short facts for the row, e.g. `headless` or `proxy`. */
  readonly traits: readonly string[];
  /** Its pages, or undefined where the list does not tell them. */
  readonly pages: readonly Page[] | undefined;
  /** Whether it can be shown live at all, where the provider shows sessions. */
  readonly canWatch: boolean;
  /** What ending it takes away: the whole session, or only its pages, where what holds them is not ours to close. */
  readonly ends: 'session' | 'pages';
  /** Why ends of many leave it alone, so that only an end of this one reaches it; undefined where they do not. */
  readonly bulkEndExclusion: string | undefined;
  /** More facts for the tooltip, as label and value. Never a secret or a URL that is one. */
  readonly facts: readonly (readonly [label: string, value: string])[];
}

/** Most pages of a session that are shown. Chrome itself is hardly usable with as many. */
export const mostPages = 500;

/** How a session came to its end, as the provider tells. */
export interface EndCause {
  /** `completed` also where somebody asked for it; `timedOut` where its time was up; `failed` where it broke down. */
  readonly how: 'completed' | 'timedOut' | 'failed';
  /** Epoch milliseconds; undefined where the provider does not say. */
  readonly endedAt: number | undefined;
}

/**
 * Whether what a user confirmed still runs, going by what a complete list has under its id.
 * Where only pages end, it runs while one of the confirmed pages is open: those opened since are another matter.
 */
export function stillRuns(confirmed: Session, listed: Session | undefined): boolean {
  if (listed === undefined) return false;
  if (confirmed.ends === 'session' || confirmed.pages === undefined || listed.pages === undefined) return true;
  const open = new Set(listed.pages.map(({ id }) => id));
  return confirmed.pages.some(({ id }) => open.has(id));
}

/**
 * How much later, in milliseconds, a session may be said to have started than before: some answers of a provider give
 * whole seconds, and others don't.
 */
const sameStartMs = 1_000;

/**
 * Whether what is listed under a confirmed session's id is that session: a server may give the id to another one, which
 * then has started later. A start that moves a little, or back, is no other session: that would be called ended.
 */
export function isSame(confirmed: Session, listed: Session | undefined): boolean {
  if (listed === undefined) return false;
  if (confirmed.startedAt === undefined || listed.startedAt === undefined) return true;
  return listed.startedAt - confirmed.startedAt < sameStartMs;
}

/** The host of the first page that has one, which is what a session without a name is best told by. */
export function hostOf({ pages }: Session): string | undefined {
  for (const { url } of pages ?? []) {
    const host = URL.parse(url)?.host ?? '';
    if (host !== '') return host;
  }
  return undefined;
}
