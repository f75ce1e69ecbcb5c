import type { SessionId } from './ids.ts';
import type { Session } from './session.ts';

/** All that is known of a session that no list shows, by its id alone. @param startedAt epoch milliseconds. */
export function unlistedSession(id: SessionId, startedAt?: number): Session {
  return {
    id,
    name: undefined,
    phase: 'unknown',
    status: undefined,
    startedAt,
    region: undefined,
    groupId: undefined,
    tags: [],
    metadata: new Map(),
    traits: [],
    pages: undefined,
    canWatch: false,
    ends: 'session',
    bulkEndExclusion: undefined,
    facts: [],
  };
}
