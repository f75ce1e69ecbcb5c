import type { GroupDeletion } from '../../../src/core/group.ts';
import { type AccountId, type GroupId, pageId, type SessionId } from '../../../src/core/ids.ts';
import type { Inventory } from '../../../src/core/inventory.ts';
import {
  type EndAnswer,
  type EndingTerms,
  type Liveness,
  type Provider,
  type ProviderKind,
  usualEnding,
} from '../../../src/core/provider.ts';
import { ProviderError, type Trouble } from '../../../src/core/providerError.ts';
import type { Session } from '../../../src/core/session.ts';
import type { AccountSession, EndOptions, EndReport } from '../../../src/services/ending/report.ts';
import { exampleProvider } from '../providers/exampleProvider.ts';
import { someSession } from '../sessions.ts';
import { MapMemory, TestServices } from './testServices.ts';
import { VirtualClock } from './virtualClock.ts';

/** One call to a scripted provider. */
export interface Call {
  readonly kind: 'list' | 'end' | 'probe' | 'probeMany' | 'endEverything' | 'deleteGroup' | 'cancelGroup' | 'pages';
  /** What it was about: ids of sessions or of a group. */
  readonly about: readonly string[];
  /** Milliseconds since the provider was made, by its clock. */
  readonly at: number;
}

/** A page, as a test writes it. */
interface PageRow {
  readonly id: string;
  readonly title: string;
  readonly url: string;
}

/** How many milliseconds the responses of a scripted provider take. */
export const takes = { list: 10, end: 20, probe: 5, pages: 50 } as const;

/**
 * A provider whose every response a test decides, in virtual time. By default it reports the truth: `running` is what
 * is running, an end ends, and lists and probes report it.
 */
export class ScriptedProvider {
  readonly clock: VirtualClock;
  readonly running = new Map<string, Session>();
  readonly calls: Call[] = [];
  /** The highest number of calls of each kind in flight. */
  readonly most = new Map<Call['kind'], number>();
  ending: EndingTerms = usualEnding;
  /** Responds to an end, after its delay. `attempt` counts from 1 for each session. */
  onEnd: (session: Session, attempt: number) => EndAnswer | Promise<EndAnswer>;
  /** Says what a list contains in addition to or instead of what is running. `nth` counts from 1. */
  onList: (nth: number) => Partial<Inventory> | Promise<Partial<Inventory>> = () => ({});
  onProbe: (session: Session) => Liveness | Promise<Liveness>;
  probeMany: ((sessions: readonly Session[]) => Promise<ReadonlyMap<SessionId, Liveness>>) | undefined;
  endEverything: (() => Promise<void>) | undefined;
  deleteGroup: ((id: GroupId) => Promise<GroupDeletion>) | undefined;
  cancelGroup: ((id: GroupId) => Promise<void>) | undefined;
  /** Set if sessions have pages that lists don't include. */
  onPages: ((id: SessionId) => PageRow[] | Promise<PageRow[]>) | undefined;
  mayLookUpPages: boolean | undefined;
  readonly #began: number;
  readonly #now = new Map<Call['kind'], number>();

  constructor(clock: VirtualClock) {
    this.clock = clock;
    this.#began = clock.now();
    this.onEnd = ({ id }) => ({ outcome: this.running.delete(id) ? 'ended' : 'alreadyGone', how: undefined });
    this.onProbe = ({ id }) => (this.running.has(id) ? 'running' : 'gone');
  }

  /** Starts a session, which then runs until it is ended. */
  start(id: string, more: Partial<Session> = {}): Session {
    const session = someSession(id, { startedAt: this.clock.now(), ...more });
    this.running.set(id, session);
    return session;
  }

  /** The calls of one kind, by what they were about. */
  asked(kind: Call['kind']): string[] {
    return this.calls.filter((call) => call.kind === kind).map(({ about }) => about.join());
  }

  /** When one kind was called, in milliseconds since the provider was made. */
  times(kind: Call['kind']): number[] {
    return this.calls.filter((call) => call.kind === kind).map(({ at }) => at);
  }

  /** The kind under which it is registered. */
  get kind(): ProviderKind {
    return { ...exampleProvider, id: 'scripted', fields: [], connect: () => this.provider };
  }

  /** A connection to it; each has a provider of its own, as in the extension. */
  get provider(): Provider {
    const script = this;
    return {
      ending: this.ending,
      check: async () => ({ identity: undefined, sessionLimit: undefined, note: undefined }),
      list: () => this.#list(),
      end: (session) => {
        const attempt = this.asked('end').filter((id) => id === session.id).length + 1;
        return this.#answer('end', [session.id], takes.end, () => this.onEnd(session, attempt));
      },
      probe: (session) => this.#answer('probe', [session.id], takes.probe, () => this.onProbe(session)),
      // Its capabilities may become known later.
      get probeMany() {
        const { probeMany } = script;
        return (
          probeMany &&
          ((sessions: readonly Session[]) => {
            const ids = sessions.map(({ id }) => id);
            return script.#answer('probeMany', ids, takes.probe, () => probeMany(sessions));
          })
        );
      },
      get endEverything() {
        const { endEverything } = script;
        return endEverything && (() => script.#answer('endEverything', [], takes.end, endEverything));
      },
      get deleteGroup() {
        const { deleteGroup } = script;
        return deleteGroup && ((id: GroupId) => script.#answer('deleteGroup', [id], takes.end, () => deleteGroup(id)));
      },
      get pages() {
        const { onPages } = script;
        return (
          onPages &&
          ((id: SessionId) =>
            script.#answer('pages', [id], takes.pages, async () =>
              (await onPages(id)).map((page) => ({ ...page, id: pageId(page.id) })),
            ))
        );
      },
      get mayLookUpPages() {
        return script.mayLookUpPages;
      },
      get cancelGroup() {
        const { cancelGroup } = script;
        return cancelGroup && ((id: GroupId) => script.#answer('cancelGroup', [id], takes.end, () => cancelGroup(id)));
      },
    };
  }

  async *#list() {
    const nth = this.asked('list').length + 1;
    const answer = await this.#answer('list', [], takes.list, () => this.onList(nth));
    yield { sessions: [...this.running.values()], groups: [], faults: [], account: undefined, ...answer };
  }

  async #answer<T>(kind: Call['kind'], about: readonly string[], ms: number, answer: () => T | Promise<T>): Promise<T> {
    this.calls.push({ kind, about, at: this.clock.now() - this.#began });
    const now = (this.#now.get(kind) ?? 0) + 1;
    this.#now.set(kind, now);
    this.most.set(kind, Math.max(now, this.most.get(kind) ?? 0));
    try {
      await this.clock.wait(ms);
      return await answer();
    } finally {
      this.#now.set(kind, (this.#now.get(kind) ?? 0) - 1);
    }
  }
}

/** The error that a provider throws, with a message that distinguishes it from others. */
export function failure(trouble: Trouble, detail?: string): ProviderError {
  return new ProviderError(trouble, `it failed: ${trouble.kind}`, { detail });
}

/** A response that never comes. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

/** All of the services over one scripted provider, in virtual time. */
export interface ScriptedServices {
  readonly clock: VirtualClock;
  readonly provider: ScriptedProvider;
  readonly services: TestServices;
  readonly id: AccountId;
  /** What is listed now, as targets of an end: those with the given ids, or all. */
  targets(...ids: readonly string[]): AccountSession[];
  /** Ends them, and lets time pass until it is over. */
  end(targets: readonly AccountSession[], options?: Partial<EndOptions>): Promise<EndReport>;
  /** Lets time pass until something is over. */
  over<T>(work: Promise<T>): Promise<T>;
}

/**
 * Creates services with one account, and lists it.
 * @param prepare sets up what holds before the account is added, such as what is running.
 */
export async function scriptedServices(
  prepare: (provider: ScriptedProvider) => void,
  {
    interval = 10_000,
    background = () => 0,
  }: { readonly interval?: number | (() => number); readonly background?: () => number } = {},
): Promise<ScriptedServices> {
  const clock = new VirtualClock();
  const provider = new ScriptedProvider(clock);
  prepare(provider);
  const services = new TestServices({ clock, kinds: [provider.kind], memory: new MapMemory(0), interval, background });
  const over = <T>(work: Promise<T>) => clock.until(work, 3_600_000);
  const id = await over(services.add('scripted', 'https://scripted.example'));
  const listed = () => [...(services.store.state(id)?.contents.sessions.values() ?? [])];
  return {
    clock,
    provider,
    services,
    id,
    over,
    targets: (...ids) =>
      listed()
        .filter((session) => ids.length === 0 || ids.includes(session.id))
        .map((session) => ({ accountId: id, session })),
    end: (targets, options) =>
      over(services.ender.end(targets, { stop: new AbortController().signal, onProgress: () => {}, ...options })),
  };
}
