import type { HttpRequest } from '../core/http.ts';
import { plainText } from '../core/plainText.ts';
import { ProviderError, type Trouble } from '../core/providerError.ts';
import type { Redact } from '../core/redact.ts';
import { retryAfter } from './retryAfter.ts';
import type { TransportAnswer } from './transport.ts';

/** Longest explanation from a provider that is kept, in characters. */
const longestDetail = 200;
/** How much of it is searched, in characters. */
const longestRead = 16_384;

/** A larger error response, in bytes, explains nothing, and takes long to read and to search for secrets. */
const largestRefusal = 65_536;

/**
 * The one place where a status other than 2xx becomes a ProviderError. `what` names the request without secrets.
 * @param isOwnNotFound see `HttpRequest.isOwnNotFound`.
 */
export function statusError(
  answer: TransportAnswer,
  what: string,
  now: number,
  redact: Redact,
  isOwnNotFound: HttpRequest['isOwnNotFound'],
): ProviderError {
  return new ProviderError(troubleOf(answer, now, redact, isOwnNotFound), `${what} answered ${answer.status}`, {
    detail: detailOf(answer, redact),
  });
}

function troubleOf(
  answer: TransportAnswer,
  now: number,
  redact: Redact,
  isOwnNotFound: HttpRequest['isOwnNotFound'],
): Trouble {
  const { status, headers } = answer;
  switch (status) {
    case 401:
      return { kind: 'unauthorized' };
    case 402:
    case 403:
      return { kind: 'forbidden' };
    case 404:
    case 410:
      if (isOwnNotFound === undefined) return { kind: 'notFound' };
      if (!isTooLarge(answer) && !isWebPage(answer) && isOwnNotFound(saidIn(answer))) return { kind: 'notFound' };
      return {
        kind: 'unexpectedAnswer',
        what: `HTTP ${status} isn't documented there, so another server may have sent it`,
      };
    case 408:
      return { kind: 'timedOut', afterMs: 0 };
    case 409:
      return { kind: 'conflict' };
    case 429:
      return { kind: 'rateLimited', retryAt: retryAfter(headers.get('retry-after'), headers.get('date'), now) };
    default:
  }
  if (status >= 500) return { kind: 'serverFault', status };
  if (status >= 300 && status < 400)
    return { kind: 'unexpectedAnswer', what: redirect(headers.get('location'), redact) };
  // The editor's `fetch` reports a redirect that it was told not to follow without a status.
  if (status === 0) return { kind: 'unexpectedAnswer', what: redirect(undefined, redact) };
  return { kind: 'unexpectedAnswer', what: `it refused the request (HTTP ${status})` };
}

function redirect(location: string | undefined, redact: Redact): string {
  const host = location === undefined ? undefined : URL.parse(location)?.host;
  const where = host === undefined || host === '' ? 'another address' : plainText(redact(host));
  return `it redirects to ${where}, where the key can't be sent`;
}

/**
 * The provider's explanation, from wherever providers put it: `message`, `error`, `error.message`, or a line of text.
 */
function detailOf(answer: TransportAnswer, redact: Redact): string | undefined {
  if (isTooLarge(answer) || isWebPage(answer)) return undefined;
  const text = answer.body.toString('utf8').trim();
  // An empty body, or an empty object or list, explains nothing.
  if (!/[\p{L}\p{N}]/u.test(text)) return undefined;
  // Secrets are removed before the text is shortened: half a key wouldn't be found.
  const said = plainText(redact(beginningOf(messageIn(text) ?? text)), longestDetail);
  return said === '' ? undefined : said;
}

/** The part of a text that is searched, without the word at its end that may have been cut. */
function beginningOf(text: string): string {
  if (text.length <= longestRead) return text;
  let end = longestRead;
  // A pattern for the last word takes quadratic time.
  while (end > 0 && /\S/.test(text[end - 1] ?? '')) end--;
  return `${text.slice(0, end)}…`;
}

function isTooLarge({ body }: TransportAnswer): boolean {
  return body.length > largestRefusal;
}

function isWebPage({ headers, body }: TransportAnswer): boolean {
  return (headers.get('content-type') ?? '').includes('html') || body.toString('utf8').trimStart().startsWith('<');
}

/** The body as a value if it is a JSON object, else as text. */
function saidIn({ body }: TransportAnswer): unknown {
  const text = body.toString('utf8').trim();
  return objectIn(text) ?? text;
}

function objectIn(text: string): unknown {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageIn(text: string): string | undefined {
  const parsed = objectIn(text);
  for (const path of [['message'], ['error'], ['error', 'message']]) {
    let at: unknown = parsed;
    for (const key of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
    if (typeof at === 'string' && at !== '') return at;
  }
  return undefined;
}
