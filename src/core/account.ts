import type { AccountId } from './ids.ts';
import type { Usage } from './usage.ts';

/** One key at one provider's address, as the user added it. Holds no secret. */
export interface Account {
  readonly id: AccountId;
  /** The id of its {@link ProviderKind}. */
  readonly provider: string;
  /** What the user calls it; never empty. */
  readonly label: string;
  /** Where its key may be sent, and nowhere else: see `parseAddress`. */
  readonly origin: string;
}

/** What the user typed for an account, by the id of the field; secret and other fields alike. */
export type Credentials = Readonly<Record<string, string>>;

/** What a provider says about an account besides its sessions. Text may be the provider's: clean it before showing. */
export interface AccountFacts {
  /** Who the key belongs to, or what answers, in a few words. */
  readonly identity: string | undefined;
  /** How many sessions may run at once. */
  readonly sessionLimit: number | undefined;
  /** What the account has used and may use, one figure for each unit. */
  readonly usage?: readonly Usage[] | undefined;
  /** What a user must know to read the list right, in a sentence. */
  readonly note: string | undefined;
}
