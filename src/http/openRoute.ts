import type { buildConnector, Dispatcher, Pool as PoolType } from 'undici';
import methods from 'undici/lib/api/index.js';
import connectorFor from 'undici/lib/core/connect.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import DispatcherClass from 'undici/lib/dispatcher/dispatcher.js';
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import type { Clock } from '../core/clock.ts';
import { mostConnections } from '../core/http.ts';
import { lookupLoopback } from '../core/loopback.ts';
import type { Route } from '../core/network.ts';
import { Http2Connection } from './http2Connection.ts';
import { connectTimeoutMs, TransportError } from './transport.ts';

// undici's own entry point does this, and its proxy agent relies on it.
Object.assign(DispatcherClass.prototype, methods);

/** How long opening a connection that may lead through a proxy may take, in milliseconds. Undici waits minutes for a silent proxy. */
const routeTimeoutMs = 2 * connectTimeoutMs;

/** A route, or a direct connection to this machine, without proxy or resolver. */
export type Way = Route | { readonly by: 'loopback' };

/** The server has chosen HTTP/2, and nothing was sent yet: send the request over {@link OpenRoute.http2}. */
export class SpeaksHttp2 extends Error {}

type Connect = buildConnector.connector;

/** The connections to one origin: several that carry one request each (HTTP/1.1), or one that carries all (HTTP/2). */
export class OpenRoute {
  /** For HTTP/1.1. Fails a request with {@link SpeaksHttp2} when the server chooses HTTP/2. */
  readonly dispatcher: Dispatcher;
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #hasNoProxy: boolean;
  #http2: Http2Connection | undefined;
  #isHttp1 = false;
  #isClosed = false;
  /** Resolves when the first connection has shown which of the two the server speaks, or has failed. */
  #first: Promise<void> | undefined;

  /**
   * @param allowH2 whether the server may choose HTTP/2.
   * @throws TransportError `proxy` for a proxy that undici doesn't support.
   */
  constructor(way: Way, tls: object, origin: string, clock: Clock, allowH2: boolean) {
    this.#origin = origin;
    this.#clock = clock;
    this.#hasNoProxy = way.by === 'loopback';
    this.dispatcher = dispatcherFor(way, { ...tls, allowH2 }, (connect) => this.#connectBy(connect));
  }

  /** The HTTP/2 connection, if there is one that accepts more requests. */
  get http2(): Http2Connection | undefined {
    return this.#http2?.isOpen === true ? this.#http2 : undefined;
  }

  /** Accepts no more requests, and closes its connections when those in flight are answered. */
  close(): void {
    this.#isClosed = true;
    this.dispatcher.close().catch(() => {});
    this.#http2?.close();
  }

  /** Until the server's protocol is known, only one connection is opened, and the others wait for it. */
  #connectBy(connect: Connect): Connect {
    return (options, callback) => {
      const turnAway = () => callback(new SpeaksHttp2(), null);
      const open = (onOpen = () => {}) => {
        const stop = new AbortController();
        const timer = this.#hasNoProxy
          ? undefined
          : this.#clock.after(routeTimeoutMs, () => {
              const tooLate = new TransportError({ kind: 'timedOut', afterMs: routeTimeoutMs }, true);
              callback(tooLate, null);
              onOpen();
              stop.abort(tooLate);
            });
        // Undici passes the signal on to the request for a tunnel.
        const stoppable = { ...options, signal: stop.signal };
        connect(stoppable, (...[error, socket]) => {
          if (stop.signal.aborted) {
            socket?.destroy();
            return;
          }
          timer?.dispose();
          if (error !== null) callback(connectError(error), null);
          else if (!('alpnProtocol' in socket) || socket.alpnProtocol !== 'h2') {
            this.#isHttp1 = true;
            callback(null, socket);
          } else {
            if (this.#isClosed || this.http2 !== undefined) socket.destroy();
            else {
              this.#http2?.close();
              this.#http2 = new Http2Connection(socket, this.#origin, this.#clock);
            }
            turnAway();
          }
          onOpen();
        });
      };
      if (options.protocol !== 'https:') open();
      else if (this.http2 !== undefined) queueMicrotask(turnAway);
      else if (this.#isHttp1) open();
      else if (this.#first === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#first = promise;
        open(() => {
          this.#first = undefined;
          resolve();
        });
      } else {
        void this.#first.then(() => {
          if (this.http2 === undefined) open();
          else turnAway();
        });
      }
    };
  }
}

/** Undici takes an error with this code for the end of a connection that was open, and connects again at once, without end. */
function connectError(error: Error): Error {
  const isCut = 'code' in error && error.code === 'UND_ERR_SOCKET';
  return isCut ? new TransportError({ kind: 'unreachable', why: 'proxy' }, true, error) : error;
}

function dispatcherFor(way: Way, tls: object, connectBy: (connect: Connect) => Connect): Dispatcher {
  const direct = { ...tls, timeout: connectTimeoutMs, autoSelectFamily: true };
  const options = {
    connections: mostConnections,
    pipelining: 1,
    connect: connectorFor(direct),
    requestTls: { ...tls, timeout: connectTimeoutMs },
    proxyTls: { ...tls, timeout: connectTimeoutMs, allowH2: false },
    factory: (origin: string | URL, { connect, ...others }: PoolType.Options) => {
      // `connect` is never an object here: undici's agents pass on the function from above, or their own for a proxy.
      return new Pool(origin, { ...others, connect: connectBy(connect as Connect) });
    },
  };
  if (way.by === 'loopback') {
    return new Agent({ ...options, connect: connectorFor({ ...direct, lookup: lookupLoopback }) });
  }
  if (way.by === 'editor') {
    if (way.proxy === undefined) return new Agent(options);
    const { protocol } = new URL(way.proxy);
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new TransportError({ kind: 'unreachable', why: 'proxy' }, true);
    }
    return new ProxyAgent({ ...options, uri: way.proxy });
  }
  return new EnvHttpProxyAgent({
    ...options,
    ...(way.proxy === undefined ? {} : { httpProxy: way.proxy, httpsProxy: way.proxy }),
    ...(way.noProxy.length === 0 ? {} : { noProxy: way.noProxy.join(',') }),
  });
}
