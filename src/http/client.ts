import { type Clock, sleep } from '../core/clock.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from '../core/http.ts';
import { idFault } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { EditorNetwork } from '../core/network.ts';
import { parseAddress } from '../core/origin.ts';
import { badAddress, canceled, ProviderError, type Trouble, unaddressable } from '../core/providerError.ts';
import type { RequestLimits } from '../core/rateWindow.ts';
import { redactedCause, redactor } from '../core/redact.ts';
import { requestUrl } from '../core/requestUrl.ts';
import { FetchTransport } from './fetchTransport.ts';
import { rateWindowOf } from './rateWindow.ts';
import { RoutedTransport } from './routedTransport.ts';
import { statusError } from './statusErrors.ts';
import { type Transport, type TransportAnswer, TransportError } from './transport.ts';
import { UndiciTransport } from './undiciTransport.ts';

/** Most bytes of a decoded answer. Five thousand sessions of the most verbose provider take a sixth of it. */
const maxBytes = 32 * 2 ** 20;
const defaultTimeoutMs = 15_000;
const maxRetries = 3;
const firstBackoffMs = 250;
const longestBackoffMs = 4_000;

/** What a client needs besides the account's address and secrets. */
export interface HttpOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Updated with every answer, error responses included. */
  readonly limits: RequestLimits;
}

/** Opens the transport that all accounts share. */
export function openTransport(network: EditorNetwork, clock: Clock): Transport {
  return new RoutedTransport(network, new UndiciTransport(network, clock), new FetchTransport());
}

/**
 * Opens the client of one account. `secrets` are values that must not appear in any log line or error. If
 * `parseAddress` refuses the address, nothing is ever sent, and each request fails with `badAddress`.
 */
export function openHttpClient(address: URL, secrets: Iterable<string>, options: HttpOptions): HttpClient {
  const { transport, clock, logger, limits } = options;
  const redact = redactor(secrets);

  async function attempt(request: HttpRequest, url: URL, signal: AbortSignal): Promise<TransportAnswer> {
    const what = `${request.method} ${request.route}`;
    const began = clock.monotonic();
    const log = (outcome: string) =>
      logger.debug(`${address.host} ${what}: ${outcome}, ${Math.round(clock.monotonic() - began)} ms`);
    try {
      const answer = await transport.send({
        url,
        origin: address.origin,
        method: request.method,
        headers: {
          accept: 'application/json',
          // What a cache between us and the server still has says nothing about what is running.
          'cache-control': 'no-cache',
          'user-agent': 'browser-sessions',
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: request.body === undefined ? undefined : JSON.stringify(request.body),
        signal,
        maxBytes,
        headersOnly: false,
        ...(request.timeoutMs === undefined ? {} : { answerTimeoutMs: request.timeoutMs }),
        ...(request.isSpread === undefined ? {} : { isSpread: request.isSpread }),
      });
      log(String(answer.status));
      const window = rateWindowOf((name) => answer.headers.get(name), clock);
      if (window !== undefined) limits.rateWindow = window;
      limits.concurrency = answer.concurrency;
      if (answer.status < 200 || answer.status > 299)
        throw statusError(answer, what, clock.now(), redact, request.isOwnNotFound);
      return answer;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      log(error.trouble.kind);
      throw new ProviderError(error.trouble, `${what} got no answer: ${error.trouble.kind}`, {
        cause: redactedCause(error.cause, redact),
      });
    }
  }

  async function send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const what = `${request.method} ${request.route}`;
    if (signal.aborted) throw canceled(what);
    const parsed = parseAddress(address.href);
    if (!parsed.ok) throw badAddress(parsed.fault);
    const url = urlOf(parsed.url, request);
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const deadline = clock.monotonic() + timeoutMs;
    const timer = new AbortController();
    const alarm = clock.after(timeoutMs, () => timer.abort());
    const either = AbortSignal.any([signal, timer.signal]);
    const repeatable = request.repeatable ?? request.method === 'GET';
    try {
      for (let retries = 0; ; retries++) {
        try {
          const { status, headers, body } = await attempt(request, url, either);
          return {
            status,
            header: (name) => headers.get(name),
            // Decoded only when it is read: for a large list that takes 50 ms.
            get body() {
              return body.toString('utf8');
            },
            bytes: body,
          };
        } catch (error) {
          if (either.aborted || !repeatable || retries === maxRetries || !ProviderError.is(error)) throw error;
          const wait = waitBefore(error.trouble, retries, clock.now());
          if (wait === undefined || clock.monotonic() + wait >= deadline) throw error;
          await sleep(clock, wait, either);
        }
      }
    } catch (error) {
      if (signal.aborted) throw canceled(what);
      if (timer.signal.aborted) {
        throw new ProviderError({ kind: 'timedOut', afterMs: timeoutMs }, `${what} took longer than ${timeoutMs} ms`);
      }
      throw ProviderError.from(error);
    } finally {
      alarm.dispose();
    }
  }

  return { send };
}

/** Fills a route's braces and appends it to the account's address. */
function urlOf(address: URL, { method, route, params = {}, query = {} }: HttpRequest): URL {
  const path = route.replace(/\{(\w+)\}/g, (_, name: string) => {
    const fault = idFault(params[name]);
    if (fault !== undefined) throw unaddressable(`${method} ${route}`, fault);
    return encodeURIComponent(params[name] ?? '');
  });
  return requestUrl(address, path, query);
}

/** Milliseconds to wait before a request is repeated, or undefined if repeating it won't help. */
function waitBefore(trouble: Trouble, retries: number, now: number): number | undefined {
  const backoff = Math.random() * Math.min(longestBackoffMs, firstBackoffMs * 2 ** retries);
  switch (trouble.kind) {
    case 'rateLimited':
      return trouble.retryAt === undefined ? backoff : trouble.retryAt - now;
    case 'serverFault':
    case 'timedOut':
      return backoff;
    case 'unreachable':
      return trouble.why === 'tls' || trouble.why === 'proxy' ? undefined : backoff;
    case 'unauthorized':
    case 'forbidden':
    case 'notFound':
    case 'conflict':
    case 'otherSession':
    case 'canceled':
    case 'tooOften':
    case 'unexpectedAnswer':
    case 'unsupported':
    case 'noKey':
    case 'badAddress':
      return undefined;
  }
}
