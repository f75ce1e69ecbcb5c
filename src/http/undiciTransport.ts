import { constants } from 'node:http2';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Clock } from '../core/clock.ts';
import type { EditorNetwork } from '../core/network.ts';
import { isLoopback } from '../core/origin.ts';
import { assertOrigin } from '../core/requestUrl.ts';
import { unlessAborted } from '../core/unlessAborted.ts';
import { sharedSecureContext } from './certificates.ts';
import type { Http2Connection } from './http2Connection.ts';
import { OpenRoute, SpeaksHttp2, type Way } from './openRoute.ts';
import {
  answerTimeoutMs,
  noBody,
  RefusedRequest,
  readBody,
  type Transport,
  type TransportAnswer,
  TransportError,
  type TransportRequest,
  transportError,
} from './transport.ts';

/** How long a route from the editor is used before asking the editor again. */
const routeLifetimeMs = 60_000;
/** How many connections a request is tried on, provided that each earlier one has certainly not sent it. */
const mostConnectionsTried = 4;

interface KnownRoute {
  readonly route: OpenRoute;
  /**
   * When it was opened, on both of the machine's clocks: one may be set, and the other stops while the machine sleeps.
   */
  readonly openedAt: { readonly now: number; readonly monotonic: number };
}

/** Sends requests over undici's connections, with the editor's proxies and certificates. */
export class UndiciTransport implements Transport {
  readonly #network: EditorNetwork;
  readonly #clock: Clock;
  /** By origin, and whether requests are spread over connections. */
  readonly #routes = new Map<string, Promise<KnownRoute>>();

  constructor(network: EditorNetwork, clock: Clock) {
    this.#network = network;
    this.#clock = clock;
    network.onDidChange(() => this.close());
  }

  /** Closes all connections once their requests are answered. The next request opens new ones. */
  close(): void {
    for (const known of this.#routes.values()) closeWhenIdle(known);
    this.#routes.clear();
  }

  async send(request: TransportRequest): Promise<TransportAnswer> {
    const { url, origin, signal, isSpread = false } = request;
    const mayTakeMs = request.answerTimeoutMs ?? answerTimeoutMs;
    try {
      for (let tried = 1; ; tried++) {
        const route = await this.#routeTo(url, isSpread, signal);
        signal.throwIfAborted();
        assertOrigin(url, origin);
        const { http2 } = route;
        try {
          if (http2 !== undefined) return await overHttp2(http2, request, mayTakeMs);
          return await overHttp1(route, request, mayTakeMs);
        } catch (error) {
          if (!goesOnAnother(error) || signal.aborted) throw error;
          if (tried === mostConnectionsTried) throw new RefusedRequest('connection', error);
        }
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw transportError(error, mayTakeMs);
    }
  }

  /** Asks the editor again if it hadn't answered by the time an earlier request was canceled. */
  async #routeTo(url: URL, isSpread: boolean, signal: AbortSignal): Promise<OpenRoute> {
    const key = `${url.origin} ${isSpread}`;
    const known = this.#routes.get(key);
    if (known !== undefined) {
      const { route, openedAt } = await this.#opened(key, known, signal);
      const { now, monotonic } = this.#time();
      const isOld = now - openedAt.now >= routeLifetimeMs || monotonic - openedAt.monotonic >= routeLifetimeMs;
      if (!isOld) return route;
      if (this.#routes.get(key) === known) {
        this.#routes.delete(key);
        closeWhenIdle(known);
      }
    }
    const opening = this.#routes.get(key) ?? this.#open(url, isSpread);
    this.#routes.set(key, opening);
    return (await this.#opened(key, opening, signal)).route;
  }

  async #opened(key: string, opening: Promise<KnownRoute>, signal: AbortSignal): Promise<KnownRoute> {
    try {
      return await unlessAborted(opening, signal);
    } catch (error) {
      if (this.#routes.get(key) === opening) this.#routes.delete(key);
      throw error;
    }
  }

  async #open(url: URL, isSpread: boolean): Promise<KnownRoute> {
    // The editor isn't even asked: the editor or its proxies might resolve the name to another machine.
    const way: Way = isLoopback(url.hostname) ? { by: 'loopback' } : await this.#network.routeTo(url);
    const { systemCertificates, strictCertificates } = this.#network.settings();
    const tls = { secureContext: sharedSecureContext(systemCertificates), rejectUnauthorized: strictCertificates };
    const route = new OpenRoute(way, tls, url.origin, this.#clock, !isSpread);
    return { route, openedAt: this.#time() };
  }

  #time(): KnownRoute['openedAt'] {
    return { now: this.#clock.now(), monotonic: this.#clock.monotonic() };
  }
}

function closeWhenIdle(known: Promise<KnownRoute>): void {
  // A route that couldn't be opened has nothing to close, and its callers got the error.
  known.then(
    ({ route }) => route.close(),
    () => undefined,
  );
}

function goesOnAnother(error: unknown): boolean {
  return error instanceof SpeaksHttp2 || (error instanceof RefusedRequest && error.by === 'connection');
}

async function overHttp1(
  { dispatcher }: OpenRoute,
  { url, method, headers, body, signal, maxBytes, headersOnly }: TransportRequest,
  mayTakeMs: number,
): Promise<TransportAnswer> {
  const requested = dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: { ...headers, 'accept-encoding': 'gzip, deflate, br' },
    body: body ?? null,
    signal,
    headersTimeout: mayTakeMs,
    bodyTimeout: mayTakeMs,
  });
  // Undici looks at the signal only once there is a connection.
  const answer = await unlessAborted(requested, signal);
  const read = headersOnly ? noBody : await readDecoded(answer.body, answer.headers['content-encoding'], maxBytes);
  if (headersOnly) answer.body.on('error', () => {}).destroy();
  // The socket is free one turn later: a request sent at once would open another one.
  await new Promise((resolve) => setImmediate(resolve));
  return {
    status: answer.statusCode,
    headers: new Map(
      Object.entries(answer.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : (value ?? ''),
      ]),
    ),
    body: read,
  };
}

async function overHttp2(
  connection: Http2Connection,
  request: TransportRequest,
  mayTakeMs: number,
): Promise<TransportAnswer> {
  const { status, headers, stream } = await connection.send(request, mayTakeMs);
  const { concurrency } = connection;
  if (request.headersOnly) {
    stream.destroy();
    return { status, headers, body: noBody, concurrency };
  }
  const encoding = headers.get('content-encoding');
  const body = await readDecoded(stream, encoding, request.maxBytes);
  // Node ends the stream of a broken connection as if it were complete.
  const length = encoding === undefined ? Number(headers.get('content-length') ?? body.length) : body.length;
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || length !== body.length) {
    throw new TransportError({ kind: 'unreachable', why: 'cut' }, false);
  }
  return { status, headers, body, concurrency };
}

function readDecoded(body: Readable, encoding: string | string[] | undefined, maxBytes: number): Promise<Buffer> {
  switch (String(encoding ?? 'identity').toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return readThrough(body, createGunzip(), maxBytes);
    case 'deflate':
      return readThrough(body, createInflate(), maxBytes);
    case 'br':
      return readThrough(body, createBrotliDecompress(), maxBytes);
    default:
      return readBody(body, maxBytes);
  }
}

async function readThrough(
  body: Readable,
  decoder: ReturnType<typeof createGunzip | typeof createInflate | typeof createBrotliDecompress>,
  maxBytes: number,
): Promise<Buffer> {
  body.on('error', (error) => decoder.destroy(error));
  // An HTTP/2 stream may close before its end without an error.
  const onClose = () => {
    if (!body.readableEnded) decoder.destroy(new TransportError({ kind: 'unreachable', why: 'cut' }, false));
  };
  body.on('close', onClose);
  if (body.closed) onClose();
  try {
    return await readBody(body.pipe(decoder), maxBytes);
  } finally {
    decoder.destroy();
    body.destroy();
  }
}
