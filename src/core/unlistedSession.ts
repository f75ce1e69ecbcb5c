import type { SessionId } from './ids.ts';
import type { Session } from './session.ts';

/** What is known of a session that isn't listed: only its id. @param startedAt epoch milliseconds. */
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
