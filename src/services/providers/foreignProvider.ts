import type { CdpEvent, SessionDevtools } from '../../core/cdp.ts';
import { type Clock, deadline } from '../../core/clock.ts';
import type { Disposable } from '../../core/event.ts';
import type { HttpClient } from '../../core/http.ts';
import type { Inventory } from '../../core/inventory.ts';
import type { LiveView } from '../../core/liveView.ts';
import type { Link, Provider } from '../../core/provider.ts';
import { canceled, ProviderError } from '../../core/providerError.ts';
import { Turns } from '../../core/turns.ts';
import {
  deletionOf,
  endCauseOf,
  endOf,
  factsOf,
  inventoryOf,
  linkOf,
  livenessOf,
  livenessOfMany,
  liveViewOf,
  pagesOf,
  pictureOf,
  termsOf,
} from './foreignAnswers.ts';
import { errorOf } from './foreignErrors.ts';
import { isPromise } from './foreignKind.ts';

/** Milliseconds that a call, or the next page of a list, may take. */
const longestCallMs = 30_000;
/** The same for a call that ends sessions: a provider may take two minutes to delete a batch of a thousand. */
const longestEndMs = 150_000;
/** Milliseconds that a complete list may take. */
export const longestListMs = 120_000;

const asking = 'asking the extension that adds the provider';

type Call = (...args: readonly unknown[]) => unknown;

/**
 * Connects another extension's provider, and keeps its code apart from ours: it receives copies of its arguments, its
 * answers are checked and copied, and its errors become ProviderErrors. Each call ends in time whatever the code does,
 * unless it blocks the extension host.
 * @throws ProviderError when the code fails to connect.
 */
export function guardProvider(connect: (link: Link) => unknown, link: Link): Provider {
  const { clock } = link;
  const raw = connected(connect, linkFor(link));

  /** A member as it is now; undefined if it isn't a function or can't be read. */
  const member = (name: keyof Provider): Call | undefined => {
    try {
      const found: unknown = Reflect.get(raw, name);
      if (isPromise(found)) return undefined;
      return typeof found === 'function' ? (...args) => Reflect.apply(found, raw, args) : undefined;
    } catch {
      return undefined;
    }
  };
  const required = (name: keyof Provider): Call => {
    const call = member(name);
    if (call === undefined) throw errorOf(new TypeError(`it has no “${name}”`));
    return call;
  };
  /** Returns a function that calls a member, limits it to this many milliseconds, and reads its answer. */
  function askWithin(ms: number) {
    return async <T>(
      call: Call,
      signal: AbortSignal,
      read: (answer: unknown) => T,
      ...args: readonly unknown[]
    ): Promise<T> => {
      const answer = await withinTime(clock, ms, signal, (stop) => call(...args, stop));
      try {
        return read(answer);
      } catch (error) {
        throw errorOf(error);
      }
    };
  }
  const ask = askWithin(longestCallMs);
  const askToEnd = askWithin(longestEndMs);
  /** An optional member, which may come and go. */
  function optional<Name extends keyof Provider>(
    name: Name,
    wrap: (call: Call) => NonNullable<Provider[Name]>,
  ): Provider[Name] | undefined {
    const call = member(name);
    return call && wrap(call);
  }
  const nothing = (): void => {};
  /** Reads a live view and how to close it. */
  function closable(answer: unknown): LiveView {
    const view = liveViewOf(answer);
    const close: unknown = Reflect.get(answer as object, 'close');
    if (typeof close !== 'function') return view;
    return { ...view, close: async (signal) => ask((stop) => Reflect.apply(close, answer, [stop]), signal, nothing) };
  }

  return {
    get ending() {
      try {
        const terms: unknown = Reflect.get(raw, 'ending');
        return termsOf(isPromise(terms) ? undefined : terms);
      } catch {
        return termsOf(undefined);
      }
    },
    check: async (signal) => ask(required('check'), signal, factsOf),
    list: (signal) => withPages(listed(clock, required('list'), inventoryOf, signal)),
    end: async (session, signal) => askToEnd(required('end'), signal, endOf, structuredClone(session)),
    async probe(session, signal) {
      const call = member('probe');
      return call === undefined ? 'unknown' : ask(call, signal, livenessOf, structuredClone(session));
    },
    get probeMany() {
      return optional('probeMany', (call) => async (sessions, signal) => {
        return ask(call, signal, (answer) => livenessOfMany(answer, sessions), structuredClone(sessions));
      });
    },
    get endEverything() {
      return optional('endEverything', (call) => async (signal) => askToEnd(call, signal, nothing));
    },
    get deleteGroup() {
      return optional('deleteGroup', (call) => async (id, signal) => askToEnd(call, signal, deletionOf, id));
    },
    get finishedGroups() {
      const groupsOnly = (page: unknown) => inventoryOf({ ...(page as object), sessions: [] });
      return optional('finishedGroups', (call) => (signal) => listed(clock, call, groupsOnly, signal));
    },
    get cancelGroup() {
      return optional('cancelGroup', (call) => async (id, signal) => askToEnd(call, signal, nothing, id));
    },
    get pages() {
      return optional('pages', (call) => async (id, signal) => ask(call, signal, pagesOf, id));
    },
    get mayLookUpPages() {
      try {
        return Reflect.get(raw, 'mayLookUpPages') === true;
      } catch {
        return false;
      }
    },
    get liveView() {
      return optional('liveView', (call) => async (id, page, mode, signal) => {
        return ask(call, signal, closable, id, page, mode);
      });
    },
    get devtools() {
      return optional(
        'devtools',
        (call) => async (id, signal) => ask(call, signal, (answer) => devtoolsOf(clock, answer), id),
      );
    },
    get screenshot() {
      return optional('screenshot', (call) => async (id, signal) => ask(call, signal, pictureOf, id));
    },
    get recording() {
      return optional('recording', (call) => async (id, signal) => ask(call, signal, linkOf, id));
    },
    get dashboard() {
      return optional('dashboard', (call) => (id) => {
        try {
          return linkOf(atOnce('dashboard', call(id)));
        } catch (error) {
          throw errorOf(error);
        }
      });
    },
    get endCause() {
      return optional('endCause', (call) => async (id, signal) => ask(call, signal, endCauseOf, id));
    },
  };
}

function connected(connect: (link: Link) => unknown, link: Link): object {
  let raw: unknown;
  try {
    raw = atOnce('connect', connect(link));
  } catch (error) {
    throw errorOf(error);
  }
  if (typeof raw === 'object' && raw !== null) return raw;
  throw errorOf(new TypeError('“connect” returned nothing to work with'));
}

/** The link that the other extension's code receives: copies only, so that it can't change ours. */
function linkFor(link: Link): Link {
  const clientFor = (http: HttpClient): HttpClient =>
    Object.freeze({
      send: async (request: Parameters<HttpClient['send']>[0], signal: AbortSignal) =>
        http.send({ ...request }, signal),
    });
  return Object.freeze({
    origin: new URL(link.origin),
    credentials: link.credentials,
    http: clientFor(link.http),
    httpTo: (address: URL) => clientFor(link.httpTo(new URL(String(address)))),
    localPort: () => {
      const reason = { kind: 'otherAddress' } as const;
      throw new ProviderError({ kind: 'unsupported', reason }, 'ports of this machine are for built-in providers');
    },
    isShownElsewhere: () => false,
    hasAccountAt: () => false,
    setting: () => false,
    cdp: Object.freeze({
      dial: async (address: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal) =>
        link.cdp.dial(new URL(String(address)), { ...headers }, signal),
    }),
    clock: clockFor(link.clock),
  });
}

function clockFor(clock: Clock): Clock {
  return Object.freeze({
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms: number, run: () => void) => clock.after(ms, run),
  });
}

async function* listed(clock: Clock, list: Call, read: typeof inventoryOf, signal: AbortSignal) {
  const whole = deadline(clock, longestListMs);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, whole.signal]);
  const inTime = async (work: () => unknown) => {
    try {
      return await withinTime(clock, longestCallMs, both, work);
    } catch (error) {
      if (!whole.signal.aborted || signal.aborted) throw error;
      throw tooLate(longestListMs);
    }
  };
  const abort = () => stop.abort();
  both.addEventListener('abort', abort, { once: true });
  let rows: AsyncIterator<unknown> | undefined;
  try {
    // An async function instead of a generator returns a promise; its rejection is handled like any other.
    const pages = (await inTime(() => list(stop.signal))) as AsyncIterable<unknown> | undefined;
    const iterator = (await inTime(() => pages?.[Symbol.asyncIterator]())) as AsyncIterator<unknown> | undefined;
    rows = iterator;
    await inTime(() => {
      if (typeof iterator?.next !== 'function') throw new TypeError('“list” returned no pages');
    });
    const turns = new Turns();
    for (;;) {
      // An endless list of pages that are available at once would starve timers, and with them the deadline.
      if (turns.isOver) await turns.pass();
      // Reading what it answers is their code, too.
      const { done, value } = (await inTime(async () => {
        const answer: unknown = await iterator?.next();
        // Without an answer, there may be more pages.
        if (typeof answer !== 'object' || answer === null) throw new TypeError('“next” of the list returned nothing');
        const { done: isDone, value: page } = answer as IteratorResult<unknown>;
        return { done: isDone, value: page };
      })) as IteratorResult<unknown>;
      if (done === true) rows = undefined;
      // A page that comes with the end would be lost, and its sessions would seem to be gone.
      const isPage = done !== true || ((await inTime(() => mayBePage(value))) as boolean);
      if (isPage) yield (await inTime(() => read(value))) as Inventory;
      if (done === true) return;
    }
  } finally {
    both.removeEventListener('abort', abort);
    whole.dispose();
    stop.abort();
    // Tells the iterator that no more pages are read, without waiting for it.
    if (rows !== undefined) void leave(rows);
  }
}

/** Without any page, a list says nothing: code that catches its own error ends it that way, while sessions run. */
async function* withPages(list: AsyncIterable<Inventory>): AsyncIterable<Inventory> {
  let hasPages = false;
  for await (const page of list) {
    hasPages = true;
    yield page;
  }
  if (!hasPages) throw errorOf(new TypeError('“list” returned no pages, not even one without sessions'));
}

/**
 * Whether something that comes with the end of a list may be a page. A generator may return anything, but only what has no room for
 * rows is ignored.
 */
function mayBePage(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ('sessions' in value) return true;
  const isPlain = [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value));
  return !isPlain || Object.values(value).some((one) => typeof one === 'object' && one !== null);
}

async function leave(rows: AsyncIterator<unknown>): Promise<void> {
  try {
    await rows.return?.();
  } catch {
    // What it answers to that doesn't matter.
  }
}

/**
 * Runs another extension's code until it finishes, is canceled, or its time is up.
 * @throws ProviderError `canceled`, `timedOut`, or for what the code threw.
 */
async function withinTime(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (stop: AbortSignal) => unknown,
): Promise<unknown> {
  if (signal.aborted) throw canceled(asking);
  const limit = deadline(clock, ms);
  const stop = AbortSignal.any([signal, limit.signal]);
  const over = Promise.withResolvers<never>();
  const leaveIt = () => over.reject(signal.aborted ? canceled(asking) : tooLate(ms));
  stop.addEventListener('abort', leaveIt, { once: true });
  const done = (async () => {
    try {
      return await work(stop);
    } catch (error) {
      throw errorOf(error);
    }
  })();
  try {
    return await Promise.race([done, over.promise]);
  } finally {
    stop.removeEventListener('abort', leaveIt);
    limit.dispose();
  }
}

function tooLate(afterMs: number): ProviderError {
  return new ProviderError({ kind: 'timedOut', afterMs }, 'the extension that adds the provider didn’t answer in time');
}

/** The answer of a member that must answer synchronously. @throws TypeError if it is a promise. */
function atOnce(name: string, answer: unknown): unknown {
  if (isPromise(answer)) throw new TypeError(`“${name}” returned a promise, which it must not do`);
  return answer;
}

function devtoolsOf(clock: Clock, raw: unknown): SessionDevtools {
  const { connection, owns } = raw as SessionDevtools;
  const { send, onEvent, onClose, dispose } = connection;
  if ([owns, send, onEvent, onClose, dispose].some((call) => typeof call !== 'function')) {
    throw new TypeError('“devtools” returned no connection');
  }
  /** Calls what must answer synchronously; undefined if it fails or answers with a promise. */
  const quietly = (call: () => unknown): unknown => {
    try {
      const answer = call();
      return isPromise(answer) ? undefined : answer;
    } catch {
      return undefined;
    }
  };
  const stopped = (subscription: unknown) => ({
    dispose: () => void quietly(() => (subscription as Disposable | undefined)?.dispose()),
  });
  return {
    owns: (context) => quietly(() => Reflect.apply(owns, raw, [context])) === true,
    connection: {
      async send(method, params, signal, target) {
        const asked = { ...params };
        const answer = await withinTime(clock, longestCallMs, signal, (stop) =>
          connection.send(method, asked, stop, target),
        );
        return typeof answer === 'object' && answer !== null ? { ...answer } : {};
      },
      onEvent: (listener) => stopped(quietly(() => connection.onEvent((event) => isEvent(event) && listener(event)))),
      onClose: (listener) => stopped(quietly(() => connection.onClose(() => listener()))),
      dispose: () => void quietly(() => connection.dispose()),
    },
  };
}

function isEvent(value: CdpEvent | undefined): value is CdpEvent {
  return typeof value?.method === 'string' && typeof value.params === 'object' && value.params !== null;
}
