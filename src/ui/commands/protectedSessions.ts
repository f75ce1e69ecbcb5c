import type { AccountSession } from '../../services/ending/report.ts';
import type { Protections } from '../../services/sessions/protections.ts';
import type { SessionsView } from '../../services/sessions/sessionsView.ts';
import { withNames } from '../sessionNames.ts';
import { nameAndId } from '../text/names.ts';
import { listOf } from '../text/numbers.ts';

/** Those of some sessions that the user has protected. */
export function protectedAmong(
  { protections }: { readonly protections: Pick<Protections, 'has'> },
  sessions: readonly AccountSession[],
): readonly AccountSession[] {
  return sessions.filter(({ accountId, session }) => protections.has(accountId, session.id));
}

/** The names and short IDs of sessions, as part of a sentence. */
export function listOfSessions(
  { store }: { readonly store: SessionsView },
  sessions: readonly AccountSession[],
): string {
  return listOf(withNames(store, sessions).flatMap(({ shownAs }) => (shownAs ? [nameAndId(shownAs)] : [])));
}
