import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import type { HttpClient, HttpRequest } from '../../core/http.ts';
import { type PageId, pageId, type SessionId, sessionId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';
import { type LiveView, liveViewUrl, type ViewMode } from '../../core/liveView.ts';
import { titleWithoutValues } from '../../core/maskedAddress.ts';
import { isAtAccount, isWithin } from '../../core/origin.ts';
import type { Page } from '../../core/page.ts';
import { type EndAnswer, type Link, type Provider, type ProviderKind, usualEnding } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { remembered } from '../../core/remembered.ts';
import { type Fate, mostPages, type Session, type SessionPhase } from '../../core/session.ts';
import { dateField, decode, decodeAll, decodeEach, decodeList, idField } from '../../http/decode.ts';
import { notFoundLike } from '../../http/notFound.ts';
import { namedBy } from '../../http/paging.ts';

// Browserbase, https://docs.browserbase.com/reference/api, and Stagehand's API for the sessions that Stagehand started,
// https://docs.stagehand.dev (OpenAPI 3.1.0). A session is released, never deleted, and ends some time after that. What
// is not documented, and therefore never relied on: what a release of an ended session answers, the order and the most
// rows of a list, whether Stagehand's end reaches a session that keeps alive.
//
// What confirms an end: neither the answer to a release, which is but a request and may show the session as running, nor
// Stagehand's success, which may have released nothing. The session's own status does, from GET of the session or from the
// list without a filter, which has the history: COMPLETED, ERROR or TIMED_OUT, or the documented 404. That a filtered list
// leaves it out confirms nothing: it may be under a third status.

const defaultAddress = 'https://api.browserbase.com';
/** Stagehand serves each region from a host of its own; https://docs.stagehand.dev/v3/configuration/browser. */
const stagehandAddresses: ReadonlyMap<string, string> = new Map([
  ['us-west-2', 'https://api.stagehand.browserbase.com'],
  ['us-east-1', 'https://api.use1.stagehand.browserbase.com'],
  ['eu-central-1', 'https://api.euc1.stagehand.browserbase.com'],
  ['ap-southeast-1', 'https://api.apse1.stagehand.browserbase.com'],
]);
/** The statuses of what runs. Together their lists have everything: a session goes from the first to the second. */
const runningStatuses = ['PENDING', 'RUNNING'] as const;
/** The statuses that mean the end, and how it came. Any other word is a running session. */
const fates: ReadonlyMap<string, Fate['how']> = new Map([
  ['COMPLETED', 'completed'],
  ['ERROR', 'failed'],
  ['TIMED_OUT', 'timedOut'],
]);
const endedStatuses: ReadonlySet<string> = new Set(fates.keys());
const phases: Readonly<Record<string, SessionPhase>> = { PENDING: 'starting', RUNNING: 'running' };
/** Seconds for which a live view address can be opened. */
const liveViewLifetime = 600;
const limitLifetimeMs = 600_000;
/** Longest piece of a metadata value that is kept; the vendor allows 512 characters for all of it. */
const longestMetadata = 512;
const mostMetadata = 50;
/** Most labels of a session that are kept, and the longest piece of one, in characters. */
const mostLabels = 50;
const longestLabel = 200;

const SessionRow = v.object({
  id: idField,
  status: v.string(),
  createdAt: dateField,
  startedAt: dateField,
  expiresAt: dateField,
  projectId: v.fallback(v.nullish(v.string()), undefined),
  region: v.fallback(v.nullish(v.string()), undefined),
  keepAlive: v.fallback(v.boolean(), false),
  contextId: v.fallback(v.nullish(v.string()), undefined),
  userMetadata: v.fallback(v.nullish(v.pipe(v.record(v.string(), v.unknown()), v.transform(metadataOf))), undefined),
  labels: v.fallback(v.array(v.unknown()), []),
});
/** Rows of the list may leave them out; whether they are names or whole labels is not documented. */
const Label = v.union([
  v.string(),
  v.pipe(
    v.object({ name: v.string() }),
    v.transform(({ name }) => name),
  ),
]);
type SessionRow = v.InferOutput<typeof SessionRow>;
const SessionList = v.array(v.unknown());
const SessionStatus = v.object({ id: idField, status: v.string() });
/** Of one session no more is read: the answer also holds its signing key. */
const OneSession = v.object({ status: v.string(), endedAt: v.fallback(dateField, undefined) });
const Projects = v.array(v.object({ id: v.string(), name: v.string(), concurrency: v.number() }));
const LivePage = v.object({ id: idField, title: v.string(), url: v.string(), debuggerFullscreenUrl: v.string() });
const LiveUrls = v.object({ debuggerFullscreenUrl: v.string(), pages: v.array(v.unknown()) });
/**
 * What it answers for a session that it doesn't know (APIError of @browserbasehq/sdk). Its framework, Fastify, has the same shape
 * for a route that isn't there, as while a deployment is half done: that one begins with “Route”.
 */
const isOwnNotFound = notFoundLike(
  v.object({ statusCode: v.literal(404), error: v.string(), message: v.pipe(v.string(), v.regex(/^(?!Route )/)) }),
);
/** Stagehand's, as its server sends it (packages/server-v3/src/lib/response.ts) and as its document has it. */
const isStagehandNotFound = notFoundLike(
  v.object({ success: v.literal(false), message: v.string() }),
  v.object({ success: v.literal(false), error: v.string() }),
);
const StagehandEnd = v.object({ success: v.literal(true) });

/** Browserbase's cloud, and Stagehand on it. */
export const browserbase: ProviderKind = {
  id: 'browserbase',
  label: 'Browserbase',
  icon: 'cloud',
  docsUrl: 'https://docs.browserbase.com',
  address: {
    preset: defaultAddress,
    ask: false,
    prompt: 'Address of the Browserbase API',
    placeholder: defaultAddress,
  },
  fields: [
    {
      id: 'apiKey',
      label: 'API key',
      prompt: 'Browserbase API key, from Settings in the Browserbase dashboard',
      kind: 'secret',
      required: true,
      asked: 'always',
      environment: ['BROWSERBASE_API_KEY'],
    },
    {
      id: 'projectId',
      label: 'Project ID',
      prompt: 'Browserbase project ID, which keys of today do not need',
      kind: 'text',
      required: false,
      asked: 'withAddress',
      environment: ['BROWSERBASE_PROJECT_ID'],
    },
    {
      id: 'stagehandOrigin',
      label: 'Stagehand address',
      prompt: 'Address of the Stagehand API, to which the key is sent to end sessions of Stagehand’s',
      kind: 'address',
      required: false,
      asked: 'withAddress',
      environment: [],
    },
  ],
  settings: [],
  furtherAddresses(origin, { stagehandOrigin }) {
    if (stagehandOrigin !== undefined) return [stagehandAddress(stagehandOrigin)];
    return origin.href === new URL(defaultAddress).href
      ? [...stagehandAddresses.values()].map((one) => new URL(one))
      : [];
  },
  can: ['pages', 'liveView', 'dashboard'],
  wording: {
    session: 'A browser in Browserbase’s cloud. Stagehand’s are ended by Stagehand first, and then released.',
    ending: 'Unsaved page state, downloads not yet fetched and the connection of any running script are lost.',
    endEverything: undefined,
    deleteGroup: undefined,
    watching: undefined,
  },
  connect,
};

function connect(link: Link): Provider {
  const { apiKey = '', projectId, stagehandOrigin } = link.credentials;
  const headers = { 'x-bb-api-key': apiKey };
  const send = (request: HttpRequest, signal: AbortSignal) =>
    link.http.send({ ...(request.params === undefined ? {} : { isOwnNotFound }), ...request, headers }, signal);

  async function projectFacts(signal: AbortSignal): Promise<AccountFacts> {
    const projects = decode(Projects, await send({ method: 'GET', route: '/v1/projects' }, signal));
    const own = projects.length === 1 ? projects[0] : projects.find(({ id }) => id === projectId);
    return { identity: own?.name, sessionLimit: own?.concurrency, note: undefined };
  }
  const accountFacts = remembered(link.clock, limitLifetimeMs, projectFacts);

  async function listed(status: (typeof runningStatuses)[number], signal: AbortSignal): Promise<Inventory> {
    const answer = await send({ method: 'GET', route: '/v1/sessions', query: { status } }, signal);
    const list = await decodeList(SessionList, [], answer);
    const { rows, faults } = await decodeEach(SessionRow, list, namedBy('id'));
    const sessions = rows.filter((row) => !endedStatuses.has(row.status)).map(sessionOf);
    return { sessions, groups: [], faults, account: undefined };
  }

  async function find(id: SessionId, signal: AbortSignal) {
    try {
      return decode(OneSession, await send({ method: 'GET', route: '/v1/sessions/{id}', params: { id } }, signal));
    } catch (error) {
      if (ProviderError.isOf(error, 'notFound')) return undefined;
      throw error;
    }
  }

  async function hasEnded(id: SessionId, signal: AbortSignal): Promise<boolean> {
    const status = (await find(id, signal))?.status;
    return status === undefined || endedStatuses.has(status);
  }

  async function release(id: SessionId, how: string | undefined, signal: AbortSignal): Promise<EndAnswer> {
    try {
      const body = { status: 'REQUEST_RELEASE' };
      const answer = await send({ method: 'POST', route: '/v1/sessions/{id}', params: { id }, body }, signal);
      const { status } = decode(OneSession, answer);
      return { outcome: endedStatuses.has(status) ? 'ended' : 'accepted', how };
    } catch (error) {
      // A session that has ended is refused, in words that are not documented: only its status tells.
      if (!ProviderError.isOf(error, 'notFound', 'conflict', 'unexpectedAnswer', 'forbidden')) throw error;
      if (await hasEnded(id, signal)) return { outcome: 'alreadyGone', how: undefined };
      throw error;
    }
  }

  /**
   * Stagehand's own end closes what it keeps of a session too. Its success says nothing of the browser: of a session that was
   * only started, and of one that keeps alive, nothing is released (packages/server-v3/src/lib/InMemorySessionStore.ts,
   * core/lib/v3/v3.ts). What ends it in any case is Browserbase's release, so that always follows.
   */
  async function endByStagehand({ id, region }: Session, signal: AbortSignal): Promise<EndAnswer> {
    const stagehand = stagehandFor(region);
    if (stagehand === undefined) {
      return release(id, 'Browserbase released it: Stagehand has no known address for its region.', signal);
    }
    const answer = await askStagehand(stagehand, id, signal);
    const released: EndAnswer = (await isKnownToHaveEnded(id, signal))
      ? { outcome: 'alreadyGone', how: undefined }
      : await release(id, releasedAfter[answer], signal);
    const byStagehand = answer === 'success' && released.outcome === 'alreadyGone';
    return byStagehand ? { outcome: 'ended', how: 'Stagehand ended it.' } : released;
  }

  async function askStagehand(stagehand: HttpClient, id: SessionId, signal: AbortSignal): Promise<StagehandAnswer> {
    try {
      const project = projectId === undefined ? {} : { 'x-bb-project-id': projectId };
      const route = '/v1/sessions/{id}/end';
      const request = { method: 'POST', route, params: { id }, isOwnNotFound: isStagehandNotFound } as const;
      decode(StagehandEnd, await stagehand.send({ ...request, headers: { ...headers, ...project } }, signal));
      return 'success';
    } catch (error) {
      if (ProviderError.isOf(error, 'cancelled')) throw error;
      return ProviderError.isOf(error, 'notFound') ? 'unknown' : 'failed';
    }
  }

  /** For deciding whether a release is worth sending: where its status can't be read, it is. */
  async function isKnownToHaveEnded(id: SessionId, signal: AbortSignal): Promise<boolean> {
    try {
      return await hasEnded(id, signal);
    } catch (error) {
      if (ProviderError.isOf(error, 'cancelled')) throw error;
      return false;
    }
  }

  /** Only the host of a session's region knows it. */
  function stagehandFor(region: string | undefined): HttpClient | undefined {
    const address = stagehandOrigin ?? (link.origin.origin === defaultAddress ? regionalAddress(region) : undefined);
    return address === undefined ? undefined : link.httpTo(stagehandAddress(address));
  }

  async function liveUrls(id: SessionId, signal: AbortSignal) {
    const query = { expiresIn: liveViewLifetime };
    const answer = await send({ method: 'GET', route: '/v1/sessions/{id}/debug', params: { id }, query }, signal);
    const { whole, ...list } = await decodeList(LiveUrls, ['pages'], answer);
    return { ...whole, pages: await decodeAll(LivePage, list, namedBy('id')) };
  }

  /** Where this account's live views may come from: the vendor's own hosts, or the host that the person named. */
  function allowsLiveView(url: URL): boolean {
    return link.origin.origin === defaultAddress ? isWithin(url, 'browserbase.com') : isAtAccount(url, link.origin);
  }

  return {
    // The lists are of two statuses: a session under a third, or on its way from one to the other, is in neither.
    ending: { ...usualEnding, lists: 'unreliable' },

    check: projectFacts,

    async *list(signal) {
      for (const status of runningStatuses) yield await listed(status, signal);
      yield { sessions: [], groups: [], faults: [], account: await accountFacts(signal) };
    },

    end: (session, signal) =>
      hasStagehandEnd(session.metadata) ? endByStagehand(session, signal) : release(session.id, undefined, signal),

    probe: async ({ id }, signal) => ((await hasEnded(id, signal)) ? 'gone' : 'running'),

    // The list without a filter has the history too, and with it the status that each has ended with.
    async probeMany(sessions, signal) {
      const list = await decodeList(SessionList, [], await send({ method: 'GET', route: '/v1/sessions' }, signal));
      const asked = new Set<string>(sessions.map(({ id }) => id));
      const { rows: all } = await decodeEach(SessionStatus, list, namedBy('id'));
      const told = all.filter(({ id }) => asked.has(id));
      return new Map(
        told.map(({ id, status }) => [sessionId(id), endedStatuses.has(status) ? 'gone' : 'running'] as const),
      );
    },

    async pages(id, signal): Promise<readonly Page[]> {
      return (await liveUrls(id, signal)).pages.slice(0, mostPages).map((page) => ({
        id: pageId(page.id),
        title: titleWithoutValues(page.title, page.url),
        url: page.url,
      }));
    },

    async liveView(id: SessionId, page: PageId | undefined, _mode: ViewMode, signal): Promise<LiveView> {
      const { debuggerFullscreenUrl, pages } = await liveUrls(id, signal);
      const shown =
        page === undefined ? debuggerFullscreenUrl : pages.find((one) => one.id === page)?.debuggerFullscreenUrl;
      if (shown === undefined)
        throw new ProviderError({ kind: 'notFound' }, 'the page is not among the session’s pages');
      // https://docs.browserbase.com/platform/browser/observability/session-live-view
      return {
        url: liveViewUrl(shown, allowsLiveView),
        sandbox: 'allow-same-origin allow-scripts',
        allow: 'clipboard-read; clipboard-write',
        fixedMode: false,
        oneTime: 'no',
        farewell: 'browserbase-disconnected',
        expiresInMs: liveViewLifetime * 1_000,
      };
    },

    async fate(id, signal) {
      const found = await find(id, signal);
      const how = fates.get(found?.status ?? '');
      return found === undefined || how === undefined ? undefined : { how, endedAt: found.endedAt };
    },

    // Another address than the vendor's own has a dashboard that nobody knows. The page has the recording, too.
    ...(link.origin.origin === defaultAddress
      ? { dashboard: (id: SessionId) => new URL(`https://www.browserbase.com/sessions/${encodeURIComponent(id)}`) }
      : {}),
  };
}

/** Stagehand's SDK takes an address with or without the `/v1` that all of its routes begin with. */
function stagehandAddress(address: string): URL {
  return new URL(address.replace(/\/v1\/?$/, ''));
}

/** Sessions without a region are in the one that both services take for granted. */
function regionalAddress(region: string | undefined): string | undefined {
  return stagehandAddresses.get(region ?? 'us-west-2');
}

/** What Stagehand made of an end: `unknown` where it doesn't know the session. */
type StagehandAnswer = 'success' | 'unknown' | 'failed';

/** How a session was ended that ran on after Stagehand's answer. */
const releasedAfter: Readonly<Record<StagehandAnswer, string>> = {
  success: 'Stagehand ended it, and Browserbase released it.',
  unknown: 'Stagehand did not know it: Browserbase released it.',
  failed: 'Stagehand could not end it: Browserbase released it.',
};

/**
 * Whether the session is one that Stagehand's API may know. From version 4 on, Stagehand releases through Browserbase itself
 * and writes its version on the session, which version 3 does not (packages/sdk-ts/src/sdkIdentity.ts).
 */
function hasStagehandEnd(metadata: ReadonlyMap<string, string>): boolean {
  const version = metadata.get('stagehand_sdk_version');
  return isStagehands(metadata) && (version === undefined || /^[1-3]\./.test(version));
}

/** Stagehand writes this on every session that it starts. */
function isStagehands(metadata: ReadonlyMap<string, string>): boolean {
  return metadata.get('stagehand') === 'true';
}

function sessionOf(row: SessionRow): Session {
  const metadata = row.userMetadata ?? new Map<string, string>();
  const facts: (readonly [string, string | undefined])[] = [
    ['Project', row.projectId ?? undefined],
    ['Context', row.contextId ?? undefined],
    ['Expires', row.expiresAt === undefined ? undefined : new Date(row.expiresAt).toISOString()],
    ...metadata,
  ];
  return {
    id: sessionId(row.id),
    name: metadata.get('name'),
    phase: phases[row.status] ?? 'unknown',
    status: row.status,
    // A pending session has no start time yet, and it is told by this whether it is the same.
    startedAt: row.createdAt ?? row.startedAt,
    region: row.region ?? undefined,
    groupId: undefined,
    tags: labelsIn(row.labels),
    metadata,
    traits: [...(isStagehands(metadata) ? ['Stagehand'] : []), ...(row.keepAlive ? ['keep alive'] : [])],
    pages: undefined,
    watchable: true,
    ends: 'session',
    heldBack: undefined,
    facts: facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const])),
  };
}

function labelsIn(raw: readonly unknown[]): readonly string[] {
  return raw
    .slice(0, mostLabels)
    .flatMap((label) => (v.is(Label, label) ? v.parse(Label, label).slice(0, longestLabel) : []))
    .filter((name) => name !== '');
}

function metadataOf(raw: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const entries = Object.entries(raw).slice(0, mostMetadata);
  return new Map(entries.map(([key, value]) => [key.slice(0, longestMetadata), inWords(value)]));
}

/** Metadata may be any JSON. */
function inWords(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, longestMetadata);
  try {
    return (JSON.stringify(value) ?? '').slice(0, longestMetadata);
  } catch {
    // Nested thousands of times, which JSON can be read with and not be written.
    return '…';
  }
}
