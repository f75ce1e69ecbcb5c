import type { Account } from '../../core/account.ts';
import { isRandomId, type SessionId } from '../../core/ids.ts';
import { oncePer } from '../../core/oncePer.ts';
import { loopbackUrl } from '../../core/origin.ts';
import { isSame } from '../../core/session.ts';
import type { Contents } from './contents.ts';
import type { AccountState, SessionsView } from './sessionsView.ts';

/**
 * Whether two accounts mean the same session by an ID: at one address or if the ID is random, unless the lists show two sessions,
 * or if the provider never reuses IDs. A gateway lists another provider's sessions under its random IDs.
 */
export function isSameSession(
  store: SessionsView,
  session: SessionId,
  one: Account | undefined,
  two: Account | undefined,
): boolean {
  if (one === undefined || two === undefined) return false;
  if (one.provider !== two.provider) return isRandomId(session);
  const [here, there] = [one, two].map(({ id }) => store.session(id, session));
  if (here?.hasUniqueId === true) return true;
  if (!isSameAddress(one.origin, two.origin) && !isRandomId(session)) return false;
  return here === undefined || there === undefined || (isSame(there, here) && isSame(here, there));
}

/** The provider whose accounts list other providers' sessions. */
const gateway = 'gateway';

/** Whether two accounts may have the same sessions: those of a provider at one address, and a gateway's with any others. */
export function mayShareSessions(one: Account | undefined, two: Account): boolean {
  if (one?.provider === two.provider) return isSameAddress(one.origin, two.origin);
  return one !== undefined && (one.provider === gateway || two.provider === gateway);
}

/** The browser on this machine that has an ID in DevTools, among an account's sessions; undefined if none has. */
export function browserWithDevtools(state: AccountState | undefined, id: string): SessionId | undefined {
  return state && idsByDevtools(state.contents).get(id);
}

const idsByDevtools = oncePer(
  ({ sessions }: Contents): ReadonlyMap<string, SessionId> =>
    new Map(
      [...sessions.values()].flatMap(({ id, local }) =>
        local?.devtoolsId === undefined ? [] : [[local.devtoolsId, id] as const],
      ),
    ),
);

/** Whether two addresses are the same, also by another name of this machine. */
export function isSameAddress(one: string, two: string): boolean {
  const [here, there] = [one, two].map(loopbackUrl);
  if (here === undefined || there === undefined) return one === two;
  const isAlike = (['protocol', 'port', 'pathname'] as const).every((part) => here[part] === there[part]);
  // A server at 127.0.0.2 isn't one at 127.0.0.1.
  const isOther = ({ hostname }: URL) => /^127\./.test(hostname) && hostname !== '127.0.0.1';
  return isAlike && (here.hostname === there.hostname || !(isOther(here) || isOther(there)));
}
