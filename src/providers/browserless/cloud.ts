import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import type { HttpAnswer, HttpRequest } from '../../core/http.ts';
import { type SessionId, sessionId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';
import { type LiveView, liveViewUrl } from '../../core/liveView.ts';
import { newSession } from '../../core/newSession.ts';
import { oncePer } from '../../core/oncePer.ts';
import { type EndAnswer, type Link, usualEnding } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import { decode, decodeEach, decodeList, idField, timeField } from '../../http/decode.ts';
import { neverNotFound, notFoundLike } from '../../http/notFound.ts';
import { everyPage, namedBy } from '../../http/paging.ts';
import { BrowserId, Rows, type Surface, Text } from './surface.ts';

// Browserless's cloud that all customers share; see index.ts.

export const accountApiAddress = 'https://api.browserless.io';
const accountApiRoute = '/graphql';
/** The most rows that the provider's own client requests from the account API. */
const rowsPerPage = 50;

const CloudSession = v.object({
  browserId: BrowserId,
  startTime: timeField,
  browserName: Text,
  type: Text,
});
const CloudList = v.object({
  data: v.nullish(v.object({ getActiveSession: v.nullish(v.object({ sessions: v.nullable(Rows) })) })),
  errors: v.optional(v.unknown()),
});
const Refusal = v.object({ message: v.string() });
/** The cloud is built on v2 and documents its 404 as "Resource couldn't be found."; the exact text isn't documented. */
const isCloudNotFound = notFoundLike(v.pipe(v.string(), v.regex(/\bcouldn't (be found|find|locate)\b/i)));
const LiveAnswer = v.object({ liveURL: v.string(), liveURLId: v.fallback(v.nullish(idField), undefined) });

const activeSessions =
  'query ActiveSessions($apiToken:String,$limit:Int,$skip:Int){getActiveSession(apiToken:$apiToken,limit:$limit,skip:$skip){sessions{browserId startTime browserName type} count}}';

const metaRoute = '/meta';

/** Where a connection's requests about a browser take the token, once one has succeeded. */
const tokenPlaceOf = oncePer((_: Link): { known: 'header' | 'address' | undefined } => ({ known: undefined }));

export function cloud(link: Link, version: string | undefined): Surface {
  const { token } = link.credentials;
  const identity = version === undefined ? 'cloud' : `cloud v${version}`;
  const facts: AccountFacts = { identity, sessionLimit: undefined, note: undefined };
  const accountApi = () => (isProviderHost(link.origin.hostname) ? link.httpTo(new URL(accountApiAddress)) : link.http);

  const place = tokenPlaceOf(link);

  /**
   * Sends a request with the token in a header, which the cloud's page about tokens documents for its REST API. The pages of these
   * requests only have it in the address, so it's sent there if the header is refused, unless it was accepted before. Nothing has
   * happened then. Addresses can get into VS Code's log.
   */
  async function send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    if (token === undefined) return link.http.send(request, signal);
    // Its answer about itself may need no token at all.
    const isTelling = request.route !== metaRoute;
    if (place.known !== 'address') {
      const headers = { authorization: `Basic ${Buffer.from(token).toString('base64')}` };
      try {
        const answer = await link.http.send({ ...request, headers }, signal);
        if (isTelling) place.known = 'header';
        return answer;
      } catch (error) {
        if (place.known === 'header' || !ProviderError.isOf(error, 'unauthorized', 'forbidden')) throw error;
      }
    }
    const answer = await link.http.send({ ...request, query: { token } }, signal);
    if (isTelling) place.known = 'address';
    return answer;
  }

  async function read(page: number, signal: AbortSignal) {
    const variables = { apiToken: token ?? null, limit: rowsPerPage, skip: (page - 1) * rowsPerPage };
    const body = { query: activeSessions, variables };
    // It only reads, although it is a POST.
    const asked = { body, repeatable: true, isOwnNotFound: neverNotFound };
    const request = { method: 'POST', route: accountApiRoute, ...asked } as const;
    const answer = await accountApi().send(request, signal);
    const { whole, count, ...sent } = await decodeList(CloudList, ['data', 'getActiveSession', 'sessions'], answer);
    const errors = errorsIn(whole.errors);
    // Where something failed, GraphQL answers with `null` and an error: then it isn't an empty list.
    if (errors.length > 0 || whole.data?.getActiveSession == null) throw accountApiRefusal(errors[0]);
    // What `count` counts isn't documented: only an empty page is the end.
    return { ...sent, more: count > 0 };
  }

  async function* inventories(signal: AbortSignal): AsyncGenerator<Inventory> {
    if (!link.setting('accountApi')) {
      const reason = { kind: 'settingOff', setting: 'browserSessions.browserless.accountApi' } as const;
      throw new ProviderError({ kind: 'unsupported', reason }, 'the account API is not turned on');
    }
    for await (const page of everyPage((number) => read(number, signal), namedBy('browserId'))) {
      const { rows, faults } = await decodeEach(CloudSession, page, namedBy('browserId'));
      yield { sessions: rows.map(cloudSessionOf), groups: [], faults, account: facts };
    }
  }

  /** Those of these sessions that the account's list has. A missing one confirms nothing: the list may be behind. */
  async function listed(ids: readonly SessionId[], signal: AbortSignal): Promise<ReadonlySet<SessionId>> {
    const wanted = new Set(ids);
    const found = new Set<SessionId>();
    for await (const { sessions } of inventories(signal)) {
      for (const { id } of sessions) if (wanted.has(id)) found.add(id);
      if (found.size === wanted.size) break;
    }
    return found;
  }

  return {
    ending: usualEnding,
    async check(signal) {
      await send({ method: 'GET', route: metaRoute }, signal);
      return facts;
    },
    list: inventories,
    async end({ id }, signal): Promise<EndAnswer> {
      try {
        const request = { method: 'DELETE', route: '/browser/{id}', params: { id } } as const;
        await send({ ...request, isOwnNotFound: isCloudNotFound }, signal);
        return { outcome: 'accepted', how: undefined };
      } catch (error) {
        // A region doesn't find the browsers of another region, though the account's list has them.
        if (!ProviderError.isOf(error, 'notFound') || (await listed([id], signal)).has(id)) throw error;
        return { outcome: 'alreadyGone', how: undefined };
      }
    },
    probe: async ({ id }, signal) => ((await listed([id], signal)).has(id) ? 'running' : 'unknown'),
    async probeMany(sessions, signal) {
      const ids = sessions.map(({ id }) => id);
      const found = await listed(ids, signal);
      return new Map(ids.map((id) => [id, found.has(id) ? 'running' : 'unknown']));
    },
    async liveView(id, _page, mode, signal): Promise<LiveView> {
      const body = { interactable: mode === 'interact' };
      const asked = { params: { id }, body, isOwnNotFound: isCloudNotFound };
      const answer = await send({ method: 'POST', route: '/browser/{id}/live', ...asked }, signal);
      const { liveURL, liveURLId } = decode(LiveAnswer, answer);
      return {
        url: liveViewUrl(liveURL, (url) => allowsLiveView(url, link.origin)),
        // https://docs.browserless.io/baas/monitor-sessions/embedding-live-url
        sandbox: 'allow-scripts allow-same-origin',
        allow: '',
        fixedMode: true,
        singleUse: 'no',
        disconnectMessage: undefined,
        ...(liveURLId == null ? {} : { close: (whoWaits: AbortSignal) => closeLink(id, liveURLId, whoWaits) }),
      };
    },
  };

  /** https://docs.browserless.io/baas/monitor-sessions/manage-live-url-over-rest */
  async function closeLink(id: SessionId, linkId: string, signal: AbortSignal): Promise<void> {
    try {
      const asked = { route: '/browser/{id}/live/{linkId}', params: { id, linkId } };
      await send({ method: 'DELETE', ...asked }, signal);
    } catch (error) {
      if (!ProviderError.isOf(error, 'notFound')) throw error;
    }
  }
}

export function isProviderHost(hostname: string): boolean {
  return hostname.endsWith('.browserless.io');
}

function allowsLiveView({ origin, protocol, hostname }: URL, account: URL): boolean {
  if (origin === account.origin) return true;
  return protocol === 'https:' && isProviderHost(account.hostname) && isProviderHost(hostname);
}

/** What GraphQL reports as failed, whatever the shape of each entry. */
function errorsIn(raw: unknown): readonly unknown[] {
  return Array.isArray(raw) ? raw : raw == null ? [] : [raw];
}

/** GraphQL answers errors with HTTP 200 and a sentence. */
function accountApiRefusal(error: unknown): ProviderError {
  const message = 'POST /graphql refused';
  const said = v.is(Refusal, error) ? error.message : undefined;
  if (said !== undefined && /token|unauthori[sz]ed|authenticat/i.test(said)) {
    return new ProviderError({ kind: 'unauthorized' }, message);
  }
  return new ProviderError({ kind: 'unexpectedAnswer', what: "the account API didn't return a list" }, message);
}

function cloudSessionOf({ browserId, startTime, browserName, type }: v.InferOutput<typeof CloudSession>): Session {
  return newSession(sessionId(browserId), {
    startedAt: startTime,
    // The GUID in Chromium's DevTools address.
    hasUniqueId: true,
    traits: [browserName ?? '', type ?? ''].filter((trait) => trait !== ''),
  });
}
