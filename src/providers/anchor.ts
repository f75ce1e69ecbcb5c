import * as v from 'valibot';
import type { AccountFacts } from '../core/account.ts';
import type { Group, GroupDeletion } from '../core/group.ts';
import type { HttpRequest } from '../core/http.ts';
import { type GroupId, groupId, idFault, type PageId, pageId, type SessionId, sessionId } from '../core/ids.ts';
import type { Inventory, ListFault } from '../core/inventory.ts';
import { type LiveView, liveViewUrl, recordingUrl } from '../core/liveView.ts';
import { titleWithoutValues } from '../core/maskedAddress.ts';
import { isAtAccount, isWithin } from '../core/origin.ts';
import { mostPages, type Page } from '../core/page.ts';
import { type EndAnswer, type Link, type Provider, type ProviderKind, usualEnding } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import { remembered } from '../core/remembered.ts';
import type { Session, SessionPhase } from '../core/session.ts';
import { Turns } from '../core/turns.ts';
import { dateField, decode, decodeAll, decodeEach, decodeList, idField, textsField } from '../http/decode.ts';
import { neverNotFound, notFoundLike } from '../http/notFound.ts';
import { everyPage, namedBy } from '../http/paging.ts';

// Anchor Browser, https://docs.anchorbrowser.io/api-reference (OpenAPI 1.0.0). What that document does not say, and is
// therefore never relied on: the words a session's status may be, and what an end of an ended session answers.

const defaultAddress = 'https://api.anchorbrowser.io';
/** The sizes that GET /v1/sessions and GET /v1/batch-sessions accept at most. */
const sessionsPerPage = 50;
const batchesPerPage = 100;
/**
 * Only batches made at most this long before the oldest running session are asked for: the list goes back to the first
 * batch ever. Sessions of a batch that takes longer to make them are shown outside of their group.
 */
const batchLeadMs = 24 * 3_600_000;
/** How many batches are listed, and how many of them are asked for their sessions at each refresh. */
const mostBatches = 1_000;
const mostBatchesAsked = 100;
/** Of how many sessions it is kept which batch they are from, until the next list tells which of them run. */
const mostKnownSessions = 50_000;
const limitLifetimeMs = 600_000;
/** How far the vendor's own clocks may differ when a session is matched to the batch that made it. */
const clockSlackMs = 60_000;

/** The statuses that mean the end: documented, by webhook, or seen in clients. Any other word is a running session. */
const endedStatuses = new Set(['completed', 'failed', 'stopped', 'ended', 'terminated', 'deleted', 'cancelled']);
/** Troubles of a call that only adds detail, which must not hide what another call has told. */
const detailTroubles = ['forbidden', 'notFound', 'unexpectedAnswer', 'serverFault', 'timedOut'] as const;
const nothing: Inventory = { sessions: [], groups: [], faults: [], account: undefined };
const phases: Readonly<Record<string, SessionPhase>> = {
  pending: 'starting',
  processing: 'starting',
  starting: 'starting',
  running: 'running',
  active: 'running',
  idle: 'idle',
  stopping: 'ending',
  terminating: 'ending',
};

const Tags = v.fallback(textsField, []);
const FlatSession = v.object({ session_id: idField, status: v.string(), tags: Tags, created_at: dateField });
const FlatList = v.object({ data: v.object({ items: v.array(v.unknown()) }) });
const PagedSession = v.object({
  id: idField,
  status: v.string(),
  tags: Tags,
  created_at: dateField,
  headless: v.fallback(v.boolean(), false),
  proxy_type: v.fallback(v.nullable(v.string()), null),
  api_key_name: v.fallback(v.nullable(v.string()), null),
  domains: v.fallback(textsField, []),
});
type PagedSession = v.InferOutput<typeof PagedSession>;
const PagedList = v.object({ data: v.object({ sessions: v.array(v.unknown()), total_pages: v.number() }) });
/** Of what a session was started with only this is read: it may hold the password of a proxy. */
const LiveViewTerms = v.object({ live_view: v.object({ one_time_url: v.boolean() }) });
const Configuration = v.fallback(v.union([LiveViewTerms, v.object({ session: LiveViewTerms })]), {
  live_view: { one_time_url: false },
});
const OneSession = v.object({ data: v.object({ status: v.string(), configuration: Configuration }) });
const Recordings = v.object({
  data: v.object({ items: v.array(v.object({ file_link: v.string(), is_primary: v.fallback(v.boolean(), false) })) }),
});
const Batch = v.object({
  batch_id: idField,
  status: v.string(),
  created_at: dateField,
  actual_completion_time: dateField,
});
type Batch = v.InferOutput<typeof Batch>;
const BatchList = v.object({
  data: v.object({ batches: v.array(v.unknown()), pagination: v.object({ has_next: v.boolean() }) }),
});
const BatchSession = v.object({
  session_id: v.optional(v.nullable(v.string())),
  live_view_url: v.optional(v.nullable(v.string())),
});
const BatchDetail = v.object({ data: v.object({ sessions: v.fallback(v.array(v.unknown()), []) }) });
const PageList = v.array(v.unknown());
const PageRow = v.object({ id: idField, title: v.string(), url: v.string(), frontend_url: v.string() });
const Deletion = v.object({
  data: v.object({
    deleted_sessions: v.number(),
    failed_deletions: v.number(),
    errors: v.fallback(v.array(v.object({ session_id: v.string(), error: v.string() })), []),
    message: v.fallback(v.optional(v.string()), undefined),
  }),
});
/** What the document calls an ErrorResponse, and the shorter form that it has for a screenshot alone. */
const isOwnNotFound = notFoundLike(
  v.object({ error: v.object({ code: v.optional(v.literal(404)), message: v.string() }) }),
);
const isScreenshotNotFound = notFoundLike(v.object({ error: v.string() }));
const flatListRequest: HttpRequest = { method: 'GET', route: '/v1/sessions/all/status' };
const Billing = v.object({ data: v.object({ max_concurrent_browsers: v.number() }) });

interface Decoded<Row> {
  readonly rows: readonly Row[];
  readonly faults: readonly ListFault[];
}

/** Anchor Browser's cloud. */
export const anchor: ProviderKind = {
  id: 'anchor',
  label: 'Anchor Browser',
  icon: 'cloud',
  docsUrl: 'https://docs.anchorbrowser.io',
  address: {
    preset: defaultAddress,
    ask: false,
    prompt: 'Address of the Anchor Browser API',
    placeholder: defaultAddress,
  },
  fields: [
    {
      id: 'apiKey',
      label: 'API key',
      prompt: 'Anchor Browser API key, from API Access in the Anchor dashboard',
      kind: 'secret',
      required: true,
      asked: 'always',
      environment: ['ANCHORBROWSER_API_KEY', 'ANCHOR_API_KEY'],
    },
  ],
  settings: [],
  furtherAddresses: () => [],
  can: ['pages', 'liveView', 'screenshot', 'recording', 'deleteGroup', 'cancelGroup', 'endEverything'],
  wording: {
    session: 'A browser in Anchor’s cloud. Those that other keys of your team started are left out of ends of many.',
    ending: 'Unsaved page state, downloads not yet fetched and the connection of any running script are lost.',
    endEverything: 'Every session of this key ends, also those that are not listed.',
    deleteGroup: 'Recordings and all other data of the batch’s sessions are deleted too.',
    watching: 'An open live view counts as a connection: it keeps the session from timing out.',
  },
  connect,
};

function connect(link: Link): Provider {
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
  /** Which batch a session came from never changes once the batch has made all of its sessions. */
  const batchOf = new Map<SessionId, GroupId>();
  const wholeBatches = new Set<GroupId>();
  /** Whether GET /v1/sessions has ever answered this key. */
  let seesTeam = false;

  /** The sessions of this key: what ends of many reach (GET /v1/sessions is of the whole team). */
  async function flatList(signal: AbortSignal): Promise<Inventory> {
    const answer = await send(flatListRequest, signal);
    const list = await decodeList(FlatList, ['data', 'items'], answer);
    const { rows, faults } = await decodeEach(FlatSession, list, namedBy('session_id'));
    const sessions = rows
      .filter(({ status }) => !hasEnded(status))
      .map((row) => sessionOf(sessionId(row.session_id), row.status, row.tags, row.created_at));
    return { ...nothing, sessions, faults };
  }

  /** The team's running sessions with what the flat list does not tell, page by page. */
  async function* pagedList(signal: AbortSignal): AsyncGenerator<Decoded<PagedSession>> {
    const read = async (page: number) => {
      const query = { status: 'running', page, limit: sessionsPerPage, sort_by: 'created_at', sort_order: 'desc' };
      const answer = await send({ method: 'GET', route: '/v1/sessions', query }, signal);
      const { whole, rows, faults } = await decodeList(PagedList, ['data', 'sessions'], answer);
      return { rows, faults, more: page < whole.data.total_pages };
    };
    for await (const page of everyPage(read, namedBy('id'))) yield await decodeEach(PagedSession, page, namedBy('id'));
  }

  async function* batches(createdAfter: number, signal: AbortSignal): AsyncGenerator<Decoded<Batch>> {
    const read = async (page: number) => {
      const query = { page, limit: batchesPerPage, created_after: new Date(createdAfter).toISOString() };
      const answer = await send({ method: 'GET', route: '/v1/batch-sessions', query }, signal);
      const { whole, rows, faults } = await decodeList(BatchList, ['data', 'batches'], answer);
      return { rows, faults, more: whole.data.pagination.has_next };
    };
    for await (const page of everyPage(read, namedBy('batch_id'), mostBatches)) {
      yield await decodeEach(Batch, page, namedBy('batch_id'));
    }
  }

  async function batchSessions(id: GroupId, signal: AbortSignal) {
    const answer = await send(
      { method: 'GET', route: '/v1/batch-sessions/{batch_id}', params: { batch_id: id } },
      signal,
    );
    const list = await decodeList(BatchDetail, ['data', 'sessions'], answer);
    return (await decodeEach(BatchSession, list, namedBy('session_id'))).rows;
  }

  /** Learns which of the running sessions came from a batch, asking for as few batches as possible. */
  async function groupsOf(running: readonly Session[], signal: AbortSignal): Promise<Inventory> {
    const ids = new Set(running.map(({ id }) => id));
    for (const id of batchOf.keys()) if (!ids.has(id)) batchOf.delete(id);
    const oldest = Math.min(link.clock.now(), ...running.flatMap(({ startedAt }) => startedAt ?? []));
    const groups: Group[] = [];
    const faults: ListFault[] = [];
    const listed = new Set<GroupId>();
    const turns = new Turns();
    /** How many batches may still be asked for their sessions, and how many were not because of that. */
    let mayAsk = mostBatchesAsked;
    let notAsked = 0;
    for await (const page of batches(oldest - batchLeadMs, signal)) {
      // No session is meant by them.
      const ofBatches = page.faults.map(({ subject, what }) => ({ subject: `Batches: ${subject}`, what }));
      faults.push(...ofBatches);
      for (const batch of page.rows) {
        if (turns.isOver) await turns.pass();
        const id = groupId(batch.batch_id);
        listed.add(id);
        const making = batch.status === 'pending' || batch.status === 'processing';
        const isWanted =
          !wholeBatches.has(id) && (making || running.some((session) => mayBeFrom(session, batch, batchOf)));
        if (isWanted && mayAsk === 0) notAsked++;
        else if (isWanted) {
          mayAsk--;
          for (const { session_id } of await batchSessions(id, signal)) {
            const isKept = batchOf.size < mostKnownSessions;
            if (isKept && session_id != null && idFault(session_id) === undefined)
              batchOf.set(sessionId(session_id), id);
          }
          // "completed" says that all sessions were made, not that any has ended.
          if (!making) wholeBatches.add(id);
        }
        if (making || running.some((session) => batchOf.get(session.id) === id)) {
          groups.push({ id, kind: 'batch', name: undefined, status: batch.status, createdAt: batch.created_at });
        }
      }
    }
    for (const id of wholeBatches) if (!listed.has(id)) wholeBatches.delete(id);
    if (notAsked > 0) {
      faults.push({ subject: `${notAsked} more batches`, what: 'their sessions are asked for at the next refresh' });
    }
    const grouped = running.filter(({ id }) => batchOf.has(id));
    const sessions = grouped.map((session) => ({ ...session, groupId: batchOf.get(session.id) }));
    return { sessions, groups, faults, account: undefined };
  }

  async function find(id: SessionId, signal: AbortSignal) {
    try {
      const answer = await send(
        { method: 'GET', route: '/v1/sessions/{session_id}', params: { session_id: id } },
        signal,
      );
      return decode(OneSession, answer).data;
    } catch (error) {
      if (ProviderError.isOf(error, 'notFound')) return undefined;
      throw error;
    }
  }

  /** A key that may not see the account's billing still is a good key. */
  async function sessionLimit(signal: AbortSignal): Promise<number | undefined> {
    try {
      const answer = await send({ method: 'GET', route: '/v1/billing' }, signal);
      const limit = decode(Billing, answer).data.max_concurrent_browsers;
      return limit < 0 ? undefined : limit;
    } catch (error) {
      if (ProviderError.isOf(error, ...detailTroubles)) return undefined;
      throw error;
    }
  }

  const planFacts = async (signal: AbortSignal): Promise<AccountFacts> => {
    return { identity: undefined, sessionLimit: await sessionLimit(signal), note: undefined };
  };
  const accountFacts = remembered(link.clock, limitLifetimeMs, planFacts);

  async function pagesOf(id: SessionId, signal: AbortSignal) {
    const answer = await send(
      { method: 'GET', route: '/v1/sessions/{session_id}/pages', params: { session_id: id } },
      signal,
    );
    return decodeAll(PageRow, await decodeList(PageList, [], answer), namedBy('id'));
  }

  /** Where this account's live views may come from: the vendor's own hosts, or the host that the person named. */
  function allowsLiveView(url: URL): boolean {
    return link.origin.origin === defaultAddress ? isWithin(url, 'anchorbrowser.io') : isAtAccount(url, link.origin);
  }

  return {
    ending: usualEnding,

    async check(signal) {
      await send(flatListRequest, signal);
      return planFacts(signal);
    },

    async *list(signal) {
      const flat = await flatList(signal);
      yield flat;
      yield { ...nothing, account: await accountFacts(signal) };
      const own = new Map(flat.sessions.map((session) => [session.id, session]));
      const all = new Map(own);
      try {
        for await (const { rows, faults } of pagedList(signal)) {
          const running = rows.filter(({ status }) => !hasEnded(status));
          const sessions = running.map((row) => withDetails(row, own.get(sessionId(row.id))));
          for (const session of sessions) all.set(session.id, session);
          yield { ...nothing, sessions, faults };
        }
        seesTeam = true;
      } catch (error) {
        // A key that never saw the team's list misses nothing of its own. One that did would lose rows without proof.
        if (seesTeam || !ProviderError.isOf(error, 'forbidden', 'notFound')) throw error;
        yield { ...nothing, faults: [{ subject: 'Sessions of other keys', what: 'this key may not list them' }] };
      }
      try {
        yield await groupsOf([...all.values()], signal);
      } catch (error) {
        if (!ProviderError.isOf(error, ...detailTroubles)) throw error;
        yield { ...nothing, faults: [{ subject: 'Batches', what: 'they could not be listed' }] };
      }
    },

    async end({ id }, signal): Promise<EndAnswer> {
      try {
        await send({ method: 'DELETE', route: '/v1/sessions/{session_id}', params: { session_id: id } }, signal);
        return { outcome: 'ended', how: undefined };
      } catch (error) {
        // 401 is "Invalid API Key or browser session ID": only another question tells which.
        if (!ProviderError.isOf(error, 'unauthorized', 'notFound')) throw error;
        const status = (await find(id, signal))?.status;
        if (status === undefined || hasEnded(status)) return { outcome: 'alreadyGone', how: undefined };
        await send({ ...flatListRequest, isOwnNotFound: neverNotFound }, signal);
        throw new ProviderError(
          { kind: 'forbidden' },
          `${error.message}, though the key is good and the session runs`,
          {
            detail: error.detail,
          },
        );
      }
    },

    async probe({ id }, signal) {
      const status = (await find(id, signal))?.status;
      return status === undefined || hasEnded(status) ? 'gone' : 'running';
    },

    async endEverything(signal) {
      await send({ method: 'DELETE', route: '/v1/sessions/all' }, signal);
    },

    async deleteGroup(id, signal): Promise<GroupDeletion> {
      const request = { method: 'DELETE', route: '/v1/batch-sessions/{batch_id}', params: { batch_id: id } } as const;
      const { deleted_sessions, failed_deletions, errors, message } = decode(
        Deletion,
        await send(request, signal),
      ).data;
      return {
        deleted: deleted_sessions,
        // The count is the vendor's word; where it lists more failures than it counts, the list is right.
        failed: Math.max(failed_deletions, errors.length),
        failures: errors.map(({ session_id, error }) => ({ sessionId: session_id, reason: error })),
        message,
      };
    },

    async cancelGroup(id, signal) {
      const route = '/v1/batch-sessions/{batch_id}';
      await send({ method: 'PATCH', route, params: { batch_id: id }, body: { status: 'cancelled' } }, signal);
    },

    async pages(id, signal): Promise<readonly Page[]> {
      return (await pagesOf(id, signal)).slice(0, mostPages).map((page) => ({
        id: pageId(page.id),
        title: titleWithoutValues(page.title, page.url),
        url: page.url,
      }));
    },

    async liveView(id, page, _mode, signal): Promise<LiveView> {
      const { address, oneTime } = await liveViewAddress(id, page, signal);
      return {
        url: liveViewUrl(address, allowsLiveView),
        // https://docs.anchorbrowser.io/advanced/browser-live-view
        sandbox: 'allow-same-origin allow-scripts',
        allow: 'clipboard-read; clipboard-write',
        fixedMode: false,
        oneTime,
        farewell: undefined,
      };
    },

    async screenshot(id, signal) {
      const route = '/v1/sessions/{session_id}/screenshot';
      const request = { method: 'GET', route, params: { session_id: id }, headers: { accept: 'image/png' } } as const;
      const { bytes } = await send({ ...request, isOwnNotFound: isScreenshotNotFound }, signal);
      return { bytes, type: 'image/png' };
    },

    async recording(id, signal) {
      const route = '/v1/sessions/{session_id}/recordings';
      const { items } = decode(
        Recordings,
        await send({ method: 'GET', route, params: { session_id: id } }, signal),
      ).data;
      const [first] = items;
      if (first === undefined) throw new ProviderError({ kind: 'notFound' }, 'the session has no recording');
      return recordingUrl((items.find(({ is_primary }) => is_primary) ?? first).file_link);
    },

    // Its words for an end are not documented beyond these; what a time limit ends is not told from the rest.
    async fate(id, signal) {
      const status = (await find(id, signal))?.status.toLowerCase();
      if (status === undefined || !hasEnded(status)) return undefined;
      return { how: status === 'failed' ? 'failed' : 'completed', endedAt: undefined };
    },
  };

  /** The page's own viewer, else the link that the batch handed out, else the address that Anchor's samples build. */
  async function liveViewAddress(
    id: SessionId,
    page: PageId | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly address: string; readonly oneTime: LiveView['oneTime'] }> {
    const pages = await pagesOf(id, signal);
    const shown = page === undefined ? pages[0] : pages.find((one) => one.id === page);
    if (shown !== undefined) return { address: shown.frontend_url, oneTime: 'no' };
    if (page !== undefined) throw new ProviderError({ kind: 'notFound' }, 'the page is not among the session’s pages');
    const batch = batchOf.get(id);
    const item =
      batch === undefined ? undefined : (await batchSessions(batch, signal)).find((one) => one.session_id === id);
    const address =
      item?.live_view_url ??
      (link.origin.origin === defaultAddress
        ? `https://live.anchorbrowser.io/?sessionId=${encodeURIComponent(id)}`
        : undefined);
    // Unlike a page's viewer, the session's own can be for one use (session.live_view.one_time_url).
    if (address !== undefined) return { address, oneTime: oneTimeOf(await find(id, signal)) };
    throw new ProviderError(
      { kind: 'unsupported', what: 'a live view of a session that has no page' },
      'no page to show',
    );
  }
}

function oneTimeOf(found: v.InferOutput<typeof OneSession>['data'] | undefined): LiveView['oneTime'] {
  if (found === undefined) return 'unknown';
  const { configuration } = found;
  return ('session' in configuration ? configuration.session : configuration).live_view.one_time_url ? 'yes' : 'no';
}

function hasEnded(status: string): boolean {
  return endedStatuses.has(status.toLowerCase());
}

/** Whether a session may be one that this batch made, going by when it started; false once its batch is known. */
function mayBeFrom(session: Session, batch: Batch, known: ReadonlyMap<SessionId, GroupId>): boolean {
  if (known.has(session.id)) return false;
  if (session.startedAt === undefined || batch.created_at === undefined) return true;
  const made = batch.actual_completion_time ?? Number.POSITIVE_INFINITY;
  return session.startedAt >= batch.created_at - clockSlackMs && session.startedAt <= made + clockSlackMs;
}

function sessionOf(id: SessionId, status: string, tags: readonly string[], startedAt: number | undefined): Session {
  return {
    id,
    name: undefined,
    phase: phases[status.toLowerCase()] ?? 'unknown',
    status,
    startedAt,
    region: undefined,
    groupId: undefined,
    tags,
    metadata: new Map(),
    traits: [],
    pages: undefined,
    watchable: true,
    ends: 'session',
    heldBack: undefined,
    facts: [],
  };
}

/** A session of the paged list. One that the flat list does not have was started with another key of the team. */
function withDetails(row: PagedSession, flat: Session | undefined): Session {
  const session = flat ?? sessionOf(sessionId(row.id), row.status, row.tags, row.created_at);
  const key = row.api_key_name ?? 'another key';
  return {
    ...session,
    name: row.domains[0],
    traits: [
      ...(row.headless ? ['headless'] : []),
      ...(row.proxy_type !== null && row.proxy_type !== 'none' ? ['proxy'] : []),
      ...(flat === undefined ? [`key: ${key}`] : []),
    ],
    heldBack: flat === undefined ? `It was started with ${key} of your team.` : undefined,
    facts: [
      ...(row.api_key_name === null ? [] : [['Key', row.api_key_name] as const]),
      ...(row.domains.length === 0 ? [] : [['Domains', row.domains.join(', ')] as const]),
    ],
  };
}
