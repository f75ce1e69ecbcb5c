import { ProviderError, type Trouble } from '../core/providerError.ts';

/** One exchange, without decisions: no retries, no meaning of a status, no redirects. */
export interface TransportRequest {
  readonly url: URL;
  /** The only origin that the request may go to. A transport checks it with `assertOrigin` just before sending. */
  readonly origin: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
  /** Most bytes of the decoded body that may be read. */
  readonly maxBytes: number;
  /** Whether only the headers are wanted: then the body isn't read, and is empty. */
  readonly headersOnly: boolean;
  /** See `HttpRequest.isSpread`. The editor's own fetch can't be told. */
  readonly isSpread?: boolean;
  /** Overrides {@link answerTimeoutMs} for requests that take a server longer. */
  readonly answerTimeoutMs?: number;
}

/** An answer of any status, with its body read and decoded. */
export interface TransportAnswer {
  readonly status: number;
  /** Lower-case names; the values of repeated headers are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** How many concurrent requests the connection carries, if it carries several (HTTP/2). */
  readonly concurrency?: number;
}

/**
 * Sends requests. Anything that keeps an answer from arriving whole is thrown as a {@link TransportError}; an abort of
 * the signal is thrown as the signal's reason.
 */
export interface Transport {
  send(request: TransportRequest): Promise<TransportAnswer>;
}

/** Milliseconds within which a connection must be open, TLS included. */
export const connectTimeoutMs = 5_000;
/** Milliseconds within which the headers of an answer must arrive, and for which its body may pause. */
export const answerTimeoutMs = 10_000;

/** The reason no complete answer arrived. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly trouble: Trouble;
  /** Whether the provider can't have seen the request, so that sending it another way does no harm. */
  readonly nothingSent: boolean;

  constructor(trouble: Trouble, nothingSent: boolean, cause?: unknown) {
    super(`no answer: ${trouble.kind}`, { cause });
    this.trouble = trouble;
    this.nothingSent = nothingSent;
  }
}

/** A request that the server has certainly not acted on, though a connection to it is open. */
export class RefusedRequest extends TransportError {
  /** `connection` if the connection accepts no more requests, so that a new one may accept this one. */
  readonly by: 'server' | 'connection';

  constructor(by: 'server' | 'connection', cause?: unknown) {
    super({ kind: 'unreachable', why: 'refused' }, true, cause);
    this.by = by;
  }
}

const certificateCodes = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EPROTO|HOSTNAME_MISMATCH)/;

const cutCodes = /^(UND_ERR_SOCKET$|ECONNRESET$|EPIPE$|Z_|ERR_HTTP2_|ERR_STREAM_PREMATURE_CLOSE$)/;

/** Every `code` in an error, its causes and the errors it aggregates. */
function codesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 5) return [];
  const own = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
  const gathered = error instanceof AggregateError ? error.errors.flatMap((one) => codesOf(one, depth + 1)) : [];
  return [...own, ...gathered, ...codesOf(error.cause, depth + 1)];
}

/** A proxy that refused to open a tunnel, which undici reports only in its message (lib/dispatcher/proxy-agent.js). */
function isProxyRefusal(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (/^Proxy response \(\d+\)|Proxy Authentication Required/.test(at.message)) return true;
  }
  return false;
}

/** Turns an error of undici, `fetch`, zlib or a socket into one of ours. */
export function transportError(error: unknown, afterMs = answerTimeoutMs): TransportError | ProviderError {
  if (error instanceof TransportError || ProviderError.is(error)) return error;
  if (isProxyRefusal(error)) return new TransportError({ kind: 'unreachable', why: 'proxy' }, true, error);
  for (const code of codesOf(error)) {
    if (code === 'ECONNREFUSED') return new TransportError({ kind: 'unreachable', why: 'refused' }, true, error);
    if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
      return new TransportError({ kind: 'unreachable', why: 'dns' }, true, error);
    }
    if (certificateCodes.test(code)) return new TransportError({ kind: 'unreachable', why: 'tls' }, true, error);
    if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
      return new TransportError({ kind: 'timedOut', afterMs: connectTimeoutMs }, true, error);
    }
    if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
      return new TransportError({ kind: 'timedOut', afterMs }, false, error);
    }
    if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ENETDOWN' || code === 'EHOSTDOWN') {
      return new TransportError({ kind: 'unreachable', why: 'route' }, true, error);
    }
    if (cutCodes.test(code)) {
      return new TransportError({ kind: 'unreachable', why: 'cut' }, false, error);
    }
    if (code.startsWith('HPE_')) {
      return new TransportError({ kind: 'unexpectedAnswer', what: "it isn't HTTP" }, false, error);
    }
  }
  return new TransportError({ kind: 'unreachable', why: 'route' }, false, error);
}

/** The body of an answer that has none, or whose body isn't wanted. */
export const noBody: Buffer = Buffer.alloc(0);

/** Bytes that are reserved for a body at first. */
const firstBodyBytes = 2 ** 14;

/**
 * Reads a decoded body to its end.
 * @throws TransportError as soon as it is larger than `maxBytes`; the rest isn't read.
 */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  // Chunks are copied: one of a single byte keeps the whole buffer that it was received in.
  let read = Buffer.alloc(0);
  let size = 0;
  for await (const chunk of body) {
    const before = size;
    size += chunk.byteLength;
    if (size > maxBytes) {
      const what = `its response is larger than ${Math.round(maxBytes / 2 ** 20)} MiB`;
      throw new TransportError({ kind: 'unexpectedAnswer', what }, false);
    }
    if (size > read.length) {
      const larger = Buffer.alloc(Math.min(maxBytes, Math.max(size, firstBodyBytes, read.length * 2)));
      larger.set(read.subarray(0, before));
      read = larger;
    }
    read.set(chunk, before);
  }
  return read.subarray(0, size);
}
