import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { type Disposable, Emitter } from '../../../src/core/event.ts';
import type { AccountId } from '../../../src/core/ids.ts';
import type { ProviderKind } from '../../../src/core/provider.ts';
import type { Memory, SecretStore } from '../../../src/core/storage.ts';
import { providerKinds } from '../../../src/providers/index.ts';
import { Accounts } from '../../../src/services/accounts/accounts.ts';
import { Connections } from '../../../src/services/accounts/connections.ts';
import { Ender } from '../../../src/services/ending/ender.ts';
import { EvidenceLog } from '../../../src/services/ending/evidence.ts';
import { EndJournal } from '../../../src/services/ending/journal.ts';
import { OrderedMemory } from '../../../src/services/orderedMemory.ts';
import { type ClaimedExtension, ProviderConsent } from '../../../src/services/providers/providerConsent.ts';
import { ProviderKinds } from '../../../src/services/providers/providerKinds.ts';
import { Refresher } from '../../../src/services/sessions/refresher.ts';
import { SessionStore } from '../../../src/services/sessions/sessionStore.ts';
import { listsNothing } from '../../../src/services/sessions/sessionsView.ts';
import { RecordingLog, realNetwork } from '../testNetwork.ts';

/** Keeps keys in memory, and fires events as VS Code does: after the change. Two services may share one. */
export class MemorySecretStore implements SecretStore {
  readonly values = new Map<string, string>();
  /** The time of the windows that share it: of two keys for an account, the one that was saved later counts. */
  readonly clock = fastClock(20);
  readonly #changed = new Emitter<{ readonly key: string }>();
  readonly onDidChange = this.#changed.event;

  async get(key: string): Promise<string | undefined> {
    return this.values.get(key);
  }

  async store(key: string, value: string): Promise<void> {
    this.values.set(key, value);
    this.#changed.fire({ key });
  }

  async delete(key: string): Promise<void> {
    this.values.delete(key);
    this.#changed.fire({ key });
  }
}

/** Keeps the editor's global state in memory. */
export class MapMemory implements Memory {
  readonly values = new Map<string, unknown>();
  readonly #delayMs: number;

  constructor(delayMs = 2) {
    this.#delayMs = delayMs;
  }

  get = (key: string): unknown => this.values.get(key);
  /** Takes its time, as the editor's does. */
  update = async (key: string, value: unknown): Promise<void> => {
    if (this.#delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#delayMs));
    this.values.set(key, value);
  };
}

/** Time that passes `factor` times as fast, beginning now: windows that share anything must share a clock, too. */
export function fastClock(factor: number): Clock {
  const began = Date.now();
  return {
    now: () => began + (Date.now() - began) * factor,
    monotonic: () => performance.now() * factor,
    after: (ms, run) => systemClock.after(ms / factor, run),
  };
}

/** An extension that adds a provider. */
export const acme: ClaimedExtension = { id: 'acme.tools', name: 'Acme Tools' };

/** The account of this machine for tests that have nothing there. */
export const noOwnMachine = { findNow: async () => {}, show: () => {}, leaveIfEmpty: () => {} };

/** All of the services over the real HTTP client, as extension.ts builds them. */
export class TestServices {
  readonly secretStore: MemorySecretStore;
  readonly memory: MapMemory;
  readonly log = new RecordingLog();
  readonly kinds: ProviderKinds;
  readonly accounts: Accounts;
  readonly connections: Connections;
  readonly store: SessionStore;
  readonly evidence = new EvidenceLog();
  readonly refresher: Refresher;
  readonly journal: EndJournal;
  readonly ender: Ender;
  /** How many HTTP requests wait for their response. */
  readonly requestsInFlight: () => number;

  constructor({
    secretStore = new MemorySecretStore(),
    memory = new MapMemory(),
    clock = secretStore.clock,
    wireClock = clock,
    interval = 10_000,
    background = () => 0,
    kinds = providerKinds,
    settings = new Set(),
    machine,
    strictCertificates = true,
  }: {
    secretStore?: MemorySecretStore;
    memory?: MapMemory;
    clock?: Clock;
    wireClock?: Clock;
    interval?: number | (() => number);
    background?: () => number;
    kinds?: readonly ProviderKind[];
    settings?: ReadonlySet<string>;
    strictCertificates?: boolean;
    machine?: string;
  } = {}) {
    this.secretStore = secretStore;
    this.memory = memory;
    this.kinds = new ProviderKinds(async () => kinds, {
      consent: new ProviderConsent(this.memory),
      accounts: () => this.accounts.all,
    });
    this.accounts = new Accounts(secretStore, this.memory, clock.now, this.log, machine);
    const network = realNetwork(this.log, wireClock, settings, strictCertificates);
    this.requestsInFlight = network.requestsInFlight;
    this.connections = new Connections(this.kinds, this.accounts, network, (id) => listsNothing(this.store.state(id)));
    this.store = new SessionStore(clock.now, (id) => this.accounts.get(id)?.provider);
    const parts = {
      store: this.store,
      evidence: this.evidence,
      accounts: this.accounts,
      connections: this.connections,
      clock,
      logger: this.log,
    };
    this.refresher = new Refresher({
      ...parts,
      evidence: async () => this.evidence,
      interval: () => (typeof interval === 'number' ? interval : interval()),
      background,
    });
    // As in the extension: without an order, two ends at once would each write what they read before the other wrote.
    this.journal = new EndJournal(new OrderedMemory(this.memory), clock, this.log, {
      machine: undefined,
      isHereOnly: () => false,
      keyAt: (id) => this.accounts.keyAt(id),
    });
    this.ender = new Ender({ ...parts, refresher: this.refresher, journal: this.journal });
  }

  /** Adds a provider as another extension does. */
  register(provider: unknown): Disposable {
    return this.kinds.register(provider, acme);
  }

  /** Adds an account and lists it. */
  async add(provider: string, origin: string, credentials: Record<string, string> = {}): Promise<AccountId> {
    const id = await this.accounts.add({ provider, label: provider, origin, credentials });
    await this.refresher.refresh(id);
    return id;
  }

  dispose(): void {
    this.refresher.dispose();
    this.accounts.dispose();
  }
}
