import * as v from 'valibot';
import type { AccountFacts } from '../core/account.ts';
import type { SessionDevtools } from '../core/cdp.ts';
import type { HttpAnswer, HttpRequest } from '../core/http.ts';
import { pageId, type SessionId, sessionId } from '../core/ids.ts';
import type { Inventory } from '../core/inventory.ts';
import { type LiveView, liveViewUrl } from '../core/liveView.ts';
import { titleWithoutValues } from '../core/maskedAddress.ts';
import { requestUrl } from '../core/origin.ts';
import type { Page } from '../core/page.ts';
import { type EndAnswer, type Link, type Provider, type ProviderKind, usualEnding } from '../core/provider.ts';
import { ProviderError, unaddressable } from '../core/providerError.ts';
import { isSame, type Session } from '../core/session.ts';
import { decode, decodeEach, decodeList, idField, rowAt, timeField } from '../http/decode.ts';
import { neverNotFound, notFoundLike } from '../http/notFound.ts';
import { everyPage, namedBy } from '../http/paging.ts';
import { servedBy } from '../http/servedBy.ts';

// Browserless, https://docs.browserless.io, which is three things under one name. Which of them an address is, is found
// out by asking it.
//  - v2, self-hosted or dedicated (read off 2.42.0 and its source): GET /sessions has a row for each DevTools target, so
//    that one browser has many; unknown query keys and a content type on a GET are refused.
//  - v1 (chrome.browserless.io, last 1.61.1): knows its token in the query only, refuses with 403, and answers 204 to a
//    kill whatever it was asked to kill.
//  - the shared cloud: has no list but an account API that is not documented (read off browserless-mcp 1.22.1).
// A kill is a GET with an effect: it is sent once, and its address is shown nowhere.
//
// What confirms an end: a list that leaves the browser out, and only where one server is known to have the address. Behind a
// load balancer each worker lists and kills only its own (browserless/browserless#2910; docs.browserless.io, load balancers):
//  - v2: 204 comes from the worker that had the browser, and says that it has begun to close it; 404 says “not this worker”.
//  - v1: 204 comes from any worker, and says nothing.
//  - A list that has the browser says that it runs; one that leaves it out is that of one worker. There is no other question.
//  - /kill/all reaches the worker that it comes to.
//  - The shared cloud: DELETE answers that it was taken, and the account's list, which may lag, is its only witness.

/** The addresses of the cloud that all customers share. What /kill/all ends there is not documented. */
const sharedCloud = /^production-[\w-]+\.browserless\.io$/;
/** Where v1's cloud was. It refuses with 403 and “This URL is a legacy endpoint …”, or redirects. */
const retiredHost = 'chrome.browserless.io';
/** https://docs.browserless.io/overview/connection-urls */
const regionalHosts = [
  'production-sfo.browserless.io',
  'production-lon.browserless.io',
  'production-ams.browserless.io',
];
const accountApiAddress = 'https://api.browserless.io';
const accountApiRoute = '/graphql';
/** The most rows that the vendor's own client asks the account API for. */
const rowsPerPage = 50;
/**
 * How long what /pressure said is used. Not every list asks for it: behind a balancer by which two workers take turns, a list
 * of two requests would always show the same one.
 */
const pressureLifetimeMs = 600_000;
/** It only adds a count: a list does not wait longer for it. */
const pressureTimeoutMs = 5_000;
/** How old the list may be by which a session that is about to be ended is compared with the confirmed one. */
const compareWithinMs = 2_000;
/** What v1 answers, with 403, to a token that it does not know or does not find. */
const v1Refusal = 'Unauthorized';
/** Troubles that say nothing about what answers at the address. */
const passingTroubles = ['cancelled', 'unreachable', 'timedOut', 'rateLimited', 'serverFault'] as const;
/** Troubles of a call that only adds detail. */
/** What ids are made of at Browserless: anything else is no id, and must not come near /kill. */
const idPattern = /^[\w-]+$/;

const BrowserId = v.pipe(idField, v.regex(idPattern));
const Text = v.fallback(v.nullish(v.string()), undefined);
const Count = v.fallback(v.nullish(v.number()), undefined);
const Rows = v.array(v.unknown());
/** Of the many fields only those are read that hold no secret: addresses and launch options may. */
const Row = v.object({
  browserId: BrowserId,
  type: v.string(),
  id: Text,
  title: Text,
  url: Text,
  trackingId: Text,
  browser: Text,
  startedOn: timeField,
  numbConnected: Count,
  running: v.fallback(v.nullish(v.boolean()), undefined),
});
type Row = v.InferOutput<typeof Row>;
const Meta = v.object({ version: v.string() });
const Pressure = v.object({
  pressure: v.object({ maxConcurrent: v.number(), running: v.fallback(v.optional(v.number()), undefined) }),
});
const CloudSession = v.object({
  browserId: BrowserId,
  startTime: timeField,
  browserName: Text,
  type: Text,
});
const CloudList = v.object({
  data: v.nullish(v.object({ getActiveSession: v.nullish(v.object({ sessions: v.nullable(Rows) })) })),
  errors: v.fallback(v.array(v.object({ message: v.string() })), []),
});
/** What v2 answers to the kill of a browser that it does not have, as text (src/browsers/index.ts). */
const isV2NotFound = notFoundLike(v.pipe(v.string(), v.startsWith("Couldn't locate session")));
/** The cloud is built on v2 and documents its 404 as “Resource couldn't be found.”; its exact words are not documented. */
const isCloudNotFound = notFoundLike(v.pipe(v.string(), v.regex(/\bcouldn't (be found|find|locate)\b/i)));
const LiveAnswer = v.object({ liveURL: v.string(), liveURLId: v.fallback(v.nullish(idField), undefined) });

const activeSessions =
  'query ActiveSessions($apiToken:String,$limit:Int,$skip:Int){getActiveSession(apiToken:$apiToken,limit:$limit,skip:$skip){sessions{browserId startTime browserName type} count}}';

/** Browserless: self-hosted, dedicated or shared; v1 or v2. */
export const browserless: ProviderKind = {
  id: 'browserless',
  label: 'Browserless',
  icon: 'server',
  docsUrl: 'https://docs.browserless.io',
  address: {
    preset: undefined,
    ask: true,
    prompt: 'Address of your Browserless server, or of the region of its cloud that you use',
    placeholder: 'https://production-sfo.browserless.io',
  },
  fields: [
    {
      id: 'token',
      label: 'Token',
      prompt: 'Browserless token, where the server wants one',
      kind: 'secret',
      required: false,
      asked: 'always',
      environment: ['BROWSERLESS_TOKEN', 'BROWSERLESS_API_KEY'],
    },
  ],
  settings: [
    {
      id: 'accountApi',
      description:
        'List the sessions of Browserless’s shared cloud by its account API, which is not documented and may change. The token is then sent to api.browserless.io too. Without it the shared cloud cannot be listed.',
    },
  ],
  furtherAddresses: ({ hostname }) => (isVendorHost(hostname) ? [new URL(accountApiAddress)] : []),
  can: ['endEverything', 'liveView', 'devtools'],
  wording: {
    session:
      'A browser of a v1 or v2 server, self-hosted or dedicated, or of the shared cloud. Those driven by Playwright’s own protocol cannot be watched.',
    ending: 'The browser closes. Unsaved page state and the connection of any running script are lost.',
    endEverything: 'Every browser on this server ends, also those that are not listed and those of others who use it.',
    deleteGroup: undefined,
    watching:
      'On a server of your own an open live view counts as one of its clients: the browser stays while it is open, and may close with it once its script has left. The cloud’s live view closes by itself after 15 minutes at most.',
  },
  connect,
};

/** One of the three things that are called Browserless. */
interface Surface
  extends Pick<
    Provider,
    'ending' | 'check' | 'list' | 'end' | 'probe' | 'probeMany' | 'endEverything' | 'liveView' | 'devtools'
  > {}

function connect(link: Link): Provider {
  let known: Surface | undefined;

  async function surface(signal: AbortSignal): Promise<Surface> {
    try {
      known ??= await findOut(link, signal);
      return known;
    } catch (error) {
      if (!ProviderError.isOf(error, 'notFound')) throw error;
      // It says nothing of any session.
      const what = 'it has none of the addresses that Browserless has';
      throw new ProviderError({ kind: 'unexpectedAnswer', what }, error.message);
    }
  }

  /** Forgets what answers when an answer does not fit: a server may have been replaced by another version. */
  function doubt(error: unknown): void {
    if (!ProviderError.isOf(error, ...passingTroubles, 'conflict')) known = undefined;
  }

  async function onSurface<T>(signal: AbortSignal, use: (at: Surface) => Promise<T>): Promise<T> {
    try {
      return await use(await surface(signal));
    } catch (error) {
      doubt(error);
      throw error;
    }
  }

  return {
    get ending() {
      return known?.ending ?? usualEnding;
    },
    check: (signal) => onSurface(signal, (at) => at.check(signal)),
    async *list(signal) {
      try {
        yield* (await surface(signal)).list(signal);
      } catch (error) {
        doubt(error);
        throw error;
      }
    },
    async end(session, signal) {
      if (!v.is(BrowserId, session.id)) {
        throw unaddressable('the end', 'its id has characters that no id may have');
      }
      return onSurface(signal, (at) => at.end(session, signal));
    },
    probe: (session, signal) => onSurface(signal, (at) => at.probe(session, signal)),
    get probeMany() {
      return known?.probeMany;
    },
    get endEverything() {
      return known?.endEverything;
    },
    get liveView() {
      return known?.liveView;
    },
    get devtools() {
      return known?.devtools;
    },
  };
}

/** Asks what answers. v1 gets to see the token only after it has refused to answer without, in its own words. */
async function findOut(link: Link, signal: AbortSignal): Promise<Surface> {
  if (sharedCloud.test(link.origin.hostname)) return findOutVendors(link, signal);
  const get = (route: string, headers: Readonly<Record<string, string>>) =>
    link.http.send({ method: 'GET', route, headers }, signal);
  let version: string;
  try {
    ({ version } = decode(Meta, await get('/meta', bearer(link))));
  } catch (error) {
    if (isV1Refusal(error)) return v1(link);
    if (
      link.origin.hostname === retiredHost &&
      ProviderError.isOf(error, 'forbidden', 'unexpectedAnswer', 'notFound')
    ) {
      const what = `this address is no longer in use. Use the one of your region: ${regionalHosts.join(', ')}`;
      throw new ProviderError({ kind: 'unexpectedAnswer', what }, error.message, { detail: error.detail });
    }
    if (ProviderError.isOf(error, 'notFound') && (await isV1(() => get('/pressure', {})))) return v1(link);
    throw error;
  }
  try {
    await get('/sessions', bearer(link));
  } catch (error) {
    if (ProviderError.isOf(error, 'notFound')) return cloud(link, version);
    throw error;
  }
  return v2(link, version);
}

/**
 * Tells a dedicated account, which has /sessions and /kill, from the shared cloud at the same addresses. What a shared
 * account's token gets from /sessions is not documented, except that it is no list.
 */
async function findOutVendors(link: Link, signal: AbortSignal): Promise<Surface> {
  const get = (route: string) => link.http.send({ method: 'GET', route, headers: bearer(link) }, signal);
  try {
    await decodeList(Rows, [], await get('/sessions'));
  } catch (error) {
    if (ProviderError.isOf(error, 'cancelled', 'unreachable', 'timedOut', 'rateLimited')) throw error;
    return cloud(link, undefined);
  }
  const version = await get('/meta').then(
    (answer) => decode(Meta, answer).version,
    (error: unknown) => {
      if (ProviderError.isOf(error, ...passingTroubles)) throw error;
      return undefined;
    },
  );
  // Whether others share the workers cannot be told for certain.
  return { ...v2(link, version), endEverything: undefined };
}

async function isV1(askPressure: () => Promise<HttpAnswer>): Promise<boolean> {
  try {
    decode(Pressure, await askPressure());
    return true;
  } catch (error) {
    if (isV1Refusal(error)) return true;
    if (ProviderError.isOf(error, 'notFound', 'unexpectedAnswer', 'unauthorized', 'forbidden')) return false;
    throw error;
  }
}

function isV1Refusal(error: unknown): boolean {
  return ProviderError.isOf(error, 'forbidden') && error.detail === v1Refusal;
}

function v2(link: Link, version: string | undefined): Surface {
  const send = (request: HttpRequest, signal: AbortSignal) =>
    link.http.send({ ...request, headers: bearer(link) }, signal);
  const socket = { headers: bearer(link), query: {} };
  const identity = version === undefined ? 'v2' : `v${version}`;
  return selfHosted(link, send, { socket, identity, killed: 'ended', isOwnNotFound: isV2NotFound });
}

function v1(link: Link): Surface {
  const { token } = link.credentials;
  const query: Record<string, string> = token === undefined ? {} : { token };
  return selfHosted(
    link,
    async (request, signal) => {
      try {
        return await link.http.send({ ...request, query }, signal);
      } catch (error) {
        if (!isV1Refusal(error)) throw error;
        throw new ProviderError({ kind: 'unauthorized' }, 'v1 refused the token');
      }
    },
    // It answers 204 to any kill. A 404 is a kill that is turned off, or another server's.
    { socket: { headers: {}, query }, identity: 'v1', killed: 'accepted', isOwnNotFound: neverNotFound },
  );
}

/** What v1 and v2 differ in, besides how they are asked. */
interface SelfHosted {
  /** How a WebSocket proves the token. */
  readonly socket: {
    readonly headers: Readonly<Record<string, string>>;
    readonly query: Readonly<Record<string, string>>;
  };
  readonly identity: string;
  /** What its 204 to a kill is worth: v1 gives it whatever it was asked to kill. */
  readonly killed: EndAnswer['outcome'];
  /** What it answers to the kill of a browser that it does not have. */
  readonly isOwnNotFound: (said: unknown) => boolean;
}

/** What v1 and v2 have in common, once they are asked as each wants it. */
function selfHosted(
  link: Link,
  send: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>,
  { socket, identity, killed, isOwnNotFound }: SelfHosted,
): Surface {
  let sessionLimit: number | undefined;
  let pressureUntil = Number.NEGATIVE_INFINITY;
  /** The sessions that were compared before their first end. A list before each would keep it from every other worker. */
  const compared = new WeakSet<Session>();
  let recent: { readonly began: number; readonly read: Promise<Inventory> } | undefined;

  /** How much the server has to do; nothing where it does not say, as where /pressure is turned off. */
  async function pressure(signal: AbortSignal): Promise<Pick<Inventory, 'account' | 'server' | 'counted'>> {
    const facts = (): AccountFacts => ({ identity, sessionLimit, note: undefined });
    if (link.clock.now() < pressureUntil) return { account: facts() };
    try {
      const asked = { route: '/pressure', repeatable: false, timeoutMs: pressureTimeoutMs };
      const answer = await send({ method: 'GET', ...asked }, signal);
      const { maxConcurrent, running } = decode(Pressure, answer).pressure;
      sessionLimit = maxConcurrent;
      pressureUntil = link.clock.now() + pressureLifetimeMs;
      return { account: facts(), server: servedBy(answer), counted: running };
    } catch (error) {
      if (ProviderError.isOf(error, 'cancelled')) throw error;
      if (!ProviderError.isOf(error, ...passingTroubles)) pressureUntil = link.clock.now() + pressureLifetimeMs;
      return { account: facts() };
    }
  }

  /** A list that many ends at a time share. */
  function recentInventory(): Promise<Inventory> {
    const now = link.clock.now();
    if (recent === undefined || now < recent.began || now - recent.began > compareWithinMs) {
      // Not by the signal of one of them: its abort would take the list from all others.
      recent = { began: now, read: inventory(new AbortController().signal) };
    }
    return recent.read;
  }

  /**
   * Refuses to end another browser that got the id. A browser's id is random in its own words (the GUID in Chromium's
   * DevTools address), so that an end does not wait for a list that cannot be had; and what is not on it may be on another
   * worker's.
   */
  async function refuseAnothers(confirmed: Session): Promise<void> {
    if (compared.has(confirmed) || (confirmed.startedAt === undefined && trackingIdOf(confirmed) === undefined)) return;
    const listed = await recentInventory().then(
      ({ sessions }) => sessions.find(({ id }) => id === confirmed.id),
      () => undefined,
    );
    if (listed === undefined || isSameBrowser(confirmed, listed)) {
      compared.add(confirmed);
      return;
    }
    throw new ProviderError({ kind: 'conflict' }, 'nothing was sent: the id belongs to another browser by now');
  }

  async function inventory(signal: AbortSignal): Promise<Inventory> {
    let answer: HttpAnswer;
    try {
      answer = await send({ method: 'GET', route: '/sessions' }, signal);
    } catch (error) {
      if (!ProviderError.isOf(error, 'notFound')) throw error;
      const what = 'Listing sessions where the server has /sessions turned off';
      throw new ProviderError({ kind: 'unsupported', what }, error.message);
    }
    const { rows, faults } = await decodeEach(Row, await decodeList(Rows, [], answer), subject);
    const browsers = Map.groupBy(rows, ({ browserId }) => browserId);
    const sessions = [...browsers].map(([id, its]) => sessionOf(id, its));
    return { sessions, groups: [], faults, account: undefined, server: servedBy(answer) };
  }

  return {
    // Several servers may share the address, and each knows its own browsers only (browserless/browserless#2910).
    ending: { lists: 'partial', mostInFlight: 8, withinMs: 30_000 },
    async check(signal) {
      await send({ method: 'GET', route: '/sessions' }, signal);
      const { account } = await pressure(signal);
      return account ?? { identity, sessionLimit, note: undefined };
    },
    async *list(signal) {
      yield await inventory(signal);
      yield { sessions: [], groups: [], faults: [], ...(await pressure(signal)) };
    },
    async end(session, signal): Promise<EndAnswer> {
      const { id } = session;
      await refuseAnothers(session);
      try {
        const asked = { route: '/kill/{id}', params: { id }, repeatable: false, isOwnNotFound };
        const from = servedBy(await send({ method: 'GET', ...asked }, signal));
        return { outcome: killed, how: undefined, ...(from === undefined ? {} : { from }) };
      } catch (error) {
        if (ProviderError.isOf(error, 'notFound')) return { outcome: 'alreadyGone', how: undefined };
        throw error;
      }
    },
    async probe({ id }, signal) {
      // Another worker behind the same address may have what this one does not list.
      return (await inventory(signal)).sessions.some((session) => session.id === id) ? 'running' : 'unknown';
    },
    async endEverything(signal) {
      await send({ method: 'GET', route: '/kill/all', repeatable: false }, signal);
    },
    async devtools(id, signal): Promise<SessionDevtools> {
      if (!v.is(BrowserId, id)) throw unaddressable('connecting to DevTools', 'it has characters that no id may have');
      const address = requestUrl(link.origin, `/devtools/browser/${id}`, socket.query);
      address.protocol = link.origin.protocol === 'https:' ? 'wss:' : 'ws:';
      // One browser is one session: all of its pages are.
      return { connection: await link.cdp.dial(address, socket.headers, signal), owns: () => true };
    },
  };
}

function cloud(link: Link, version: string | undefined): Surface {
  const { token } = link.credentials;
  const query: Record<string, string> = token === undefined ? {} : { token };
  const identity = version === undefined ? 'cloud' : `cloud v${version}`;
  const facts: AccountFacts = { identity, sessionLimit: undefined, note: undefined };
  const accountApi = () => (isVendorHost(link.origin.hostname) ? link.httpTo(new URL(accountApiAddress)) : link.http);

  async function read(page: number, signal: AbortSignal) {
    const variables = { apiToken: token ?? null, limit: rowsPerPage, skip: (page - 1) * rowsPerPage };
    const body = { query: activeSessions, variables };
    // A question, though it is a POST.
    const asked = { body, repeatable: true, isOwnNotFound: neverNotFound };
    const request = { method: 'POST', route: accountApiRoute, ...asked } as const;
    const answer = await accountApi().send(request, signal);
    const { whole, count, ...sent } = await decodeList(CloudList, ['data', 'getActiveSession', 'sessions'], answer);
    if (whole.data?.getActiveSession == null) throw accountApiRefusal(whole.errors[0]?.message);
    // What its count counts is not documented: only an empty page is the end.
    return { ...sent, more: count > 0 };
  }

  async function* inventories(signal: AbortSignal): AsyncGenerator<Inventory> {
    if (!link.setting('accountApi')) {
      const what =
        'Listing sessions of Browserless’s shared cloud without the setting browserSessions.browserless.accountApi';
      throw new ProviderError({ kind: 'unsupported', what }, 'the account API is not turned on');
    }
    for await (const page of everyPage((number) => read(number, signal), namedBy('browserId'))) {
      const { rows, faults } = await decodeEach(CloudSession, page, namedBy('browserId'));
      yield { sessions: rows.map(cloudSessionOf), groups: [], faults, account: facts };
    }
  }

  /** Those of some sessions that the account's list has. That it leaves one out proves nothing: it may be behind. */
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
      await link.http.send({ method: 'GET', route: '/meta', query }, signal);
      return facts;
    },
    list: inventories,
    async end({ id }, signal): Promise<EndAnswer> {
      try {
        const request = { method: 'DELETE', route: '/browser/{id}', params: { id }, query } as const;
        await link.http.send({ ...request, isOwnNotFound: isCloudNotFound }, signal);
        return { outcome: 'accepted', how: undefined };
      } catch (error) {
        // A region does not find the browsers of another, though the account's list has them.
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
      const asked = { params: { id }, query, body, isOwnNotFound: isCloudNotFound };
      const answer = await link.http.send({ method: 'POST', route: '/browser/{id}/live', ...asked }, signal);
      const { liveURL, liveURLId } = decode(LiveAnswer, answer);
      return {
        url: liveViewUrl(liveURL, (url) => allowsLiveView(url, link.origin)),
        // https://docs.browserless.io/baas/monitor-sessions/embedding-live-url
        sandbox: 'allow-scripts allow-same-origin',
        allow: '',
        fixedMode: true,
        oneTime: 'no',
        farewell: undefined,
        ...(liveURLId == null ? {} : { close: (whoWaits: AbortSignal) => closeLink(id, liveURLId, whoWaits) }),
      };
    },
  };

  /** https://docs.browserless.io/baas/monitor-sessions/manage-live-url-over-rest */
  async function closeLink(id: SessionId, linkId: string, signal: AbortSignal): Promise<void> {
    try {
      const asked = { route: '/browser/{id}/live/{linkId}', params: { id, linkId }, query };
      await link.http.send({ method: 'DELETE', ...asked }, signal);
    } catch (error) {
      if (!ProviderError.isOf(error, 'notFound')) throw error;
    }
  }
}

function bearer({ credentials: { token } }: Link): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function isVendorHost(hostname: string): boolean {
  return hostname.endsWith('.browserless.io');
}

function allowsLiveView({ origin, protocol, hostname }: URL, account: URL): boolean {
  if (origin === account.origin) return true;
  return protocol === 'https:' && isVendorHost(account.hostname) && isVendorHost(hostname);
}

/** GraphQL refuses with HTTP 200 and a sentence. */
function accountApiRefusal(said: string | undefined): ProviderError {
  const message = 'POST /graphql refused';
  if (said !== undefined && /token|unauthori[sz]ed|authenticat/i.test(said)) {
    return new ProviderError({ kind: 'unauthorized' }, message);
  }
  return new ProviderError({ kind: 'unexpectedAnswer', what: 'the account API gave no list' }, message);
}

/** What its owner calls a browser; it never changes. */
function trackingIdOf({ metadata }: Session): string | undefined {
  return metadata.get('trackingId');
}

function isSameBrowser(confirmed: Session, listed: Session): boolean {
  const [before, now] = [trackingIdOf(confirmed), trackingIdOf(listed)];
  return isSame(confirmed, listed) && (before === undefined || now === undefined || before === now);
}

/** Names a row by its browser; some rows of Firefox's have no id at all. */
function subject(row: unknown, index: number): string {
  const named = namedBy('browserId')(row, index);
  return named === rowAt(index) ? namedBy('browser')(row, index) : named;
}

/** All rows of one browser: its own, and one for each of its targets, which repeat what the browser's says. */
function sessionOf(id: string, rows: readonly Row[]): Session {
  const [first] = rows;
  const pages = rows.flatMap((row): Page[] => {
    if (row.type !== 'page' || !v.is(BrowserId, row.id)) return [];
    const url = row.url ?? '';
    return [{ id: pageId(row.id), title: titleWithoutValues(row.title ?? '', url), url }];
  });
  const clients = first?.numbConnected ?? undefined;
  const trackingId = first?.trackingId ?? undefined;
  const browser = first?.browser ?? undefined;
  const stopped = first?.running === false;
  // Browsers that are driven by Playwright's own protocol have no targets in the list, whatever they show.
  const byPlaywright = browser?.includes('Playwright') === true;
  return {
    id: sessionId(id),
    name: trackingId ?? pages.find(({ title }) => title !== '')?.title,
    phase: stopped ? 'unknown' : clients === 0 ? 'idle' : 'running',
    status: stopped ? 'not running' : undefined,
    startedAt: first?.startedOn,
    region: undefined,
    groupId: undefined,
    tags: [],
    metadata: trackingId === undefined ? new Map() : new Map([['trackingId', trackingId]]),
    traits: [],
    pages: byPlaywright ? undefined : pages,
    watchable: !byPlaywright,
    ends: 'session',
    heldBack: undefined,
    facts: [
      ...(browser === undefined ? [] : [['Browser', browser] as const]),
      ...(trackingId === undefined ? [] : [['Tracking ID', trackingId] as const]),
      ...(clients === undefined ? [] : [['Clients', String(clients)] as const]),
    ],
  };
}

function cloudSessionOf({ browserId, startTime, browserName, type }: v.InferOutput<typeof CloudSession>): Session {
  return {
    id: sessionId(browserId),
    name: undefined,
    phase: 'running',
    status: undefined,
    startedAt: startTime,
    region: undefined,
    groupId: undefined,
    tags: [],
    metadata: new Map(),
    traits: [browserName ?? '', type ?? ''].filter((trait) => trait !== ''),
    pages: undefined,
    watchable: true,
    ends: 'session',
    heldBack: undefined,
    facts: [],
  };
}
