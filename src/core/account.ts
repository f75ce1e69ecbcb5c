import type { AccountId } from './ids.ts';

/** One key at one vendor's address, as the person added it. Holds no secret. */
export interface Account {
  readonly id: AccountId;
  /** The id of its {@link ProviderKind}. */
  readonly provider: string;
  /** What the person calls it; never empty. */
  readonly label: string;
  /** Where its key may be sent, and nowhere else: see `parseAddress`. */
  readonly origin: string;
}

/** What the person typed for an account, by the id of the field; secret and other fields alike. */
export type Credentials = Readonly<Record<string, string>>;

/** What a vendor tells of an account besides its sessions. Text may be the vendor's: clean it before showing. */
export interface AccountFacts {
  /** Who the key belongs to, or what answers, in a few words. */
  readonly identity: string | undefined;
  /** How many sessions may run at once. */
  readonly sessionLimit: number | undefined;
  /** What a person must know to read the list right, in a sentence. */
  readonly note: string | undefined;
}
