import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import type { AccountId } from '../../core/ids.ts';
import type { NoKeyReason } from '../../core/providerError.ts';
import type { SecretStore } from '../../core/storage.ts';

/** What SecretStorage holds of an account: everything, so that a key is never separated from its address. */
const Secret = v.object({
  v: v.literal(1),
  provider: v.string(),
  label: v.string(),
  origin: v.string(),
  addedAt: v.number(),
  credentials: v.record(v.string(), v.string()),
  further: v.optional(v.array(v.string())),
  /** When the name and the key were last changed, in epoch milliseconds: two windows may change them at once. */
  labelAt: v.optional(v.number()),
  keyAt: v.optional(v.number()),
  /** The machine on which the key was entered; see {@link Accounts.machine}. */
  machine: v.optional(v.string()),
});
export type Secret = v.InferOutput<typeof Secret>;

/** What is known of an account's key and the addresses it was saved with. */
export type OpenedKey = Pick<Secret, 'origin' | 'credentials' | 'further' | 'machine'>;

/** An account's secret, or why there is none that can be used. */
export type Stored = Secret | Exclude<NoKeyReason, 'keychain' | 'otherMachine'>;

const NewerSecret = v.object({ v: v.pipe(v.number(), v.minValue(2)) });

/** The keychain can't be read or written, for example on Linux without a keyring. `reason` is what the system says. */
export class KeychainError extends Error {
  override readonly name = 'KeychainError';
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super(`The system keychain can't be used: ${reason}`, { cause });
    this.reason = reason;
  }

  static from(error: unknown): KeychainError {
    if (error instanceof KeychainError) return error;
    return new KeychainError(error instanceof Error ? error.message : String(error), error);
  }
}

const secretPrefix = 'browserSessions.account.';

/** The account that a secret belongs to; undefined for any other secret. */
export function accountOf(key: string): AccountId | undefined {
  return key.startsWith(secretPrefix) ? (key.slice(secretPrefix.length) as AccountId) : undefined;
}

/** The secrets of accounts. Every member throws {@link KeychainError} and nothing else. */
export class AccountSecrets {
  readonly #secrets: SecretStore;

  constructor(secrets: SecretStore) {
    this.#secrets = secrets;
  }

  async read(id: AccountId): Promise<Stored> {
    const text = await this.#text(id);
    if (text === undefined) return 'missing';
    const json = v.safeParse(v.pipe(v.string(), v.parseJson()), text);
    if (!json.success) return 'damaged';
    const secret = v.safeParse(Secret, json.output);
    if (secret.success) return secret.output;
    return v.is(NewerSecret, json.output) ? 'newer' : 'damaged';
  }

  /** Stores a secret and reads it back: some keychains accept a secret and keep nothing. */
  async write(id: AccountId, secret: Secret): Promise<void> {
    const before = await this.#text(id);
    const text = JSON.stringify(secret);
    try {
      await this.#secrets.store(secretPrefix + id, text);
    } catch (error) {
      throw KeychainError.from(error);
    }
    const kept = await this.#text(id);
    // Anything else is what another window has stored since.
    if (kept === undefined || (kept === before && kept !== text)) throw new KeychainError('it did not keep the key');
  }

  async delete(id: AccountId): Promise<void> {
    try {
      await this.#secrets.delete(secretPrefix + id);
    } catch (error) {
      throw KeychainError.from(error);
    }
  }

  /** The accounts that have a secret; none where the editor can't tell. */
  async all(): Promise<readonly AccountId[]> {
    try {
      return ((await this.#secrets.keys?.()) ?? []).flatMap((key) => accountOf(key) ?? []);
    } catch (error) {
      throw KeychainError.from(error);
    }
  }

  async #text(id: AccountId): Promise<string | undefined> {
    try {
      return await this.#secrets.get(secretPrefix + id);
    } catch (error) {
      throw KeychainError.from(error);
    }
  }
}

/**
 * When something is changed that was changed before, in epoch milliseconds: after that, even if another window's clock was ahead
 * of this one's.
 */
export function timeAfter(earlier: number | undefined, now: () => number): number {
  return Math.max(now(), (earlier ?? 0) + 1);
}

/** The newer name and the newer key of two versions of a secret; `after` where both are as old. */
export function merged(before: Secret, after: Secret): Secret {
  const { origin, credentials, further, keyAt, machine } = isNewer(before.keyAt, after.keyAt) ? before : after;
  const { label, labelAt } = isNewer(before.labelAt, after.labelAt) ? before : after;
  return {
    ...enteredOn(machine, after),
    origin,
    credentials,
    ...(further && { further }),
    ...(keyAt !== undefined && { keyAt }),
    label,
    ...(labelAt !== undefined && { labelAt }),
  };
}

/** A secret's key, and the addresses and the machine that it's for. */
export function keyOf({ origin, credentials, further, machine }: Secret): OpenedKey {
  return { origin, credentials, ...(further && { further }), ...(machine !== undefined && { machine }) };
}

/** The same secret, with the machine on which its key was entered. */
export function enteredOn(machine: string | undefined, secret: Secret): Secret {
  const { machine: _, ...rest } = secret;
  return machine === undefined ? rest : { ...rest, machine };
}

function isNewer(a = 0, b = 0): boolean {
  return a > b;
}

/** Whether anything in it is secret. */
export function hasCredentials({ credentials }: Secret): boolean {
  return Object.keys(credentials).length > 0;
}

/** Whether connections that were opened with one may go on with the other. */
export function sameConnection(a: Secret, b: Secret): boolean {
  const { further = b.further } = a;
  return (
    a.origin === b.origin &&
    a.machine === b.machine &&
    isDeepStrictEqual(a.credentials, b.credentials) &&
    isDeepStrictEqual(further, b.further)
  );
}
