import { isDeepStrictEqual } from 'node:util';
import type { Account, Credentials } from '../../core/account.ts';
import type { AccountId } from '../../core/ids.ts';
import type { Accounts, NewAccount } from './accounts.ts';

/**
 * The account that already has this key at this address, if any. Keys are compared as they are stored: nothing from which one
 * could be found is kept for that.
 * @param isKey whether a field is a secret. Other fields may differ. Accounts without a key are the same if the address is.
 * @param except an account that isn't compared, because its key is being replaced.
 */
export async function findSame(
  accounts: Accounts,
  account: Omit<NewAccount, 'label'>,
  isKey: (field: string) => boolean,
  except?: AccountId,
): Promise<Account | undefined> {
  const keysOf = (credentials: Credentials) =>
    Object.fromEntries(Object.entries(credentials).filter(([field]) => isKey(field)));
  for (const known of accounts.all) {
    if (known.provider !== account.provider || known.origin !== account.origin || known.id === except) continue;
    // An account whose key can't be read must not keep another one from being added.
    const saved = await accounts.open(known.id);
    if (saved !== undefined && isDeepStrictEqual(keysOf(saved.credentials), keysOf(account.credentials))) return known;
  }
  return undefined;
}
