import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import type { SessionDevtools } from '../../core/cdp.ts';
import type { HttpAnswer, HttpRequest } from '../../core/http.ts';
import { pageId, sessionId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';
import { titleWithoutValues } from '../../core/maskedAddress.ts';
import { requestUrl } from '../../core/origin.ts';
import type { Page } from '../../core/page.ts';
import type { EndAnswer, Link } from '../../core/provider.ts';
import { ProviderError, unaddressable } from '../../core/providerError.ts';
import { isSame, type Session } from '../../core/session.ts';
import { decode, decodeEach, decodeList, rowAt, timeField } from '../../http/decode.ts';
import { neverNotFound, notFoundLike } from '../../http/notFound.ts';
import { namedBy } from '../../http/paging.ts';
import { BrowserId, bearer, passingTroubles, Rows, type Surface, Text } from './surface.ts';

// Browserless v1 and v2 on a server of one's own, or on one that the provider runs for one customer; see index.ts.

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

const Count = v.fallback(v.nullish(v.number()), undefined);
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
export const Pressure = v.object({
  pressure: v.object({ maxConcurrent: v.number(), running: v.fallback(v.optional(v.number()), undefined) }),
});
/** What v2 answers to the kill of a browser that it does not have, as text (src/browsers/index.ts). */
const isV2NotFound = notFoundLike(v.pipe(v.string(), v.startsWith("Couldn't locate session")));

export function isV1Refusal(error: unknown): boolean {
  return ProviderError.isOf(error, 'forbidden') && error.detail === v1Refusal;
}

export function v2(link: Link, version: string | undefined): Surface {
  const send = (request: HttpRequest, signal: AbortSignal) =>
    link.http.send({ ...request, headers: bearer(link) }, signal);
  const socket = { headers: bearer(link), query: {} };
  const identity = version === undefined ? 'v2' : `v${version}`;
  return selfHosted(link, send, { socket, identity, killed: 'ended', isOwnNotFound: isV2NotFound });
}

export function v1(link: Link): Surface {
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
  async function pressure(signal: AbortSignal): Promise<Pick<Inventory, 'account' | 'counted'>> {
    const facts = (): AccountFacts => ({ identity, sessionLimit, note: undefined });
    if (link.clock.now() < pressureUntil) return { account: facts() };
    try {
      const asked = { route: '/pressure', repeatable: false, timeoutMs: pressureTimeoutMs };
      const answer = await send({ method: 'GET', ...asked }, signal);
      const { maxConcurrent, running } = decode(Pressure, answer).pressure;
      sessionLimit = maxConcurrent;
      pressureUntil = link.clock.now() + pressureLifetimeMs;
      return { account: facts(), counted: running };
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
      throw new ProviderError({ kind: 'unsupported', reason: { kind: 'routeOff', route: '/sessions' } }, error.message);
    }
    const { rows, faults } = await decodeEach(Row, await decodeList(Rows, [], answer), subject);
    const browsers = Map.groupBy(rows, ({ browserId }) => browserId);
    const sessions = [...browsers].map(([id, its]) => sessionOf(id, its));
    return { sessions, groups: [], faults, account: undefined };
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
        await send({ method: 'GET', ...asked }, signal);
        return { outcome: killed, how: undefined };
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
    canWatch: !byPlaywright,
    ends: 'session',
    bulkEndExclusion: undefined,
    facts: [
      ...(browser === undefined ? [] : [['Browser', browser] as const]),
      ...(trackingId === undefined ? [] : [['Tracking ID', trackingId] as const]),
      ...(clients === undefined ? [] : [['Clients', String(clients)] as const]),
    ],
  };
}
