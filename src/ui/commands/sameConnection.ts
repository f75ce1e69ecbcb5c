import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import type { Prompts } from '../prompts.ts';
import { type AccountParts, nameOfAccount } from './accountNames.ts';

/** What {@link whileConnected} needs. */
export interface ConnectedParts extends AccountParts {
  readonly connections: Connections;
  readonly prompts: Prompts;
}

/**
 * Asks the user something about sessions, groups or whole accounts. While the question is open, an account may get another
 * key, for example in another window. The same IDs, or "everything", may then belong to someone else.
 * @param accountsIn the accounts that an answer is about.
 * @returns the answer; undefined, after telling the user, if one of these accounts was reconnected in the meantime.
 */
export async function whileConnected<T>(
  parts: ConnectedParts,
  accountsIn: (answer: T) => readonly AccountId[],
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const { connections, accounts, prompts } = parts;
  const closed = new Set<AccountId>();
  const subscription = connections.onDidClose((id) => closed.add(id));
  try {
    const answer = await ask();
    if (answer === undefined) return undefined;
    await Promise.all(accountsIn(answer).map((id) => accounts.checkStored(id)));
    // Nothing can be sent through an account that was removed.
    const changed = accountsIn(answer).find((id) => closed.has(id) && accounts.get(id) !== undefined);
    if (changed === undefined) return answer;
    const name = nameOfAccount(parts, changed);
    void prompts.tell('info', l10n.t('{0} has changed, so no request was sent. Try again.', name), []);
    return undefined;
  } finally {
    subscription.dispose();
  }
}
