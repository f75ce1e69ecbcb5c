import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Dispatcher } from 'undici';
import methods from 'undici/lib/api/index.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import DispatcherClass from 'undici/lib/dispatcher/dispatcher.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import type { Clock } from '../core/clock.ts';
import { lookupLoopback } from '../core/loopback.ts';
import type { EditorNetwork, Route } from '../core/network.ts';
import { assertOrigin, isLoopback } from '../core/origin.ts';
import { sharedSecureContext } from './certificates.ts';
import {
  answerTimeoutMs,
  connectTimeoutMs,
  noBody,
  readBody,
  type Transport,
  type TransportAnswer,
  TransportError,
  type TransportRequest,
  transportError,
} from './transport.ts';

// undici's own entry does this, and its proxy agent relies on it.
Object.assign(DispatcherClass.prototype, methods);

/** Most connections to one origin; more requests wait for one of them. */
const maxConnections = 32;
/** How long a route that the editor named is used before it is asked again. */
const routeLifetimeMs = 60_000;

interface OpenRoute {
  readonly dispatcher: Dispatcher;
  readonly until: number;
}

/** Carries requests by undici, over proxies and with certificates as the editor has them. */
export class UndiciTransport implements Transport {
  readonly #network: EditorNetwork;
  readonly #clock: Clock;
  readonly #routes = new Map<string, Promise<OpenRoute>>();

  constructor(network: EditorNetwork, clock: Clock) {
    this.#network = network;
    this.#clock = clock;
    network.onDidChange(() => this.close());
  }

  /** Lets go of all connections once their requests are answered. The next request opens new ones. */
  close(): void {
    for (const route of this.#routes.values()) closeWhenIdle(route);
    this.#routes.clear();
  }

  async send(request: TransportRequest): Promise<TransportAnswer> {
    const { url, origin, method, headers, body, signal, maxBytes, headersOnly } = request;
    const mayTakeMs = request.answerTimeoutMs ?? answerTimeoutMs;
    try {
      const dispatcher = await this.#dispatcherFor(url);
      signal.throwIfAborted();
      assertOrigin(url, origin);
      const answer = await dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: { ...headers, 'accept-encoding': 'gzip, deflate, br' },
        body: body ?? null,
        signal,
        headersTimeout: mayTakeMs,
        bodyTimeout: mayTakeMs,
      });
      const read = headersOnly ? noBody : await readDecoded(answer.body, answer.headers['content-encoding'], maxBytes);
      if (headersOnly) answer.body.on('error', () => {}).destroy();
      // The socket is free a turn later: whoever sends at once would open another one.
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
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw transportError(error, mayTakeMs);
    }
  }

  async #dispatcherFor(url: URL): Promise<Dispatcher> {
    const open = this.#routes.get(url.origin);
    if (open !== undefined) {
      const { dispatcher, until } = await open;
      if (this.#clock.now() < until) return dispatcher;
      if (this.#routes.get(url.origin) === open) {
        this.#routes.delete(url.origin);
        closeWhenIdle(open);
      }
    }
    const opening = this.#routes.get(url.origin) ?? this.#open(url);
    this.#routes.set(url.origin, opening);
    try {
      return (await opening).dispatcher;
    } catch (error) {
      if (this.#routes.get(url.origin) === opening) this.#routes.delete(url.origin);
      throw error;
    }
  }

  async #open(url: URL): Promise<OpenRoute> {
    // The editor is not even asked: what it and its proxies are told of this machine, they may resolve elsewhere.
    const route: Way = isLoopback(url.hostname) ? { by: 'loopback' } : await this.#network.routeTo(url);
    const { systemCertificates, strictCertificates } = this.#network.settings();
    const tls = { secureContext: sharedSecureContext(systemCertificates), rejectUnauthorized: strictCertificates };
    return { dispatcher: dispatcherFor(route, tls), until: this.#clock.now() + routeLifetimeMs };
  }
}

/** A route, or the direct way to this machine, on which there is neither proxy nor resolver. */
type Way = Route | { readonly by: 'loopback' };

function dispatcherFor(route: Way, tls: object): Dispatcher {
  const options = {
    connections: maxConnections,
    pipelining: 1,
    connect: { ...tls, timeout: connectTimeoutMs, autoSelectFamily: true },
    requestTls: { ...tls, timeout: connectTimeoutMs },
    proxyTls: { ...tls, timeout: connectTimeoutMs },
  };
  if (route.by === 'loopback') {
    return new Agent({ ...options, connect: { ...options.connect, lookup: lookupLoopback } });
  }
  if (route.by === 'editor') {
    if (route.proxy === undefined) return new Agent(options);
    const { protocol } = new URL(route.proxy);
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new TransportError({ kind: 'unreachable', why: 'proxy' }, true);
    }
    return new ProxyAgent({ ...options, uri: route.proxy });
  }
  return new EnvHttpProxyAgent({
    ...options,
    ...(route.proxy === undefined ? {} : { httpProxy: route.proxy, httpsProxy: route.proxy }),
    ...(route.noProxy.length === 0 ? {} : { noProxy: route.noProxy.join(',') }),
  });
}

function closeWhenIdle(route: Promise<OpenRoute>): void {
  // A route that could not be opened has nothing to close; whoever asked for it was told.
  route.then(
    ({ dispatcher }) => dispatcher.close(),
    () => undefined,
  );
}

function readDecoded(
  body: Dispatcher.ResponseData['body'],
  encoding: string | string[] | undefined,
  maxBytes: number,
): Promise<Buffer> {
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
  body: Dispatcher.ResponseData['body'],
  decoder: ReturnType<typeof createGunzip | typeof createInflate | typeof createBrotliDecompress>,
  maxBytes: number,
): Promise<Buffer> {
  body.on('error', (error) => decoder.destroy(error));
  try {
    return await readBody(body.pipe(decoder), maxBytes);
  } finally {
    decoder.destroy();
    body.destroy();
  }
}
