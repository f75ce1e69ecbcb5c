import type { Account } from '../../core/account.ts';
import { type Disposable, Emitter, type Event } from '../../core/event.ts';
import { parseAddress } from '../../core/origin.ts';
import type { ProviderKind } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { type ForeignKind, isPromise, readKind } from './foreignKind.ts';
import type { ClaimedExtension, ProviderConsent } from './providerConsent.ts';

/**
 * The ids of the built-in providers, which no other extension can register. Known before they are loaded, because other
 * extensions may register first.
 */
export const builtInIds: readonly string[] = [
  'anchor',
  'browserbase',
  'browserless',
  'gateway',
  'localChrome',
  'thisMachine',
];

/** What {@link ProviderKinds} needs for providers of other extensions. */
export interface ForeignParts {
  readonly consent: ProviderConsent;
  /** All accounts, whatever their provider. */
  readonly accounts: () => readonly Pick<Account, 'provider'>[];
}

interface Registration {
  readonly kind: ProviderKind;
  readonly by: ClaimedExtension;
}

/**
 * The providers that can have accounts: the built-in ones, loaded when the first account or command needs them, and
 * those that other extensions register while they run. Those get no key until the user allows it.
 */
export class ProviderKinds {
  readonly #loadBuiltIn: () => Promise<readonly ProviderKind[]>;
  readonly #foreign: ForeignParts;
  readonly #registrations = new Map<string, Registration>();
  readonly #loadedEmitter = new Emitter<void>();
  readonly #changed = new Emitter<string>();
  #loading: Promise<void> | undefined;
  #builtIn: ReadonlyMap<string, ProviderKind> = new Map();
  #guard: typeof import('./foreignProvider.ts').guardProvider | undefined;

  /** Fires once the built-in providers are loaded. */
  readonly onDidLoad: Event<void> = this.#loadedEmitter.event;

  /** Fires with the id of a provider that another extension registered or removed. */
  readonly onDidChange: Event<string> = this.#changed.event;

  constructor(loadBuiltIn: () => Promise<readonly ProviderKind[]>, foreign: ForeignParts) {
    this.#loadBuiltIn = loadBuiltIn;
    this.#foreign = foreign;
  }

  /** Resolves when the built-in providers are loaded. Of two providers with the same id the built-in one counts. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Those that are loaded, the built-in ones first. */
  get all(): readonly ProviderKind[] {
    const added = [...this.#registrations.values()].map(({ kind }) => kind);
    return [...this.#builtIn.values(), ...added.filter(({ id }) => !this.#builtIn.has(id))];
  }

  /** Those that accounts can be added for. The accounts of the others appear by themselves. */
  get addable(): readonly ProviderKind[] {
    return this.all.filter(({ isAutomatic }) => isAutomatic !== true);
  }

  /** Also undefined for a built-in provider that isn't loaded yet. */
  get(id: string): ProviderKind | undefined {
    return this.#builtIn.get(id) ?? this.#registrations.get(id)?.kind;
  }

  /** Whether a provider is built in. */
  isBuiltIn(kind: ProviderKind): boolean {
    return this.#builtIn.get(kind.id) === kind;
  }

  /** The extension that registered a provider; undefined for a built-in one, and for one that is gone. */
  extensionOf(kind: ProviderKind): ClaimedExtension | undefined {
    const registration = this.#registrations.get(kind.id);
    return registration?.kind === kind ? registration.by : undefined;
  }

  /**
   * Adds a provider of another extension until the result is disposed.
   * @param raw its {@link ProviderKind}, which is copied.
   * @param by the extension that the caller claims to be.
   * @throws TypeError if a field is missing or wrong, if its id is taken, or if keys are saved under its id that
   * weren't saved for this extension.
   */
  register(raw: unknown, by: ClaimedExtension): Disposable {
    const foreign = readKind(raw);
    const { id } = foreign.data;
    if (builtInIds.includes(id) || this.get(id) !== undefined) {
      throw new TypeError(`registerProvider: id: There is a provider with the id ${id} already`);
    }
    const kind = this.#guarded(foreign, by);
    const registration = { kind, by };
    if (this.#isSavedForOthers(registration)) {
      throw new TypeError(`registerProvider: id: Keys are saved for ${id} that were not saved for this extension`);
    }
    this.#registrations.set(id, registration);
    this.#changed.fire(id);
    return {
      dispose: () => {
        if (this.#registrations.get(id) !== registration) return;
        this.#registrations.delete(id);
        this.#changed.fire(id);
      },
    };
  }

  /**
   * The extension that the user must allow to receive keys before one is saved for a provider. Undefined for a built-in
   * provider, for one without keys, and once the user has allowed it.
   */
  needsConsent(kind: ProviderKind): ClaimedExtension | undefined {
    const registration = this.#registrations.get(kind.id);
    if (registration?.kind !== kind || this.#mayReceiveKeys(registration)) return undefined;
    return registration.by;
  }

  /**
   * Saves that the user allows an extension to receive the keys that are saved for its provider from now on.
   * @throws Error when keys are already saved under its id for a built-in provider or another extension.
   */
  async allow(kind: ProviderKind): Promise<void> {
    const registration = this.#registrations.get(kind.id);
    if (registration?.kind !== kind) return;
    if (this.#isSavedForOthers(registration)) throw notAllowed(kind);
    await this.#foreign.consent.give(kind.id, registration.by);
  }

  #mayReceiveKeys({ kind, by }: Registration): boolean {
    return kind.fields.length === 0 || this.#foreign.consent.has(kind.id, by);
  }

  /** Whether there are accounts under a provider's id that were saved for a built-in provider or another extension. */
  #isSavedForOthers(registration: Registration): boolean {
    const { id } = registration.kind;
    return !this.#mayReceiveKeys(registration) && this.#foreign.accounts().some(({ provider }) => provider === id);
  }

  /** The provider as the rest of the extension sees it: every call first checks if its code may receive the key. */
  #guarded({ data, connect, furtherAddresses }: ForeignKind, by: ClaimedExtension): ProviderKind {
    const kind: ProviderKind = Object.freeze({
      ...data,
      furtherAddresses: (origin: URL, credentials: Readonly<Record<string, string>>) => {
        if (!this.#mayReceiveKeys({ kind, by })) return [];
        return urlsOf(() => furtherAddresses(new URL(origin), fieldsOf(kind, credentials)));
      },
      connect: (link: Parameters<ProviderKind['connect']>[0]) => {
        if (!this.#mayReceiveKeys({ kind, by }) || this.#guard === undefined) throw notAllowed(kind);
        return this.#guard((its) => connect(its), { ...link, credentials: fieldsOf(kind, link.credentials) });
      },
    });
    return kind;
  }

  async #load(): Promise<void> {
    const [builtIn, { guardProvider }] = await Promise.all([this.#loadBuiltIn(), import('./foreignProvider.ts')]);
    this.#guard = guardProvider;
    this.#builtIn = new Map(builtIn.map((kind) => [kind.id, kind]));
    this.#loadedEmitter.fire();
  }
}

/** The values of a provider's own fields, and nothing else that was saved. */
function fieldsOf(kind: ProviderKind, credentials: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const known = kind.fields.flatMap(({ id }) => {
    const value = Object.hasOwn(credentials, id) ? credentials[id] : undefined;
    return value === undefined ? [] : [[id, value] as const];
  });
  return Object.freeze(Object.fromEntries(known));
}

/** Another extension's further addresses; none if it fails, or names one that a key may not be sent to. */
function urlsOf(give: () => unknown): readonly URL[] {
  try {
    const answer = give();
    if (isPromise(answer)) return [];
    const given = Array.from(answer as Iterable<unknown>, (url) => parseAddress(String(url)));
    return given.flatMap((address) => (address.ok ? [address.url] : []));
  } catch {
    return [];
  }
}

function notAllowed({ id }: ProviderKind): ProviderError {
  return new ProviderError(
    { kind: 'unsupported', reason: { kind: 'keysNotAllowed' } },
    `keys for ${id} may not be given to the extension that adds it`,
  );
}
