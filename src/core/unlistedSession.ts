import type { SessionId } from './ids.ts';
import { newSession } from './newSession.ts';
import type { Session } from './session.ts';

/**
 * What is known of a session that isn't listed: only its id.
 * @param startedAt epoch milliseconds.
 * @param browserId see {@link Session.browserId}.
 */
export function unlistedSession(id: SessionId, startedAt?: number, browserId?: string): Session {
  return newSession(id, {
    phase: 'unknown',
    startedAt,
    browserId,
    canWatch: false,
  });
}
