import type { Account, Credentials } from '../core/account.ts';
import type { CdpDialer } from '../core/cdp.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter, type Event } from '../core/event.ts';
import type { HttpClient } from '../core/http.ts';
import type { AccountId } from '../core/ids.ts';
import { parseAddress } from '../core/origin.ts';
import type { Provider, ProviderKind } from '../core/provider.ts';
import { badAddress, ProviderError } from '../core/providerError.ts';
import type { RateWindow } from '../core/rateWindow.ts';
import type { Accounts } from './accounts.ts';
import type { ProviderKinds } from './providerKinds.ts';

/** The ways to the network, as the composition root hands them over. */
export interface Wires {
  /**
   * @param secrets values that must not appear in any log line or error
   * @param onRateWindow called with what the vendor says of its rate limit
   */
  http(address: URL, secrets: readonly string[], onRateWindow: (window: RateWindow) => void): HttpClient;
  /** @param origin the account's, which is the only one that is dialled */
  cdp(origin: URL): CdpDialer;
  readonly clock: Clock;
  /** Whether the person has turned on a vendor's setting. */
  setting(kind: string, id: string): boolean;
}

/**
 * Connects accounts to their vendors: one provider for each account, made when first needed, made anew when its key or
 * address changes. The only place where a key meets an address, and it is the address the key was saved with.
 */
export class Connections {
  readonly #kinds: ProviderKinds;
  readonly #accounts: Accounts;
  readonly #wires: Wires;
  readonly #providers = new Map<AccountId, Promise<Provider>>();
  readonly #rateWindows = new Map<AccountId, RateWindow>();
  readonly #closed = new Emitter<AccountId>();

  /** Fires when what was opened for an account holds no longer: its key, its address or its vendor is another. */
  readonly onDidClose: Event<AccountId> = this.#closed.event;

  constructor(kinds: ProviderKinds, accounts: Accounts, wires: Wires) {
    this.#kinds = kinds;
    this.#accounts = accounts;
    this.#wires = wires;
    accounts.onDidChange(({ id, kind }) => {
      if (kind === 'connection' || kind === 'removed') this.#close(id);
    });
    kinds.onDidChange((kind) => {
      for (const { id, provider } of accounts.all) if (provider === kind) this.#close(id);
    });
  }

  /**
   * The provider of an account.
   * @throws ProviderError: `notFound` when there is no such account (any longer), `noKey` when this machine has no key for
   * it, `badAddress` when its address is one that no account can have, `unsupported` when its vendor is not known (any
   * longer), e.g. because the extension that added it is gone.
   */
  async open(id: AccountId): Promise<Provider> {
    const known = this.#providers.get(id);
    if (known !== undefined) return known;
    const opening = this.#open(id);
    this.#providers.set(id, opening);
    opening.catch(() => {
      if (this.#providers.get(id) === opening) this.#providers.delete(id);
    });
    return opening;
  }

  /** Connects without an account, to try what a person typed before anything is stored. */
  connect(kind: ProviderKind, origin: string, credentials: Credentials): Provider {
    return connect(kind, origin, credentials, this.#wires);
  }

  /** What the vendor last said of its rate limit for this account; it may be over by now. */
  rateWindow(id: AccountId): RateWindow | undefined {
    return this.#rateWindows.get(id);
  }

  #close(id: AccountId): void {
    this.#providers.delete(id);
    this.#rateWindows.delete(id);
    this.#closed.fire(id);
  }

  async #open(id: AccountId): Promise<Provider> {
    const account: Account | undefined = this.#accounts.get(id);
    if (account === undefined) throw new ProviderError({ kind: 'notFound' }, 'there is no such account');
    await this.#kinds.load();
    const kind = this.#kinds.get(account.provider);
    if (kind === undefined) {
      throw new ProviderError({ kind: 'unsupported', what: `the provider “${account.provider}”` }, 'unknown provider');
    }
    const secret = await this.#accounts.open(id);
    if (secret === undefined) throw new ProviderError({ kind: 'noKey' }, 'no key is stored on this machine');
    const { origin, credentials } = secret;
    const further = secret.further ?? (this.#kinds.isBuiltIn(kind) ? furtherOf(kind, origin, credentials) : []);
    // Derived anew each time where it cannot be written down.
    if (secret.further === undefined) this.#accounts.keepFurther(id, further).catch(() => {});
    return connect(kind, origin, credentials, this.#wires, (window) => this.#rateWindows.set(id, window), further);
  }
}

/** Where else a key may be sent when it is saved now, as addresses: what the person is told, and what is saved with it. */
export function furtherOf(kind: ProviderKind, origin: string, credentials: Credentials): string[] {
  const address = parseAddress(origin);
  if (!address.ok) return [];
  const all = kind.furtherAddresses(address.url, credentials).map(({ href }) => href);
  // One that no key may be sent to is not shown either.
  return all.filter((one) => parseAddress(one).ok);
}

/**
 * Connects to a vendor. The adapter can send the key to the address it was saved with, to the further addresses, and
 * nowhere else.
 * @param further those that were saved with the key; for a key that is not saved yet, those that its kind derives.
 * @throws ProviderError `badAddress` for an address that no account can have.
 */
export function connect(
  kind: ProviderKind,
  savedOrigin: string,
  credentials: Credentials,
  wires: Wires,
  onRateWindow: (window: RateWindow) => void = () => {},
  further = furtherOf(kind, savedOrigin, credentials),
): Provider {
  const address = parseAddress(savedOrigin);
  if (!address.ok) throw badAddress(address.fault);
  const origin = address.url;
  const secrets = kind.fields.flatMap((field) => (field.kind === 'secret' ? (credentials[field.id] ?? []) : []));
  return kind.connect({
    origin,
    credentials,
    http: wires.http(origin, secrets, onRateWindow),
    httpTo: (other) => {
      if (further.includes(other.href)) return wires.http(other, secrets, () => {});
      const what = `Sending the key to ${other.host}, which it was not saved for,`;
      const why = `${other.host} is not among the addresses that were saved with the key; Replace Key… saves them anew`;
      throw new ProviderError({ kind: 'unsupported', what }, why);
    },
    cdp: wires.cdp(origin),
    clock: wires.clock,
    setting: (id) => wires.setting(kind.id, id),
  });
}
