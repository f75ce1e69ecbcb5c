import * as v from 'valibot';
import type { HttpAnswer, HttpRequest } from '../../core/http.ts';
import type { SessionId } from '../../core/ids.ts';
import type { Link } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { dateField, decode } from '../../http/decode.ts';
import { notFoundLike } from '../../http/notFound.ts';

export const defaultAddress = 'https://api.browserbase.com';

/** Of one session no more is read: the answer also holds its signing key. */
export const OneSession = v.object({ status: v.string(), endedAt: v.fallback(dateField, undefined) });
/** What is read of one session. */
export type OneSession = v.InferOutput<typeof OneSession>;
/**
 * What it answers for a session that it doesn't know (APIError of @browserbasehq/sdk). Its framework, Fastify, has the same shape
 * for a route that isn't there, as while a deployment is half done: that one begins with “Route”.
 */
const isOwnNotFound = notFoundLike(
  v.object({ statusCode: v.literal(404), error: v.string(), message: v.pipe(v.string(), v.regex(/^(?!Route )/)) }),
);

/** One account's way to Browserbase's API. */
export interface BrowserbaseApi {
  /**
   * Sends a request with the account's key. One about something that its parameters name knows a 404 of Browserbase's own.
   * @throws ProviderError
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  /** Asks for one session; undefined where there is none. @throws ProviderError */
  find(id: SessionId, signal: AbortSignal): Promise<OneSession | undefined>;
}

export function browserbaseApi(link: Link): BrowserbaseApi {
  const headers = { 'x-bb-api-key': link.credentials['apiKey'] ?? '' };
  const send = (request: HttpRequest, signal: AbortSignal) =>
    link.http.send({ ...(request.params === undefined ? {} : { isOwnNotFound }), ...request, headers }, signal);

  async function find(id: SessionId, signal: AbortSignal) {
    try {
      return decode(OneSession, await send({ method: 'GET', route: '/v1/sessions/{id}', params: { id } }, signal));
    } catch (error) {
      if (ProviderError.isOf(error, 'notFound')) return undefined;
      throw error;
    }
  }

  return { send, find };
}
