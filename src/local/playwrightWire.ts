import { createConnection, type Socket } from 'node:net';
import * as v from 'valibot';
import type { CdpConnection, CdpEvent } from '../core/cdp.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter } from '../core/event.ts';
import { hasTooManyValues, idAtFront } from '../core/messageSize.ts';
import { PendingCalls } from '../core/pendingCalls.ts';
import { canceled, ProviderError } from '../core/providerError.ts';
import { Turns } from '../core/turns.ts';
import { isOwnSocket } from './ownFile.ts';

// Playwright offers a browser that was bound (`browser.bind`, its MCP server, its command line) at a local socket. JSON
// messages end with a zero byte: `{id, guid, method, params}` and `{id, result}` or `{id, error}`; without an id they are
// events, and `__create__` tells of an object. That protocol isn't documented and serves Playwright's own clients. Seen to
// work with 1.59, 1.61, 1.64 and 1.65: only what all of them have is used, which is to open DevTools sessions. Those are
// this client's own. Frames of `Page.startScreencast` don't starve other clients, while `page.screencastStart` is shared with
// Playwright's own clients.
//
// A client is also told of every request of every page, with headers. That is dropped as soon as it's read.

const connectTimeoutMs = 3_000;
const maxMessageBytes = 24 * 2 ** 20;
/** Pages beyond this aren't remembered. */
const mostPages = 10_000;

const Message = v.object({
  id: v.optional(v.number()),
  guid: v.optional(v.string(), ''),
  method: v.optional(v.string()),
  params: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
  error: v.optional(v.unknown()),
});
const Created = v.object({ guid: v.string(), type: v.string() });
const Session = v.object({ session: v.object({ guid: v.string() }) });
const Result = v.object({ result: v.optional(v.record(v.string(), v.unknown()), {}) });
const EventMessage = v.object({ method: v.string(), params: v.optional(v.record(v.string(), v.unknown()), {}) });
const Info = v.object({ targetInfo: v.object({ targetId: v.string() }) });
const Attaching = v.object({ targetId: v.string() });
const Detaching = v.object({ sessionId: v.string() });

type Values = Readonly<Record<string, unknown>>;

/**
 * Connects to a browser that Playwright has bound to a local socket, as if to its DevTools. Nothing is started by it, and
 * closing the connection changes nothing.
 * @throws ProviderError `unsupported` for a socket that isn't this user's own, `unreachable`, `timedOut`, `canceled`,
 * `unexpectedAnswer`.
 */
export async function dialPlaywright(path: string, clock: Clock, signal: AbortSignal): Promise<CdpConnection> {
  if (!(await isOwnSocket(path))) {
    const reason = { kind: 'sessionLiveView' } as const;
    throw new ProviderError(
      { kind: 'unsupported', reason },
      'its socket is not in a folder that only this user can write to',
    );
  }
  const socket = await connected(path, clock, signal);
  const wire = new Wire(socket, clock);
  try {
    await wire.initialize(signal);
    return wire;
  } catch (error) {
    wire.dispose();
    throw error;
  }
}

function connected(path: string, clock: Clock, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(canceled('connecting to Playwright'));
      return;
    }
    const socket = createConnection(path);
    const fail = (error: ProviderError) => {
      socket.destroy();
      reject(error);
    };
    const stop = () => fail(canceled('connecting to Playwright'));
    const timer = clock.after(connectTimeoutMs, () =>
      fail(
        new ProviderError({ kind: 'timedOut', afterMs: connectTimeoutMs }, 'connecting to Playwright took too long'),
      ),
    );
    signal.addEventListener('abort', stop, { once: true });
    socket.once('connect', () => {
      timer.dispose();
      signal.removeEventListener('abort', stop);
      resolve(socket);
    });
    // Also handles errors after it was connected, which close it.
    socket.on('error', () => {
      timer.dispose();
      signal.removeEventListener('abort', stop);
      fail(new ProviderError({ kind: 'unreachable', why: 'refused' }, 'nothing answers at the socket'));
    });
  });
}

/** One connection. What isn't about a page goes to a DevTools session of the browser as a whole. */
class Wire implements CdpConnection {
  readonly #socket: Socket;
  readonly #calls: PendingCalls<unknown>;
  readonly #event = new Emitter<CdpEvent>();
  readonly #closed = new Emitter<void>();
  /** The context of each page, by guid. */
  readonly #pages = new Map<string, string>();
  #browser = '';
  #root = '';
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #disposed = false;

  readonly onEvent = this.#event.event;
  readonly onClose = this.#closed.event;

  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#calls = new PendingCalls(clock);
    socket.on('data', (data: Buffer) => this.#receive(data));
    socket.once('close', () => this.#lose());
  }

  async initialize(signal: AbortSignal): Promise<void> {
    await this.#call('', 'initialize', { sdkLanguage: 'javascript' }, signal);
    if (this.#browser === '') throw unexpected('it offers no browser');
    const { session } = read(Session, await this.#call(this.#browser, 'newBrowserCDPSession', {}, signal));
    this.#root = session.guid;
  }

  async send(method: string, params: Values, signal: AbortSignal, target?: string): Promise<Values> {
    if (target !== undefined) return this.#devtools(target, method, params, signal);
    if (method === 'Target.attachToTarget') return this.#attach(read(Attaching, params).targetId, signal);
    if (method === 'Target.detachFromTarget') {
      await this.#call(read(Detaching, params).sessionId, 'detach', {}, signal);
      return {};
    }
    return this.#devtools(this.#root, method, params, signal);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#socket.destroy();
    this.#calls.rejectAll(canceled);
  }

  async #devtools(session: string, method: string, params: Values, signal: AbortSignal): Promise<Values> {
    return read(Result, await this.#call(session, 'send', { method, params }, signal)).result;
  }

  /** Opens a DevTools session for a page. Which page has a target's id is only known from such a session. */
  async #attach(targetId: string, signal: AbortSignal): Promise<Values> {
    for (const [page, context] of this.#pages) {
      const { session } = read(Session, await this.#call(context, 'newCDPSession', { page: { guid: page } }, signal));
      const info = await this.#devtools(session.guid, 'Target.getTargetInfo', {}, signal);
      if (read(Info, info).targetInfo.targetId === targetId) return { sessionId: session.guid };
      await this.#call(session.guid, 'detach', {}, signal);
    }
    throw new ProviderError({ kind: 'notFound' }, 'there is no such page');
  }

  #call(guid: string, method: string, params: Values, signal: AbortSignal): Promise<unknown> {
    if (this.#disposed) return Promise.reject(canceled(method));
    return this.#calls.add(method, signal, (id) => {
      this.#socket.write(`${JSON.stringify({ id, guid, method, params, metadata: {} })}\0`);
    });
  }

  #receive(data: Buffer): void {
    let rest = data;
    const turns = new Turns();
    // After a message that couldn't be read, the socket is closed and the rest is ignored.
    for (let end = rest.indexOf(0); end >= 0 && !this.#socket.destroyed; end = rest.indexOf(0)) {
      this.#received.push(rest.subarray(0, end));
      const message = Buffer.concat(this.#received);
      this.#received = [];
      this.#receivedBytes = 0;
      rest = rest.subarray(end + 1);
      this.#take(message);
      if (!turns.isOver || rest.indexOf(0) < 0) continue;
      // Others have their turn before the rest of many small messages.
      this.#socket.pause();
      setImmediate(() => {
        this.#socket.resume();
        this.#receive(rest);
      });
      return;
    }
    if (this.#socket.destroyed) return;
    this.#received.push(rest);
    this.#receivedBytes += rest.length;
    if (this.#receivedBytes > maxMessageBytes) this.#socket.destroy();
  }

  #take(json: Buffer): void {
    if (hasTooManyValues(json)) {
      this.#calls.reject(idAtFront(json), () => unexpected('its answer is too large to read'));
      return;
    }
    const message = v.safeParse(Message, parsed(json.toString('utf8')));
    if (!message.success) {
      this.#socket.destroy();
      return;
    }
    const { id, guid, method, params, result, error } = message.output;
    if (id !== undefined) {
      if (error === undefined) this.#calls.resolve(id, result);
      // Its text may hold addresses and what a page says.
      else this.#calls.reject(id, () => unexpected('it refused a request'));
      return;
    }
    switch (method) {
      case '__create__': {
        const created = v.safeParse(Created, params);
        if (!created.success) return;
        if (created.output.type === 'Page' && this.#pages.size < mostPages) this.#pages.set(created.output.guid, guid);
        if (created.output.type === 'Browser') this.#browser ||= created.output.guid;
        return;
      }
      case '__dispose__':
        this.#pages.delete(guid);
        return;
      case 'event': {
        const parsed = v.safeParse(EventMessage, params);
        if (!parsed.success) return;
        const target = guid === this.#root ? undefined : guid;
        this.#event.fire({ method: parsed.output.method, params: parsed.output.params, target });
        return;
      }
      case 'close':
        // A DevTools session ends with its page, and by Playwright's own choice.
        this.#event.fire({ method: 'Target.detachedFromTarget', params: { sessionId: guid }, target: undefined });
        return;
      default:
    }
  }

  #lose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#calls.rejectAll(
      () => new ProviderError({ kind: 'unreachable', why: 'cut' }, 'Playwright closed the connection'),
    );
    this.#closed.fire();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unexpected(what: string): ProviderError {
  return new ProviderError({ kind: 'unexpectedAnswer', what }, `Playwright: ${what}`);
}

function read<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (!result.success) throw unexpected('its answer has another shape');
  return result.output;
}
