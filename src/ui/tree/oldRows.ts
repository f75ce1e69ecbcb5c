import type { AccountId, SessionId } from '../../core/ids.ts';
import { type AccountState, type SessionsView, troubleOf } from '../../services/sessions/sessionsView.ts';
import { asOf } from './accountRow.ts';
import type { Row } from './row.ts';

/** Icons that mean more than "running". They keep their color. */
const telling = new Set(['error', 'loading~spin']);

/**
 * A row as it looks while its account can't be listed: dimmed, with the time of the list that it comes from. A row of a list
 * that failed midway is only dimmed: there is no complete list yet.
 * @param says whether the row shows the time.
 */
export function oldRow(row: Row, state: AccountState, says: boolean): Row {
  if (troubleOf(state) === undefined) return row;
  const icon = row.icon && !telling.has(row.icon.id) ? { ...row.icon, color: 'disabledForeground' } : row.icon;
  const dimmed = { ...row, icon, dimmed: true };
  if (state.kind !== 'ready') return dimmed;
  const when = asOf(state.asOf);
  const description = says ? [row.description, when].filter((part) => part !== '').join(' · ') : row.description;
  return { ...dimmed, description, aria: `${row.aria}, ${when}` };
}

/** {@link oldRow} of a session, unless it started after its account's last complete list: then it isn't old. */
export function oldSessionRow(store: SessionsView, account: AccountId, session: SessionId, row: Row): Row {
  const state = store.state(account);
  const start = store.startOf(account, session);
  if (state === undefined || (state.kind === 'ready' && start !== undefined && start.at > state.asOf)) return row;
  return oldRow(row, state, true);
}
