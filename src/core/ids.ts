declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Identifies one account for as long as it exists: a UUID of ours, never the provider's. */
export type AccountId = Branded<'AccountId'>;
/** A provider's id of a session, checked by {@link sessionId}. Unique within its account only. */
export type SessionId = Branded<'SessionId'>;
/** A provider's id of a group of sessions, checked by {@link groupId}. Unique within its account only. */
export type GroupId = Branded<'GroupId'>;
/** A provider's id of a page, checked by {@link pageId}. Unique within its session only. */
export type PageId = Branded<'PageId'>;

const longestId = 256;
/** Characters that could change the meaning of a URL, or look different from what is sent. */
const unfitForPath = /[\s/\\?#%\p{Cc}\p{Cf}]/u;

/**
 * Returns what is wrong with a provider's id, or `undefined` when it may be used in requests.
 * `all` is refused because some providers end everything at the path where an id would stand.
 */
export function idFault(raw: unknown): string | undefined {
  if (typeof raw !== 'string') return 'its id is missing';
  if (raw === '') return 'its id is empty';
  if (raw.length > longestId) return `its id is longer than ${longestId} characters`;
  // Half of a character cannot be written into an address: `encodeURIComponent` throws.
  if (raw === '.' || raw === '..' || unfitForPath.test(raw) || !raw.isWellFormed())
    return 'its id has characters that no id may have';
  if (raw.toLowerCase() === 'all') return 'its id is the word for everything';
  return undefined;
}

function checked<Id extends string>(raw: string): Id {
  const fault = idFault(raw);
  if (fault !== undefined) throw new TypeError(`Not an id: ${fault}.`);
  return raw as Id;
}

/** @throws TypeError for what {@link idFault} objects to. */
export const sessionId = checked<SessionId>;
/** @throws TypeError for what {@link idFault} objects to. */
export const groupId = checked<GroupId>;
/** @throws TypeError for what {@link idFault} objects to. */
export const pageId = checked<PageId>;

/** Turns a UUID that this extension made into an account's id. */
export function accountId(uuid: string): AccountId {
  return uuid as AccountId;
}

/** Whether an ID is 128 random bits, which no other session gets: a UUID, or one of the IDs that Chromium makes. */
export function isRandomId(id: string): boolean {
  return /^[\da-f]{8}(-?[\da-f]{4}){3}-?[\da-f]{12}$/i.test(id);
}
