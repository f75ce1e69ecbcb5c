import type { Account } from '../../core/account.ts';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import type { ProviderKinds } from '../../services/providers/providerKinds.ts';
import { accountName } from '../text/names.ts';

/** The accounts and their providers. */
export interface AccountParts {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
}

/** An account's provider; undefined if it isn't known. */
export function kindOf({ kinds }: AccountParts, account: Account): ProviderKind | undefined {
  return kinds.get(account.provider);
}

/** The provider of the account with this id; undefined if it isn't known. */
export function kindOfAccount(parts: AccountParts, id: AccountId): ProviderKind | undefined {
  const account = parts.accounts.get(id);
  return account === undefined ? undefined : kindOf(parts, account);
}

/** An account's name in dialogs; its id if the account was removed. */
export function nameOfAccount(parts: AccountParts, id: AccountId): string {
  const account = parts.accounts.get(id);
  return account === undefined ? id : accountName(account, kindOf(parts, account));
}

/** The name of an account's provider, or the account's own name if the provider isn't known. */
export function providerName(parts: AccountParts, id: AccountId): string {
  return plainText(kindOfAccount(parts, id)?.label ?? '') || nameOfAccount(parts, id);
}
