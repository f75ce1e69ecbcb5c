import { Emitter } from '../../../../src/core/event.ts';
import type { Memory, SecretStore } from '../../../../src/core/storage.ts';
import { Accounts } from '../../../../src/services/accounts/accounts.ts';
import { OrderedMemory } from '../../../../src/services/orderedMemory.ts';
import { RecordingLog } from '../../testNetwork.ts';

/** What all windows of a profile share on disk. */
export class Disk {
  readonly secrets: Map<string, string>;
  /** All that an extension stores, as one text: VS Code writes and sends it as a whole. */
  state = '{}';
  readonly windows = new Set<Window>();
  /** Secrets that can't be decrypted any longer, e.g. because the keyring was replaced. */
  readonly undecryptable: Set<string>;
  /** The windows that are told of changed secrets: those of all profiles. */
  readonly told: Set<Window>;
  /** Without a keyring, each access throws what the operating system says. */
  fault: string | undefined;
  /** Whether storing seems to work but keeps nothing. */
  keepsNothing = false;
  /** How long other windows learn of changes after they were made, in milliseconds. */
  readonly lagMs = 5;

  /** @param other the disk of another profile, which has the same secrets. */
  constructor({ secrets, undecryptable, told }: Partial<Disk> = {}) {
    this.secrets = secrets ?? new Map();
    this.undecryptable = undecryptable ?? new Set();
    this.told = told ?? new Set();
  }

  /** @param now the window's clock, which may differ from another one's in a remote window. */
  open(now = Date.now): Window {
    const window = new Window(this, now);
    this.windows.add(window);
    this.told.add(window);
    return window;
  }

  /** The accounts that a window opened now would have. */
  labels(): string[] {
    const window = this.open();
    try {
      return window.labels();
    } finally {
      window.close();
    }
  }
}

/**
 * One window's accounts on storage that behaves as VS Code's does (1.139, `BaseSecretStorageService` and
 * `ExtensionMemento`): a secret that can't be decrypted is deleted when it's read, which fires a change; and the stored
 * state is written as a whole, from what this window knows.
 */
export class Window {
  readonly log = new RecordingLog();
  readonly accounts: Accounts;
  readonly #disk: Disk;
  readonly #changed = new Emitter<{ readonly key: string }>();
  #known: Record<string, unknown>;

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#known = JSON.parse(disk.state);
    const secrets: SecretStore = {
      get: async (key) => {
        this.#check();
        if (!disk.undecryptable.has(key)) return disk.secrets.get(key);
        if (disk.secrets.delete(key)) this.#announce(key);
        return undefined;
      },
      store: async (key, value) => {
        this.#check();
        await later(1);
        if (!disk.keepsNothing) disk.secrets.set(key, value);
        disk.undecryptable.delete(key);
        this.#announce(key);
      },
      delete: async (key) => {
        this.#check();
        await later(1);
        if (disk.secrets.delete(key)) this.#announce(key);
      },
      keys: async () => [...disk.secrets.keys()],
      onDidChange: this.#changed.event,
    };
    const memory: Memory = {
      get: (key) => structuredClone(this.#known[key]),
      update: async (key, value) => {
        this.#known = { ...this.#known, [key]: structuredClone(value) };
        disk.state = JSON.stringify(this.#known);
        await later(1);
        for (const other of disk.windows) if (other !== this) void later(disk.lagMs).then(() => other.#take());
      },
    };
    this.accounts = new Accounts(secrets, new OrderedMemory(memory), now, this.log);
  }

  labels(): string[] {
    return this.accounts.all.map(({ label }) => label);
  }

  close(): void {
    this.accounts.dispose();
    this.#disk.windows.delete(this);
    this.#disk.told.delete(this);
  }

  #check(): void {
    if (this.#disk.fault !== undefined) throw new Error(this.#disk.fault);
  }

  #take(): void {
    this.#known = JSON.parse(this.#disk.state);
  }

  #announce(key: string): void {
    for (const window of this.#disk.told) {
      const lag = window === this ? 0 : this.#disk.lagMs;
      void later(lag).then(() => window.#changed.fire({ key }));
    }
  }
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
