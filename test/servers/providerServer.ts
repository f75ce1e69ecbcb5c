import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { constants, createSecureServer, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** One request as it arrived. */
export interface ProviderRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** What the braces of the matching route stood for. */
  readonly params: Readonly<Record<string, string>>;
  /** Milliseconds on the server's clock. */
  readonly at: number;
}

/** A route's response: text, a web page, JSON, or bytes whose type the headers give. */
export interface ProviderAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly html?: string;
  readonly bytes?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How the server misbehaves for a request; see {@link ProviderServer.misbehave}. */
export type Fault =
  /** Responds as usual, after a delay. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Responds as usual, after something else has happened. */
  | { readonly kind: 'interrupted'; readonly by: () => void | Promise<void> }
  /** Responds as usual, but works on one such request after the other, each for so long. */
  | { readonly kind: 'oneByOne'; readonly ms: number }
  /** Returns this response and does nothing, `after` something has happened. */
  | { readonly kind: 'answer'; readonly answer: ProviderAnswer; readonly after?: () => Promise<void> }
  /** Does what was requested, but returns this response. */
  | { readonly kind: 'doneBut'; readonly answer: ProviderAnswer }
  /** Closes the connection without a response, before or after doing what was requested. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  /**
   * Resets the request's HTTP/2 stream, before or after doing what was requested; others on the connection continue.
   */
  | { readonly kind: 'reset'; readonly code: keyof typeof resetCodes; readonly when: 'before' | 'after' }
  /** Sends half of the response's body and closes the connection. */
  | { readonly kind: 'halfBody' }
  /** Sends the headers and then a byte every `ms`, without end. */
  | { readonly kind: 'drip'; readonly ms: number }
  /** Never responds, and does what was requested only if `when` says so. */
  | { readonly kind: 'silent'; readonly when?: 'after' };

/** Holds one request back: pass `here` to a fault. */
export function heldRequest() {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  return {
    here: () => {
      arrived.resolve();
      return released.promise;
    },
    /** Resolves when the request has reached the server. */
    arrived: arrived.promise,
    release: () => released.resolve(),
  };
}

const resetCodes = {
  refused: constants.NGHTTP2_REFUSED_STREAM,
  canceled: constants.NGHTTP2_CANCEL,
  noError: constants.NGHTTP2_NO_ERROR,
  internalError: constants.NGHTTP2_INTERNAL_ERROR,
} as const;

interface Misbehaviour {
  readonly method: string;
  readonly path: RegExp;
  readonly fault: Fault;
  left: number;
}

type Handler = (request: ProviderRequest) => ProviderAnswer | Promise<ProviderAnswer>;

/** The routes of a provider's API, as `GET /v1/things/{id}`, each with its response. */
export type Routes = Readonly<Record<string, Handler>>;

/** What defines a provider server. */
export interface ProviderOptions {
  readonly routes: Routes;
  /** Checks every request before its route; a response rejects it. */
  readonly guard?: (request: ProviderRequest) => ProviderAnswer | undefined;
  /** The provider's response when it has no such route. */
  readonly notFound: Handler;
  /** Takes over a connection that becomes a WebSocket; without it such requests are handled like any other. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly tls?: ProviderTls;
}

/** How a server speaks TLS. */
export interface ProviderTls {
  readonly key: string;
  readonly cert: string;
  /**
   * Offers HTTP/2 before HTTP/1.1. `most` is the number of concurrent requests its SETTINGS allow; not stated if
   * undefined.
   */
  readonly http2?: { readonly most?: number };
}

/** The default error pages of load balancers when nothing is running behind them. */
export const outages: Readonly<Record<string, ProviderAnswer>> = {
  'nginx, a web page': {
    status: 404,
    html: '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>',
  },
  'ingress-nginx, a line of text': { status: 404, text: 'default backend - 404' },
  'Traefik, a line of text': { status: 404, text: '404 page not found\n' },
  'Kong, JSON': { status: 404, json: { message: 'no Route matched with those values' } },
  'an API gateway, JSON': { status: 404, json: { message: 'Not Found' } },
  'a service mesh, nothing': { status: 404 },
  'Fastify without the route, as while a deployment is half done': {
    status: 404,
    json: { message: 'Route GET:/v1/sessions/a not found', error: 'Not Found', statusCode: 404 },
  },
  'Express without the route': { status: 404, html: '<!DOCTYPE html>\n<pre>Cannot GET /v1/sessions/a</pre>' },
  'a web page that says gone': { status: 410, html: '<h1>410 Gone</h1>' },
  'JSON that says gone': { status: 410, json: { error: 'Gone' } },
};

/** A server of ours that speaks a provider's protocol over real HTTP on 127.0.0.1, and can be made to misbehave. */
export class ProviderServer {
  /** Everything that was received, in order, rejected or not. */
  readonly requests: ProviderRequest[] = [];
  /** How many requests matched no route. */
  unknownRequests = 0;
  /** How many are in flight now, and the highest number so far. */
  inFlight = 0;
  mostInFlight = 0;
  /** How many never got a response, and how many are still waiting for one, or for its end. */
  unanswered = 0;
  waitingInVain = 0;
  /** The highest number of open connections so far. */
  mostConnections = 0;
  /**
   * How many requests a second are accepted; others get 429, and every response says what is left of the second's
   * quota.
   */
  rateLimit: number | undefined;
  /** How many were rejected because of that. */
  statusErrors = 0;
  /** The delay of every response, in milliseconds. */
  latencyMs = 0;
  /**
   * The response of a load balancer in front to every request while it has no server to pass it on to; see {@link
   * outages}.
   */
  outage: ProviderAnswer | undefined;
  #second = { began: 0, taken: 0 };
  readonly #options: ProviderOptions;
  readonly #server: Server;
  /** Resolves when the requests before are done; see `oneByOne`. */
  #working: Promise<void> = Promise.resolve();
  readonly #sockets = new Set<Socket>();
  readonly #http2Sessions = new Set<ServerHttp2Session>();
  readonly #misbehaviours: Misbehaviour[] = [];

  constructor(options: ProviderOptions) {
    this.#options = options;
    const listener = (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch((error: unknown) => {
        console.error('a provider server failed', error);
        response.destroy();
      });
    };
    this.#server = this.#open(options.tls, listener);
    if (options.upgrade !== undefined) this.#server.on('upgrade', options.upgrade);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      this.mostConnections = Math.max(this.mostConnections, this.#sockets.size);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  #open(tls: ProviderTls | undefined, listener: (request: IncomingMessage, response: ServerResponse) => void): Server {
    if (tls === undefined) return createServer(listener);
    const { http2, ...certificate } = tls;
    if (http2 === undefined) return createTlsServer(certificate, listener);
    const settings = http2.most === undefined ? {} : { maxConcurrentStreams: http2.most };
    const server = createSecureServer({ ...certificate, allowHTTP1: true, settings, maxSessionMemory: 200 });
    // Its requests and responses have everything that is used of the HTTP/1.1 ones here.
    server.on('request', listener as never);
    server.on('session', (session) => {
      this.#http2Sessions.add(session);
      session.on('close', () => this.#http2Sessions.delete(session));
    });
    return server as unknown as Server;
  }

  /** How many HTTP/2 connections are open. */
  get http2Connections(): number {
    return this.#http2Sessions.size;
  }

  /** Sends notices on each HTTP/2 connection about the origins that it's for (RFC 8336), or other servers (RFC 7838). */
  sendNotices(kind: 'origin' | 'altsvc', count: number): void {
    for (const session of this.#http2Sessions) {
      for (let sent = 0; sent < count; sent++) {
        if (kind === 'origin') session.origin('https://other.test');
        else session.altsvc('h2=":8000"', 'https://other.test');
      }
    }
  }

  /**
   * Announces on each HTTP/2 connection that it accepts no more requests. Requests in flight continue; with
   * `lastStream`, only requests up to that stream were accepted.
   */
  goAway(lastStream?: number): void {
    for (const session of this.#http2Sessions) {
      if (lastStream === undefined) session.close();
      else session.goaway(constants.NGHTTP2_NO_ERROR, lastStream);
    }
  }

  async start(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return address.port;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Misbehaves for the next `times` requests that match. The latest call counts first. */
  misbehave(method: string, path: RegExp, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#misbehaviours.unshift({ method, path, fault, left: times });
  }

  /** Behaves normally again. */
  behave(): void {
    this.#misbehaviours.length = 0;
  }

  /** Closes every connection, and resets their counts. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    this.mostConnections = 0;
  }

  /** The requests so far as `GET /path`. */
  log(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.inFlight++;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    response.on('close', () => this.inFlight--);
    const url = new URL(incoming.url ?? '/', 'http://provider');
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request: ProviderRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString('utf8'),
      params: {},
      at: Date.now(),
    };
    this.requests.push(request);
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    if (this.outage !== undefined) return send(response, this.outage);
    const limit = this.#countSecond();
    if (limit.refused) {
      this.statusErrors++;
      return send(response, { status: 429, json: { message: 'Too Many Requests' }, headers: limit.headers });
    }
    for (const [name, value] of Object.entries(limit.headers)) response.setHeader(name, value);

    const fault = this.#faultFor(request);
    switch (fault?.kind) {
      case undefined:
        return send(response, await this.#answer(request));
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, fault.ms));
        // The server was stopped in the meantime.
        if (!this.#server.listening) return undefined;
        return send(response, await this.#answer(request));
      case 'interrupted':
        await fault.by();
        return send(response, await this.#answer(request));
      case 'oneByOne': {
        const before = this.#working;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#working = promise;
        await before;
        await new Promise((done) => setTimeout(done, fault.ms));
        resolve();
        if (!this.#server.listening) return undefined;
        return send(response, await this.#answer(request));
      }
      case 'answer':
        await fault.after?.();
        return send(response, fault.answer);
      case 'doneBut':
        await this.#answer(request);
        return send(response, fault.answer);
      case 'cut':
        if (fault.when === 'after') await this.#answer(request);
        incoming.socket.destroy();
        return undefined;
      case 'reset':
        if (fault.when === 'after') await this.#answer(request);
        (incoming as unknown as Http2ServerRequest).stream.close(resetCodes[fault.code]);
        return undefined;
      case 'halfBody': {
        const whole = written(await this.#answer(request));
        response.writeHead(whole.status, { ...whole.headers, 'content-length': String(whole.body.length) });
        response.write(whole.body.slice(0, whole.body.length / 2), () => incoming.socket.destroy());
        return undefined;
      }
      case 'drip': {
        response.writeHead(200, { 'content-type': 'application/json' });
        const drops = setInterval(() => response.write(' '), fault.ms);
        this.waitingInVain++;
        response.on('close', () => {
          clearInterval(drops);
          this.waitingInVain--;
        });
        return undefined;
      }
      case 'silent':
        if (fault.when === 'after') await this.#answer(request);
        this.unanswered++;
        this.waitingInVain++;
        response.on('close', () => this.waitingInVain--);
        return undefined;
    }
  }

  /** Counts a request towards its second's quota. The headers are those that Browserbase documents. */
  #countSecond(): { readonly refused: boolean; readonly headers: Readonly<Record<string, string>> } {
    if (this.rateLimit === undefined) return { refused: false, headers: {} };
    const now = Date.now();
    if (now >= this.#second.began + 1_000) this.#second = { began: now, taken: 0 };
    const refused = this.#second.taken >= this.rateLimit;
    if (!refused) this.#second.taken++;
    const reset = String((this.#second.began + 1_000 - now) / 1_000);
    const headers = {
      'x-ratelimit-limit': String(this.rateLimit),
      'x-ratelimit-remaining': String(this.rateLimit - this.#second.taken),
      'x-ratelimit-reset': reset,
      ...(refused ? { 'retry-after': '1' } : {}),
    };
    return { refused, headers };
  }

  #faultFor({ method, path }: ProviderRequest): Fault | undefined {
    const found = this.#misbehaviours.find((one) => one.left > 0 && one.method === method && one.path.test(path));
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.fault;
  }

  async #answer(request: ProviderRequest): Promise<ProviderAnswer> {
    const { routes, guard, notFound } = this.#options;
    for (const [route, handler] of Object.entries(routes)) {
      const [method, template = ''] = route.split(' ');
      const params = method === request.method ? match(template, request.path) : undefined;
      if (params === undefined) continue;
      const matched = { ...request, params };
      return guard?.(matched) ?? handler(matched);
    }
    this.unknownRequests += 1;
    return notFound(request);
  }
}

function match(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined ? part !== actual : actual === '') return undefined;
    if (name !== undefined) params[name] = decodeURIComponent(actual);
  }
  return params;
}

function written(answer: ProviderAnswer): { status: number; headers: Record<string, string>; body: string | Buffer } {
  const { status, json, text, html, bytes, headers = {} } = answer;
  if (bytes !== undefined) return { status, headers: { ...headers }, body: bytes };
  if (html !== undefined) return { status, headers: { 'content-type': 'text/html', ...headers }, body: html };
  if (text !== undefined) return { status, headers: { 'content-type': 'text/plain', ...headers }, body: text };
  if (json === undefined) return { status, headers: { ...headers }, body: '' };
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json) };
}

function send(response: ServerResponse, answer: ProviderAnswer): void {
  const { status, headers, body } = written(answer);
  response.writeHead(status, headers).end(body);
}
