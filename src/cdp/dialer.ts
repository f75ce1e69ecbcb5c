import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import WebSocket, { type ClientOptions } from 'ws';
import type { CdpConnection, CdpDialer, CdpEvent } from '../core/cdp.ts';
import type { Clock } from '../core/clock.ts';
import { Emitter, type Event } from '../core/event.ts';
import { lookupLoopback } from '../core/loopback.ts';
import { hasTooManyValues, idAtFront } from '../core/messageSize.ts';
import { isLoopback } from '../core/origin.ts';
import { PendingCalls } from '../core/pendingCalls.ts';
import { plainText } from '../core/plainText.ts';
import { canceled, ProviderError } from '../core/providerError.ts';
import { assertOrigin } from '../core/requestUrl.ts';

const handshakeTimeoutMs = 5_000;
/** How long a server may take to close a connection, in milliseconds. */
const closeWithinMs = 1_000;
/** The largest message that is accepted: an image of a page that fills a screen of eight million pixels. */
const maxMessageBytes = 24 * 2 ** 20;

/** Which certificates are trusted. For other hosts than this machine, the editor itself adds the system's. */
export type TrustedTls = Pick<ConnectionOptions, 'secureContext' | 'rejectUnauthorized'>;

/**
 * Opens CDP connections with the `ws` package.
 * @param origin the account's; any other address is refused with `unsupported`.
 */
export function openCdpDialer(origin: URL, clock: Clock, tls: () => TrustedTls = () => ({})): CdpDialer {
  return {
    dial: (address, headers, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(canceled('connecting to DevTools'));
          return;
        }
        const options = {
          headers,
          handshakeTimeout: handshakeTimeoutMs,
          maxPayload: maxMessageBytes,
          perMessageDeflate: false,
          // Each message is handled in a turn of its own: reading and searching many at once would block.
          allowSynchronousEvents: false,
        };
        assertOrigin(address, origin.origin);
        const socket = isLoopback(address.hostname)
          ? openLocally(address, options, tls())
          : new WebSocket(address, { ...options, rejectUnauthorized: tls().rejectUnauthorized ?? true });
        const stop = () => {
          socket.terminate();
          reject(canceled('connecting to DevTools'));
        };
        signal.addEventListener('abort', stop, { once: true });
        socket.once('open', () => {
          signal.removeEventListener('abort', stop);
          resolve(new SocketConnection(socket, clock));
        });
        // Also handles the error of the socket that `stop` terminated; rejecting a settled promise does nothing.
        socket.on('error', (error) => {
          signal.removeEventListener('abort', stop);
          reject(dialError(error));
        });
      }),
  };
}

/**
 * Opens a WebSocket on this machine, without a proxy or a resolver. VS Code replaces `http.request`, which `ws` uses,
 * with its own function, and sends requests through the editor's proxy whatever agent they name. It exempts requests to
 * a local socket (@vscode/proxy-agent, `createHttpPatch`), so this pretends to be one, and the connection is made here.
 */
function openLocally(address: URL, options: ClientOptions, tls: TrustedTls): WebSocket {
  const isSecure = address.protocol === 'wss:';
  const host = address.hostname.replace(/^\[|\]$/g, '');
  const port = Number(address.port || (isSecure ? 443 : 80));
  const way = { host, port, lookup: lookupLoopback, autoSelectFamily: true, timeout: handshakeTimeoutMs };
  const open = (): Socket =>
    isSecure ? connectTls({ ...tls, ...way, servername: isIP(host) === 0 ? host : '' }) : connect(way);
  return new WebSocket(`ws+unix:/this-machine:${address.pathname}${address.search}`, {
    ...options,
    headers: { ...options.headers, host: address.host },
    createConnection: open as typeof connect,
  });
}

const statusErrors: ReadonlyMap<string, 'unauthorized' | 'forbidden' | 'notFound'> = new Map([
  ['401', 'unauthorized'],
  ['403', 'forbidden'],
  ['404', 'notFound'],
]);

function dialError(error: Error): ProviderError {
  const code = 'code' in error ? error.code : undefined;
  const message = `connecting to DevTools failed: ${error.message}`;
  const [, status = ''] = /Unexpected server response: (\d+)/.exec(error.message) ?? [];
  const statusError = statusErrors.get(status);
  if (statusError !== undefined) return new ProviderError({ kind: statusError }, message);
  if (/handshake has timed out/.test(error.message)) {
    return new ProviderError({ kind: 'timedOut', afterMs: handshakeTimeoutMs }, message);
  }
  return new ProviderError({ kind: 'unreachable', why: code === 'ECONNREFUSED' ? 'refused' : 'cut' }, message);
}

/**
 * One WebSocket. Commands are numbered, and an answer has the number of its command. A message without one is an event.
 */
class SocketConnection implements CdpConnection {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #calls: PendingCalls<Readonly<Record<string, unknown>>>;
  readonly #event = new Emitter<CdpEvent>();
  readonly #closed = new Emitter<void>();
  #disposed = false;
  #tooLarge = false;

  readonly onEvent: Event<CdpEvent> = this.#event.event;
  readonly onClose: Event<void> = this.#closed.event;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.#calls = new PendingCalls(clock);
    socket.on('message', this.#receive);
    socket.on('error', (error) => {
      this.#tooLarge ||= 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
    });
    socket.on('close', () => {
      this.#failAll();
      if (!this.#disposed) this.#closed.fire();
    });
  }

  send(
    method: string,
    params: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    target?: string,
  ): Promise<Readonly<Record<string, unknown>>> {
    if (!signal.aborted && this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(lost(method));
    return this.#calls.add(method, signal, (id) => {
      this.#socket.send(JSON.stringify({ id, method, params, sessionId: target }));
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#socket.off('message', this.#receive);
    // What was sent before is still delivered. Without a limit, `ws` waits half a minute for the server to close, and reads
    // all that it sends until then.
    this.#socket.close();
    const limit = this.#clock.after(closeWithinMs, () => this.#socket.terminate());
    this.#socket.once('close', () => limit.dispose());
    this.#failAll();
  }

  readonly #receive = (data: Buffer): void => {
    if (hasTooManyValues(data)) {
      this.#calls.reject(idAtFront(data), () => tooLarge('too large to read'));
      return;
    }
    let message: Readonly<Record<string, unknown>>;
    try {
      message = fields(JSON.parse(data.toString('utf8')));
    } catch {
      // Not DevTools, so nothing that it sends can be an answer.
      this.#socket.terminate();
      return;
    }
    const { id, method, sessionId, params, result, error } = message;
    if (id === undefined && typeof method === 'string') {
      const target = typeof sessionId === 'string' ? sessionId : undefined;
      this.#event.fire({ method, params: fields(params), target });
      return;
    }
    if (error !== undefined) this.#calls.reject(id, (named) => commandError(named, error));
    else this.#calls.resolve(id, fields(result));
  };

  #failAll(): void {
    const mebibytes = maxMessageBytes / 2 ** 20;
    this.#calls.rejectAll((method) => (this.#tooLarge ? tooLarge(`larger than ${mebibytes} MiB`) : lost(method)));
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function tooLarge(how: string): ProviderError {
  return new ProviderError({ kind: 'unexpectedAnswer', what: `its response is ${how}` }, `an answer is ${how}`);
}

function lost(method: string): ProviderError {
  return new ProviderError({ kind: 'unreachable', why: 'cut' }, `${method}: the connection to DevTools is closed`);
}

/** Maximum length that is read of a browser's error message, in characters. */
const longestMessage = 1_000;

/**
 * Chrome reports an unknown context or target only by its message, under codes that it shares with other errors: -32000
 * "Failed to find context with id …", -32602 "No target with given id found" (Chromium 156).
 */
function commandError(method: string, error: unknown): ProviderError {
  const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined;
  const said = typeof message === 'string' ? message.slice(0, longestMessage) : '';
  const detail = plainText(said, 200) || undefined;
  const trouble = /failed to find context|no target with given id|no such target/i.test(said)
    ? ({ kind: 'notFound' } as const)
    : ({ kind: 'unexpectedAnswer', what: `it refused ${method}` } as const);
  return new ProviderError(trouble, `${method}: ${detail ?? "it didn't give a reason"}`, { detail });
}
