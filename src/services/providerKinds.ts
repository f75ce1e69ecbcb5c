import { type Disposable, Emitter, type Event } from '../core/event.ts';
import type { ProviderKind } from '../core/provider.ts';

/**
 * The vendors that can have accounts: the built-in ones, which are loaded when the first account or command needs them,
 * and those that other extensions add while they run.
 */
export class ProviderKinds {
  readonly #loadBuiltIn: () => Promise<readonly ProviderKind[]>;
  readonly #kinds = new Map<string, ProviderKind>();
  readonly #loadedEmitter = new Emitter<void>();
  readonly #changed = new Emitter<string>();
  #loading: Promise<void> | undefined;
  #builtIn: readonly ProviderKind[] = [];

  /** Fires once the built-in vendors are there. */
  readonly onDidLoad: Event<void> = this.#loadedEmitter.event;

  /** Fires with the id of a vendor that another extension added or took away. */
  readonly onDidChange: Event<string> = this.#changed.event;

  constructor(loadBuiltIn: () => Promise<readonly ProviderKind[]>) {
    this.#loadBuiltIn = loadBuiltIn;
  }

  /** Resolves when the built-in vendors are there. Of two vendors with the same id the built-in one counts. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Those that are loaded, the built-in ones first. */
  get all(): readonly ProviderKind[] {
    return [...this.#kinds.values()];
  }

  /** Undefined also for a built-in vendor that is not loaded yet. */
  get(id: string): ProviderKind | undefined {
    return this.#kinds.get(id);
  }

  /** Whether a vendor is one of this extension's own. */
  isBuiltIn(kind: ProviderKind): boolean {
    return this.#builtIn.includes(kind);
  }

  /**
   * Adds a vendor until the result is disposed.
   * @throws TypeError when its id is taken or is not lower camel case.
   */
  register(kind: ProviderKind): Disposable {
    if (!/^[a-z][A-Za-z0-9]{0,40}$/.test(kind.id)) throw new TypeError(`Not a provider id: ${kind.id}`);
    if (this.#kinds.has(kind.id)) throw new TypeError(`There is a provider with the id ${kind.id} already.`);
    this.#kinds.set(kind.id, kind);
    this.#changed.fire(kind.id);
    return {
      dispose: () => {
        if (this.#kinds.get(kind.id) !== kind) return;
        this.#kinds.delete(kind.id);
        this.#changed.fire(kind.id);
      },
    };
  }

  async #load(): Promise<void> {
    this.#builtIn = await this.#loadBuiltIn();
    const added = [...this.#kinds];
    this.#kinds.clear();
    for (const kind of this.#builtIn) this.#kinds.set(kind.id, kind);
    for (const [id, kind] of added) if (!this.#kinds.has(id)) this.#kinds.set(id, kind);
    this.#loadedEmitter.fire();
  }
}
