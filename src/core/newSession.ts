import type { SessionId } from './ids.ts';
import type { Session } from './session.ts';

/** What is known about a session besides its id; anything may be missing. */
export type KnownFacts = { readonly [Key in Exclude<keyof Session, 'id'>]?: Session[Key] | undefined };

/**
 * Makes a session from what is known about it, and fills in the rest: by default a session is running, ends as a whole,
 * and can be watched if its provider has live views.
 */
export function newSession(id: SessionId, known: KnownFacts = {}): Session {
  return {
    id,
    name: known.name,
    host: known.host,
    phase: known.phase ?? 'running',
    status: known.status,
    startedAt: known.startedAt,
    region: known.region,
    groupId: known.groupId,
    tags: known.tags ?? [],
    metadata: known.metadata ?? new Map(),
    traits: known.traits ?? [],
    pages: known.pages,
    canWatch: known.canWatch ?? true,
    canTakeScreenshot: known.canTakeScreenshot,
    ends: known.ends ?? 'session',
    bulkEndExclusion: known.bulkEndExclusion,
    usage: known.usage,
    facts: known.facts ?? [],
    inUseBy: known.inUseBy,
    local: known.local,
    drives: known.drives,
    otherId: known.otherId,
    browserId: known.browserId,
    hasUniqueId: known.hasUniqueId,
  };
}
