import { sessionId } from '../../src/core/ids.ts';
import type { Session } from '../../src/core/session.ts';

/** A running session of which nothing more is known than is said. */
export function someSession(id: string, more: Partial<Session> = {}): Session {
  return {
    id: sessionId(id),
    name: undefined,
    phase: 'running',
    status: 'running',
    startedAt: Date.parse('2026-11-22T12:00:00Z'),
    region: undefined,
    groupId: undefined,
    tags: [],
    metadata: new Map(),
    traits: [],
    pages: undefined,
    watchable: true,
    ends: 'session',
    heldBack: undefined,
    facts: [],
    ...more,
  };
}
