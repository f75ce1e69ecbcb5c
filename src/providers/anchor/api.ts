import * as v from 'valibot';
import type { HttpAnswer, HttpRequest } from '../../core/http.ts';
import type { SessionId } from '../../core/ids.ts';
import type { Link } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { decode, refuseAnotherSession } from '../../http/decode.ts';
import { notFoundLike } from '../../http/notFound.ts';

export const defaultAddress = 'https://api.anchorbrowser.io';
/** A batch may have a thousand sessions, and Anchor's own SDK waits a minute for any answer. */
export const bulkTimeoutMs = 120_000;
/** Errors of a call that only adds detail. They must not hide what another call returned. */
export const detailTroubles = ['forbidden', 'notFound', 'unexpectedAnswer', 'serverFault', 'timedOut'] as const;

/** The only thing read from a session's configuration, which may hold the password of a proxy. */
const LiveViewTerms = v.fallback(v.optional(v.object({ one_time_url: v.boolean() })), undefined);
const Configuration = v.object({
  live_view: LiveViewTerms,
  session: v.fallback(v.optional(v.object({ live_view: LiveViewTerms })), undefined),
  browser: v.fallback(
    v.optional(
      v.object({ headless: v.fallback(v.optional(v.object({ active: v.optional(v.boolean()) })), undefined) }),
    ),
    undefined,
  ),
});
const OneSession = v.object({
  data: v.object({
    session_id: v.fallback(v.nullish(v.string()), undefined),
    status: v.string(),
    configuration: v.fallback(v.optional(Configuration), undefined),
  }),
});
/** How a session was started, as far as it is read. */
export type Configuration = v.InferOutput<typeof Configuration>;

/** The documentation's ErrorResponse. */
const isOwnNotFound = notFoundLike(
  v.object({ error: v.object({ code: v.optional(v.literal(404)), message: v.string() }) }),
);

/** Requests to Anchor's API for one account. */
export interface AnchorApi {
  /**
   * Sends a request with the account's key. If the route has parameters, a 404 from Anchor itself is recognized.
   * @throws ProviderError
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  /** Requests one session; undefined if there is none. @throws ProviderError */
  find(id: SessionId, signal: AbortSignal): Promise<FoundSession | undefined>;
}

/** One session, as the request for a single session returns it. */
export type FoundSession = v.InferOutput<typeof OneSession>['data'];

export function anchorApi(link: Link): AnchorApi {
  const headers = { 'anchor-api-key': link.credentials['apiKey'] ?? '' };
  const send = (request: HttpRequest, signal: AbortSignal) =>
    link.http.send(
      {
        ...(request.params === undefined ? {} : { isOwnNotFound }),
        ...request,
        headers: { ...request.headers, ...headers },
      },
      signal,
    );

  async function find(id: SessionId, signal: AbortSignal) {
    try {
      const answer = await send(
        { method: 'GET', route: '/v1/sessions/{session_id}', params: { session_id: id } },
        signal,
      );
      const { data } = decode(OneSession, answer);
      refuseAnotherSession(id, data.session_id);
      return data;
    } catch (error) {
      if (ProviderError.isOf(error, 'notFound')) return undefined;
      throw error;
    }
  }

  return { send, find };
}
