import * as v from 'valibot';
import type { HttpAnswer, HttpRequest } from '../../core/http.ts';
import type { SessionId } from '../../core/ids.ts';
import type { Link } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { dateField, decode, refuseAnotherSession } from '../../http/decode.ts';
import { notFoundLike } from '../../http/notFound.ts';

export const defaultAddress = 'https://api.browserbase.com';

/** No more of a session is read: the answer also contains its signing key. */
const OneSession = v.object({
  id: v.fallback(v.nullish(v.string()), undefined),
  status: v.string(),
  endedAt: v.fallback(dateField, undefined),
});
/** The parts of a session that are read. */
export type OneSession = v.InferOutput<typeof OneSession>;

/** Reads an answer about one session. @throws ProviderError also if it's about another one. */
export function sessionIn(answer: HttpAnswer, id: SessionId): OneSession {
  const found = decode(OneSession, answer);
  refuseAnotherSession(id, found.id);
  return found;
}

/**
 * Its answer for a session that it doesn't know (APIError of @browserbasehq/sdk). Its framework, Fastify, answers a
 * route that doesn't exist in the same shape, for example while a deployment is half done: that message begins with
 * "Route".
 */
const isOwnNotFound = notFoundLike(
  v.object({ statusCode: v.literal(404), error: v.string(), message: v.pipe(v.string(), v.regex(/^(?!Route )/)) }),
);

/** Requests to Browserbase's API for one account. */
export interface BrowserbaseApi {
  /**
   * Sends a request with the account's key. If the route has parameters, a 404 from Browserbase itself is recognized.
   * @throws ProviderError
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  /** Requests one session; undefined if there is none. @throws ProviderError */
  find(id: SessionId, signal: AbortSignal): Promise<OneSession | undefined>;
}

export function browserbaseApi(link: Link): BrowserbaseApi {
  const headers = { 'x-bb-api-key': link.credentials['apiKey'] ?? '' };
  const send = (request: HttpRequest, signal: AbortSignal) =>
    link.http.send({ ...(request.params === undefined ? {} : { isOwnNotFound }), ...request, headers }, signal);

  async function find(id: SessionId, signal: AbortSignal) {
    try {
      return sessionIn(await send({ method: 'GET', route: '/v1/sessions/{id}', params: { id } }, signal), id);
    } catch (error) {
      if (ProviderError.isOf(error, 'notFound')) return undefined;
      throw error;
    }
  }

  return { send, find };
}
