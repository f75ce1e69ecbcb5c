import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import type { Disposable } from '../core/event.ts';
import { assertOrigin } from '../core/requestUrl.ts';
import { RefusedRequest, TransportError, type TransportRequest } from './transport.ts';

/** Concurrent requests if the server doesn't say how many it accepts. RFC 9113, 6.5.2 recommends at least 100. */
const usualStreams = 100;
/** Most concurrent requests, even if the server accepts more. */
const mostStreams = 256;
/** Node's value for the number of streams until the server's SETTINGS announce one. */
const unlimitedStreams = 2 ** 32 - 1;
/** How long an idle connection is reused. An older one may have broken while the machine slept. */
const idleMs = 15_000;
/** How many notices about origins and alternative servers are accepted. None is used, and a flood would keep a processor busy. */
const mostNotices = 100;
/** Bytes of an answer that the server may send before any are read. Node's 64 KiB would slow down long lists. */
const windowBytes = 2 ** 20;

/** The start of an answer; the stream is its body, not read yet. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly stream: ClientHttp2Stream;
}

/**
 * One HTTP/2 connection that carries all requests to an origin. undici opens it, but the requests go through Node's own
 * session: when a server announces that it accepts no more (GOAWAY, which nginx sends every thousand requests), undici
 * fails all requests in flight and doesn't say which of them the server has accepted.
 */
export class Http2Connection {
  readonly #origin: string;
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  #streams = 0;
  /** Requests waiting for a stream, in order. Each is called when a stream may be free. */
  readonly #waiting = new Set<() => void>();
  #goawayCode: number | undefined;
  #heardAt = 0;
  /** When the last request finished, in wall-clock time: other clocks stand still while a machine sleeps. */
  #usedAt: number;
  /** Closes it when it has been idle for too long. Node's own timeout starts again with each SETTINGS of the server. */
  #idle: Disposable;

  /**
   * @param socket connected, with TLS, to a server that has chosen HTTP/2.
   * @param origin the only origin requests may go to, as `URL.origin` writes it.
   */
  constructor(socket: Socket, origin: string, clock: Clock) {
    this.#origin = origin;
    this.#clock = clock;
    this.#usedAt = clock.now();
    this.#session = connect(origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    const session = this.#session;
    session.on('connect', () => session.setLocalWindowSize(windowBytes));
    // Each request learns about it from its own stream.
    session.on('error', () => {});
    session.on('goaway', (code) => {
      this.#goawayCode = code;
      // The session only starts closing after this event.
      queueMicrotask(() => this.#wake());
    });
    session.on('remoteSettings', () => this.#wake());
    let notices = 0;
    const note = () => {
      if (++notices > mostNotices) session.destroy();
    };
    for (const event of ['origin', 'altsvc']) session.on(event, note);
    session.on('close', () => {
      this.#idle.dispose();
      this.#wake();
    });
    this.#idle = this.#closeWhenIdle();
    session.unref();
  }

  /** Whether it accepts requests. Once closed, it still finishes those in flight. */
  get isOpen(): boolean {
    const isOld = this.#streams === 0 && this.#clock.now() - this.#usedAt > idleMs;
    return !this.#session.closed && !this.#session.destroyed && !isOld;
  }

  /** How many concurrent requests the server's SETTINGS allow: 100 until they say so, and at most 256. */
  get concurrency(): number {
    const limit = this.#session.remoteSettings?.maxConcurrentStreams ?? unlimitedStreams;
    return limit === unlimitedStreams ? usualStreams : Math.min(limit, mostStreams);
  }

  /** Accepts no more requests, and closes when those in flight are answered. */
  close(): void {
    this.#session.close();
    this.#wake();
  }

  /**
   * Sends a request as soon as a stream is free, and waits for the start of its answer.
   * @param mayTakeMs how long the answer may take to start, and how long its body may pause.
   * @throws RefusedRequest when the server has certainly not acted on it.
   */
  async send(request: TransportRequest, mayTakeMs: number): Promise<Http2Answer> {
    const { url, origin, method, headers, body, signal } = request;
    for (const [name, value] of Object.entries(headers)) {
      if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError(`no header may hold the characters of ${name}`);
    }
    await this.#enter(signal);
    if (!this.isOpen) throw new RefusedRequest('connection');
    assertOrigin(url, origin);
    assertOrigin(url, this.#origin);
    const stream = this.#session.request(
      {
        ...headers,
        'accept-encoding': 'gzip, deflate, br',
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        [constants.HTTP2_HEADER_METHOD]: method,
        [constants.HTTP2_HEADER_AUTHORITY]: url.host,
        [constants.HTTP2_HEADER_PATH]: url.pathname + url.search,
      },
      { endStream: body === undefined, signal },
    );
    this.#hold(stream, mayTakeMs);
    if (body !== undefined) stream.end(body);
    return new Promise((resolve, reject) => {
      // Every stream closes eventually. Creating an error each time would take a tenth of a request's time.
      let isAnswered = false;
      stream.on('response', (head) => {
        isAnswered = true;
        resolve({ ...headOf(head), stream });
      });
      const fail = (error?: Error) => {
        if (!isAnswered) reject(this.#faultOf(stream, error));
      };
      // A stream without an answer may close with or without an error.
      stream.on('error', fail);
      stream.on('close', () => fail());
    });
  }

  /** Waits until the server allows another stream. */
  async #enter(signal: AbortSignal): Promise<void> {
    while (this.isOpen && this.#streams >= this.concurrency) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
      await promise;
      this.#waiting.delete(wake);
      signal.removeEventListener('abort', wake);
      signal.throwIfAborted();
    }
  }

  /** Counts a stream until it closes, and closes it when nothing arrives for too long. */
  #hold(stream: ClientHttp2Stream, mayTakeMs: number): void {
    const began = performance.now();
    this.#idle.dispose();
    if (this.#streams++ === 0) this.#session.ref();
    stream.on('response', () => {
      this.#heardAt = performance.now();
    });
    stream.setTimeout(mayTakeMs, () => {
      // Other streams received nothing either: the connection may have broken without any error.
      if (this.#heardAt < began) this.#session.close();
      stream.destroy(new TransportError({ kind: 'timedOut', afterMs: mayTakeMs }, false));
    });
    stream.on('close', () => {
      this.#usedAt = this.#clock.now();
      if (--this.#streams === 0 && !this.#session.destroyed) {
        this.#session.unref();
        this.#idle = this.#closeWhenIdle();
      }
      this.#wake();
    });
  }

  #closeWhenIdle(): Disposable {
    return this.#clock.after(idleMs, () => this.#session.close());
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** The reason a stream closed before its answer started. */
  #faultOf(stream: ClientHttp2Stream, error: Error | undefined): Error {
    if (error instanceof TransportError) return error;
    // A connection that ends with this code passes it to all of its streams, whether or not they were acted on.
    const isRefused =
      stream.rstCode === constants.NGHTTP2_REFUSED_STREAM && this.#goawayCode !== constants.NGHTTP2_REFUSED_STREAM;
    if (isRefused) return new RefusedRequest(this.isOpen ? 'server' : 'connection', error);
    return new TransportError({ kind: 'unreachable', why: 'cut' }, false, error);
  }
}

function headOf(head: IncomingHttpHeaders & IncomingHttpStatusHeader): Omit<Http2Answer, 'stream'> {
  const headers = Object.entries(head).flatMap(([name, value]) => {
    if (name.startsWith(':') || value === undefined) return [];
    return [[name, Array.isArray(value) ? value.join(', ') : String(value)] as const];
  });
  return { status: Number(head[constants.HTTP2_HEADER_STATUS]), headers: new Map(headers) };
}
