import type { Account, Credentials } from '../../core/account.ts';
import { Emitter, type Event } from '../../core/event.ts';
import type { AccountId } from '../../core/ids.ts';
import { ipv4Port } from '../../core/origin.ts';
import type { ProviderKind } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { RateWindow, RequestLimits } from '../../core/rateWindow.ts';
import type { ProviderKinds } from '../providers/providerKinds.ts';
import type { RedactedProvider } from '../providers/redactedProvider.ts';
import type { Accounts } from './accounts.ts';
import type { Network } from './connect.ts';

/**
 * Connects accounts to their providers: one provider per account, created when first needed and again when its key or
 * address changes.
 */
export class Connections {
  readonly #kinds: ProviderKinds;
  readonly #accounts: Accounts;
  readonly #network: Network;
  readonly #listsNothing: (id: AccountId) => boolean;
  readonly #providers = new Map<AccountId, Promise<RedactedProvider>>();
  readonly #limits = new Map<AccountId, RequestLimits>();
  readonly #generations = new Map<AccountId, number>();
  readonly #closed = new Emitter<AccountId>();

  /** Fires when an account's connections are no longer valid: its key, its address or its provider changed. */
  readonly onDidClose: Event<AccountId> = this.#closed.event;

  /** @param listsNothing whether an account shows no session although it was listed, or listing it failed. */
  constructor(kinds: ProviderKinds, accounts: Accounts, network: Network, listsNothing: (id: AccountId) => boolean) {
    this.#kinds = kinds;
    this.#listsNothing = listsNothing;
    this.#accounts = accounts;
    this.#network = network;
    accounts.onDidChange(({ id, kind }) => {
      if (kind === 'connection' || kind === 'removed') this.#close(id);
    });
    kinds.onDidChange((kind) => {
      for (const { id, provider } of accounts.all) if (provider === kind) this.#close(id);
    });
  }

  /**
   * The provider of an account.
   * @throws ProviderError: `notFound` when there is no such account (anymore), `noKey` when this machine has no key for
   * it, `badAddress` when its address is one that no account can have, `unsupported` when its provider is not known (any
   * longer), e.g. because the extension that added it is gone.
   */
  async open(id: AccountId): Promise<RedactedProvider> {
    const known = this.#providers.get(id);
    if (known !== undefined) return known;
    const opening = this.#open(id);
    this.#providers.set(id, opening);
    opening.catch(() => {
      if (this.#providers.get(id) === opening) this.#providers.delete(id);
    });
    return opening;
  }

  /** Connects without an account, to try what the user typed before anything is stored. */
  async connect(kind: ProviderKind, origin: string, credentials: Credentials): Promise<RedactedProvider> {
    const { connect } = await import('./connect.ts');
    return connect(kind, origin, credentials, this.#network);
  }

  /**
   * Changes whenever an account's connections are closed. What the user confirmed for one generation isn't sent in another: with
   * another key, the same IDs may be someone else's sessions.
   */
  generation(id: AccountId): number {
    return this.#generations.get(id) ?? 0;
  }

  /** The provider's last reported rate limit for this account; it may have expired. */
  rateWindow(id: AccountId): RateWindow | undefined {
    return this.#limits.get(id)?.rateWindow;
  }

  /** How many requests at once the account's connection carries; undefined where each needs its own, or none was sent. */
  concurrency(id: AccountId): number | undefined {
    return this.#limits.get(id)?.concurrency;
  }

  /** How many requests the account has sent since it was connected. */
  sent(id: AccountId): number {
    return this.#limits.get(id)?.sent ?? 0;
  }

  #close(id: AccountId): void {
    this.#providers.delete(id);
    this.#limits.delete(id);
    this.#generations.set(id, this.generation(id) + 1);
    this.#closed.fire(id);
  }

  async #open(id: AccountId): Promise<RedactedProvider> {
    const account: Account | undefined = this.#accounts.get(id);
    if (account === undefined) throw new ProviderError({ kind: 'notFound' }, 'there is no such account');
    const { connectAccount } = await import('./connect.ts');
    const parts = { kinds: this.#kinds, accounts: this.#accounts, network: this.#network };
    const others = {
      isShownElsewhere: (port: number) => this.isAtPort(port, id),
      hasAccountAt: (port: number) => this.#othersAt(port, id).length > 0,
    };
    return connectAccount(parts, account, others, (limits) => this.#limits.set(id, limits));
  }

  /** Whether another account's address is a port of this machine, unless that account has no session to show. */
  isAtPort(port: number, besides: AccountId): boolean {
    return this.#othersAt(port, besides).some(({ id }) => !this.#listsNothing(id));
  }

  #othersAt(port: number, besides: AccountId): readonly Account[] {
    return this.#accounts.all.filter(({ id, origin }) => id !== besides && ipv4Port(origin) === String(port));
  }
}
