import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import type { SessionDevtools } from '../../core/cdp.ts';
import type { HttpAnswer, HttpRequest } from '../../core/http.ts';
import { pageId, sessionId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';
import { titleWithoutValues } from '../../core/maskedAddress.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import { newSession } from '../../core/newSession.ts';
import type { Page } from '../../core/page.ts';
import type { EndAnswer, Link } from '../../core/provider.ts';
import { ProviderError, unaddressable } from '../../core/providerError.ts';
import { requestUrl } from '../../core/requestUrl.ts';
import { isSame, type Session } from '../../core/session.ts';
import { sharedWithin } from '../../core/sharedWithin.ts';
import { translatable } from '../../core/translatable.ts';
import { Turns } from '../../core/turns.ts';
import { sessionLimitOf } from '../../core/usage.ts';
import { decode, decodeEach, decodeList, rowAt, timeField } from '../../http/decode.ts';
import { neverNotFound, notFoundLike } from '../../http/notFound.ts';
import { namedBy } from '../../http/paging.ts';
import { BrowserId, bearer, passingTroubles, Rows, type Surface, Text } from './surface.ts';

// Browserless v1 and v2 on the user's own server, or on one that the provider runs for one customer; see index.ts.

/**
 * How long an answer of /pressure is used, in milliseconds. Not every list requests it: behind a balancer that
 * alternates between two workers, a list of two requests would always show the same one.
 */
const pressureLifetimeMs = 600_000;
/** It only adds a count: a list doesn't wait longer for it. */
const pressureTimeoutMs = 5_000;
/** The oldest list, in milliseconds, that a session is compared with before it is ended. */
const compareWithinMs = 2_000;
/** How long that list may take, in milliseconds: it hangs while any browser of the server is frozen. Kills don't. */
const compareTimeoutMs = 5_000;
/** v1's answer, with 403, to a missing or wrong token. */
const v1Refusal = 'Unauthorized';

const Count = v.fallback(v.nullish(v.number()), undefined);
/** Only fields that hold no secret are read: addresses and launch options may. */
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
export const Pressure = v.object({
  pressure: v.object({ maxConcurrent: v.number(), running: v.fallback(v.optional(v.number()), undefined) }),
});
/** v2's text answer to the kill of a browser that it doesn't have (src/browsers/index.ts). */
const isV2NotFound = notFoundLike(v.pipe(v.string(), v.startsWith("Couldn't locate session")));

export function isV1Refusal(error: unknown): boolean {
  return ProviderError.isOf(error, 'forbidden') && error.detail === v1Refusal;
}

export function v2(link: Link, version: string | undefined): Surface {
  const send = (request: HttpRequest, signal: AbortSignal) =>
    link.http.send({ ...request, headers: bearer(link), isSpread: true }, signal);
  const identity = version === undefined ? 'v2' : `v${version}`;
  return selfHosted(link, send, { headers: bearer(link), identity, killed: 'ended', isOwnNotFound: isV2NotFound });
}

export function v1(link: Link): Surface {
  const { token } = link.credentials;
  // Not in the query, which it accepts too: programs that pass a request on, such as VS Code, log its address.
  const basic = (name: string) => ({ authorization: `Basic ${Buffer.from(`${name}:`).toString('base64')}` });
  const headers: Readonly<Record<string, string>> = token === undefined ? {} : basic(token);
  return selfHosted(
    link,
    async (request, signal) => {
      try {
        return await link.http.send({ ...request, headers, isSpread: true }, signal);
      } catch (error) {
        if (!isV1Refusal(error)) throw error;
        throw new ProviderError({ kind: 'unauthorized' }, 'v1 refused the token');
      }
    },
    // It answers 204 to any kill. A 404 means that kills are turned off, or comes from another server.
    { headers, identity: 'v1', killed: 'accepted', omitsEmpty: true, isOwnNotFound: neverNotFound },
  );
}

/** The differences between v1 and v2, apart from how requests are made. */
interface SelfHosted {
  /** How a WebSocket sends the token. */
  readonly headers: Readonly<Record<string, string>>;
  readonly identity: string;
  /** What its 204 to a kill means: v1 sends it whatever it was asked to kill. */
  readonly killed: EndAnswer['outcome'];
  /** v1 lists pages, and so no browser without one (src/chrome-helper.ts, getDebuggingPages). */
  readonly omitsEmpty?: boolean;
  /** Recognizes its answer to the kill of a browser that it doesn't have. */
  readonly isOwnNotFound: (said: unknown) => boolean;
}

/** What v1 and v2 have in common. */
function selfHosted(
  link: Link,
  send: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>,
  { headers, identity, killed, omitsEmpty, isOwnNotFound }: SelfHosted,
): Surface {
  let sessionLimit: number | undefined;
  let pressureUntil = Number.NEGATIVE_INFINITY;
  /**
   * Sessions that were compared before their first end. With a list before each end, a balancer that alternates would
   * send all ends to the same worker.
   */
  const compared = new WeakSet<Session>();
  /**
   * Browsers whose end it accepted. If their data is kept, v2 goes on listing them, as not running (2.42.0; no longer in
   * 2.56.0).
   */
  const closed = new Set<string>();
  let latest: readonly string[] = [];
  /** Concurrent ends share a list. It doesn't use one end's signal: aborting that would abort the list for all others. */
  const recentInventory = sharedWithin(compareWithinMs, link.clock, () => inventory(neverAborted, compareTimeoutMs));

  /** The server's load; only the facts known so far if it doesn't say, for example because /pressure is turned off. */
  async function pressure(signal: AbortSignal): Promise<Pick<Inventory, 'account' | 'counted'>> {
    const facts = (): AccountFacts => ({ identity, sessionLimit, note: undefined });
    if (link.clock.monotonic() < pressureUntil) return { account: facts() };
    try {
      const asked = { route: '/pressure', repeatable: false, timeoutMs: pressureTimeoutMs };
      const answer = await send({ method: 'GET', ...asked }, signal);
      const { maxConcurrent, running } = decode(Pressure, answer).pressure;
      sessionLimit = sessionLimitOf(maxConcurrent);
      pressureUntil = link.clock.monotonic() + pressureLifetimeMs;
      return { account: facts(), counted: running };
    } catch (error) {
      if (ProviderError.isOf(error, 'canceled')) throw error;
      if (!ProviderError.isOf(error, ...passingTroubles)) pressureUntil = link.clock.monotonic() + pressureLifetimeMs;
      return { account: facts() };
    }
  }

  /**
   * Refuses to end another browser, which has got the ID or has it as its tracking ID: /kill accepts either. A browser's ID is
   * random (the GUID in Chromium's DevTools address), so an end goes ahead if the list can't be loaded, unless it may be a
   * tracking ID. A browser that isn't listed may be on another worker.
   */
  async function refuseAnothers(confirmed: Session): Promise<void> {
    const isKnown = confirmed.startedAt !== undefined || trackingIdOf(confirmed) !== undefined;
    // Then there is nothing to compare. v1 takes anything as a tracking ID.
    if (compared.has(confirmed) || (!isKnown && killed === 'ended' && randomId.test(confirmed.id))) return;
    let sessions: readonly Session[] = [];
    try {
      ({ sessions } = await recentInventory());
    } catch (error) {
      if (!isKnown) throw error;
    }
    const listed = sessions.find(({ id }) => id === confirmed.id);
    const isNotOnly = sessions.some(({ id, otherId }) => id !== confirmed.id && otherId === confirmed.id);
    if (isNotOnly || (listed !== undefined && !isSameBrowser(confirmed, listed)))
      throw new ProviderError({ kind: 'otherSession' }, 'no request was sent: the ID now belongs to another browser');
    compared.add(confirmed);
  }

  async function inventory(signal: AbortSignal, timeoutMs?: number): Promise<Inventory> {
    let answer: HttpAnswer;
    try {
      const limit = timeoutMs === undefined ? {} : { timeoutMs };
      answer = await send({ method: 'GET', route: '/sessions', ...limit }, signal);
    } catch (error) {
      if (!ProviderError.isOf(error, 'notFound')) throw error;
      throw new ProviderError({ kind: 'unsupported', reason: { kind: 'routeOff', route: '/sessions' } }, error.message);
    }
    const { rows, faults } = await decodeEach(Row, await decodeList(Rows, [], answer), subject);
    const turns = new Turns();
    const browsers = Map.groupBy(rows, ({ browserId }) => browserId);
    latest = [...browsers.keys()];
    for (const [id, [first]] of browsers) if (first?.running !== false) closed.delete(id);
    const sessions: Session[] = [];
    for (const [id, its] of browsers) {
      if (!closed.has(id)) sessions.push(sessionOf(id, its, (await turns.map(its, pagesOf)).flat()));
    }
    return { sessions, groups: [], faults, account: undefined };
  }

  return {
    // Several servers may share the address, and each knows only its own browsers (browserless/browserless#2910).
    ending: { lists: 'partial', omitsEmpty, mostInFlight: 8, withinMs: 30_000 },
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
        await send({ method: 'GET', ...asked }, signal);
        if (killed === 'ended') closed.add(id);
        return { outcome: killed, how: undefined };
      } catch (error) {
        if (ProviderError.isOf(error, 'notFound')) return { outcome: 'alreadyGone', how: undefined };
        throw error;
      }
    },
    async probe({ id }, signal) {
      // Another worker at the same address may have a browser that this one doesn't list.
      return (await inventory(signal)).sessions.some((session) => session.id === id) ? 'running' : 'unknown';
    },
    async endEverything(signal) {
      await send({ method: 'GET', route: '/kill/all', repeatable: false }, signal);
      if (killed === 'ended') for (const id of latest) closed.add(id);
    },
    async devtools(id, signal): Promise<SessionDevtools> {
      if (!v.is(BrowserId, id)) throw unaddressable('connecting to DevTools', 'it has characters that no id may have');
      const address = requestUrl(link.origin, `/devtools/browser/${id}`);
      address.protocol = link.origin.protocol === 'https:' ? 'wss:' : 'ws:';
      // One browser is one session, so it owns every page.
      return { connection: await link.cdp.dial(address, headers, signal), owns: () => true };
    },
  };
}

/** The IDs of Chromium, which no tracking ID of v2 can be: those have up to 32 characters. Playwright's IDs have no hyphens. */
const randomId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The name that its owner gave a browser; it never changes. */
function trackingIdOf({ metadata }: Session): string | undefined {
  return metadata.get('trackingId');
}

function isSameBrowser(confirmed: Session, listed: Session): boolean {
  const [before, now] = [trackingIdOf(confirmed), trackingIdOf(listed)];
  return isSame(confirmed, listed) && (before === undefined || now === undefined || before === now);
}

/** Names a row by its browser; some of Firefox's rows have no id at all. */
function subject(row: unknown, index: number): string {
  const named = namedBy('browserId')(row, index);
  return named === rowAt(index) ? namedBy('browser')(row, index) : named;
}

/** The page of a row; none if it isn't about one. */
function pagesOf(row: Row): readonly Page[] {
  if (row.type !== 'page' || !v.is(BrowserId, row.id)) return [];
  const url = row.url ?? '';
  return [{ id: pageId(row.id), title: titleWithoutValues(row.title ?? '', url), url }];
}

/** The session of one browser, from all of its rows: its own, and one per target, which repeat the browser's fields. */
function sessionOf(id: string, [first]: readonly Row[], pages: readonly Page[]): Session {
  const clients = first?.numbConnected ?? undefined;
  const trackingId = first?.trackingId ?? undefined;
  const browser = first?.browser ?? undefined;
  const stopped = first?.running === false;
  // Browsers driven by Playwright's own protocol have no targets in the list, whatever they show.
  const byPlaywright = browser?.includes('Playwright') === true;
  return newSession(sessionId(id), {
    name: trackingId,
    phase: stopped ? 'unknown' : clients === 0 ? 'idle' : 'running',
    status: stopped ? 'not running' : undefined,
    startedAt: first?.startedOn,
    // src/browsers/index.ts, killSessions; v1 does the same.
    otherId: v.is(BrowserId, trackingId) ? trackingId : undefined,
    metadata: trackingId === undefined ? new Map() : new Map([['trackingId', trackingId]]),
    pages: byPlaywright ? undefined : pages,
    canWatch: !byPlaywright,
    facts: [
      ...(browser === undefined ? [] : [[translatable('Browser'), browser] as const]),
      ...(trackingId === undefined ? [] : [[translatable('Tracking ID'), trackingId] as const]),
      ...(clients === undefined ? [] : [[translatable('Clients'), String(clients)] as const]),
    ],
  });
}
