import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import type { Group, GroupDeletion } from '../../core/group.ts';
import type { HttpRequest } from '../../core/http.ts';
import { type GroupId, groupId, idFault, type PageId, pageId, type SessionId, sessionId } from '../../core/ids.ts';
import type { Inventory, ListFault } from '../../core/inventory.ts';
import { type LiveView, liveViewUrl, recordingUrl } from '../../core/liveView.ts';
import { titleWithoutValues } from '../../core/maskedAddress.ts';
import { isAtAccount, isWithin } from '../../core/origin.ts';
import type { Page } from '../../core/page.ts';
import { type EndAnswer, type Link, type Provider, type ProviderKind, usualEnding } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { remembered } from '../../core/remembered.ts';
import { mostPages, type Session, type SessionPhase } from '../../core/session.ts';
import { Turns } from '../../core/turns.ts';
import { dateField, decode, decodeAll, decodeEach, decodeList, idField, textsField } from '../../http/decode.ts';
import { neverNotFound, notFoundLike } from '../../http/notFound.ts';
import { everyPage, namedBy } from '../../http/paging.ts';

// Anchor Browser, https://docs.anchorbrowser.io/api-reference (OpenAPI 1.0.0). What that document does not say, and is
// therefore never relied on: the words a session's status may be, and what an end of an ended session answers.
//
// What confirms an end: DELETE answers “success” for an end that it has only taken, so that it confirms nothing. GET of the
// session does, with a status that means the end or the documented 404; else two lists a while apart that leave it out, since
// the lists may lag behind. The deletion of a batch answers 200 whatever it could not delete: each of its sessions is
// confirmed in the same way, and what its `errors` name has not ended. “End all” answers no count at all.

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
/** A batch may have a thousand sessions, and Anchor's own SDK waits a minute for any answer. */
const bulkTimeoutMs = 120_000;
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
  data: v.object({ status: v.string(), configuration: v.fallback(v.optional(Configuration), undefined) }),
});
const Recordings = v.object({
  data: v.object({ items: v.array(v.object({ file_link: v.string(), is_primary: v.fallback(v.boolean(), false) })) }),
});
const Batch = v.object({
  batch_id: idField,
  status: v.string(),
  created_at: dateField,
  actual_completion_time: dateField,
  total_requests: v.fallback(v.optional(v.number()), undefined),
  failed_requests: v.fallback(v.optional(v.number()), undefined),
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
/** Of a detail, what its row in the list has too. */
const BatchCounts = v.object({ data: Batch });
const PageList = v.array(v.unknown());
const PageRow = v.object({ id: idField, title: v.string(), url: v.string(), frontend_url: v.string() });
const Count = v.fallback(v.optional(v.number()), undefined);
/** No field of it is required by its schema. */
const Deletion = v.object({
  data: v.object({
    deleted_sessions: Count,
    failed_deletions: Count,
    errors: v.fallback(v.array(v.unknown()), []),
    message: v.fallback(v.optional(v.string()), undefined),
  }),
});
const DeletionError = v.object({
  session_id: v.fallback(v.optional(v.string()), undefined),
  error: v.optional(v.unknown()),
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
  /** How many sessions each batch has made, for an answer that does not count them. */
  const sizes = new Map<GroupId, number>();
  /** Whether each session of the last list has a window; a key that may not see the team's list does not learn it. */
  const headless = new Map<SessionId, boolean>();
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

  async function* batches(createdAfter: number | undefined, signal: AbortSignal): AsyncGenerator<Decoded<Batch>> {
    const since = createdAfter === undefined ? {} : { created_after: new Date(createdAfter).toISOString() };
    const read = async (page: number) => {
      const query = { page, limit: batchesPerPage, ...since };
      const answer = await send({ method: 'GET', route: '/v1/batch-sessions', query }, signal);
      const { whole, rows, faults } = await decodeList(BatchList, ['data', 'batches'], answer);
      return { rows, faults, more: whole.data.pagination.has_next };
    };
    for await (const listed of everyPage(read, namedBy('batch_id'), mostBatches)) {
      const page = await decodeEach(Batch, listed, namedBy('batch_id'));
      for (const batch of page.rows) sizes.set(groupId(batch.batch_id), sizeOf(batch));
      // No session is meant by them.
      yield {
        rows: page.rows,
        faults: page.faults.map(({ subject, what }) => ({ subject: `Batches: ${subject}`, what })),
      };
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
      faults.push(...page.faults);
      for (const batch of page.rows) {
        if (turns.isOver) await turns.pass();
        const id = groupId(batch.batch_id);
        listed.add(id);
        const making = isBeingMade(batch);
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
          groups.push(groupOf(batch));
        }
      }
    }
    for (const id of wholeBatches) if (!listed.has(id)) wholeBatches.delete(id);
    for (const id of sizes.keys()) if (!listed.has(id)) sizes.delete(id);
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
      headless.clear();
      try {
        for await (const { rows, faults } of pagedList(signal)) {
          const running = rows.filter(({ status }) => !hasEnded(status));
          const sessions = running.map((row) => withDetails(row, own.get(sessionId(row.id))));
          for (const session of sessions) all.set(session.id, session);
          for (const row of running) headless.set(sessionId(row.id), row.headless);
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
      await send({ method: 'DELETE', route: '/v1/sessions/all', timeoutMs: bulkTimeoutMs }, signal);
    },

    async deleteGroup(id, signal): Promise<GroupDeletion> {
      const size = sizes.get(id) ?? (await sizeAsked(id, signal));
      const about = { route: '/v1/batch-sessions/{batch_id}', params: { batch_id: id }, timeoutMs: bulkTimeoutMs };
      const answer = await send({ method: 'DELETE', ...about }, signal);
      const { whole, rows, count } = await decodeList(Deletion, ['data', 'errors'], answer);
      const { data } = whole;
      const failures = rows.flatMap(failureOf);
      // The count is the provider's word; where it explains more failures than it counts, they are right.
      const failed = Math.max(data.failed_deletions ?? count, failures.length);
      return { deleted: data.deleted_sessions ?? Math.max(0, size - failed), failed, failures, message: data.message };
    },

    async *finishedGroups(signal) {
      for await (const { rows, faults } of batches(undefined, signal)) {
        yield { groups: rows.filter((batch) => !isBeingMade(batch)).map(groupOf), faults };
      }
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

  /** How many sessions a batch has that no list has told of; 0 where it does not say either. */
  async function sizeAsked(id: GroupId, signal: AbortSignal): Promise<number> {
    const route = '/v1/batch-sessions/{batch_id}';
    try {
      const answer = await send({ method: 'GET', route, params: { batch_id: id } }, signal);
      return sizeOf((await decodeList(BatchCounts, ['data', 'sessions'], answer)).whole.data);
    } catch (error) {
      if (!ProviderError.isOf(error, ...detailTroubles)) throw error;
      return 0;
    }
  }

  /**
   * For a session with a window its own link, which follows the active tab; a headless one's shows the first page only
   * (https://docs.anchorbrowser.io/advanced/browser-live-view). The link is the one that the batch handed out, else the
   * one that Anchor documents. In its place comes the page's own viewer: where a page was asked for, where the session has
   * no window, and where the link works once only.
   */
  async function liveViewAddress(
    id: SessionId,
    page: PageId | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly address: string; readonly oneTime: LiveView['oneTime'] }> {
    const pages = await pagesOf(id, signal);
    const shown = page === undefined ? pages[0] : pages.find((one) => one.id === page);
    if (page !== undefined && shown === undefined) {
      throw new ProviderError({ kind: 'notFound' }, 'the page is not among the session’s pages');
    }
    const viewer = shown === undefined ? undefined : ({ address: shown.frontend_url, oneTime: 'no' } as const);
    if (viewer !== undefined && (page !== undefined || headless.get(id) === true)) return viewer;
    const link = await linkOf(id, signal);
    if (link === undefined) {
      if (viewer !== undefined) return viewer;
      const what = 'a live view of a session that has no page';
      throw new ProviderError({ kind: 'unsupported', what }, 'no page to show');
    }
    const terms = await termsOf(id, signal);
    const isHeadless = headless.get(id) ?? terms.isHeadless;
    return viewer !== undefined && (isHeadless !== false || terms.oneTime !== 'no')
      ? viewer
      : { address: link, oneTime: terms.oneTime };
  }

  /** A session's own link, as far as it can be told once the session has been started. */
  async function linkOf(id: SessionId, signal: AbortSignal): Promise<string | undefined> {
    const batch = batchOf.get(id);
    const members = batch === undefined ? [] : await batchSessions(batch, signal);
    const handedOut = members.find((one) => one.session_id === id)?.live_view_url;
    if (handedOut != null || link.origin.origin !== defaultAddress) return handedOut ?? undefined;
    return `https://live.anchorbrowser.io/?sessionId=${encodeURIComponent(id)}`;
  }

  /** How a session was started, as far as its link depends on it. */
  async function termsOf(id: SessionId, signal: AbortSignal): Promise<LinkTerms> {
    try {
      return termsIn((await find(id, signal))?.configuration);
    } catch (error) {
      if (!ProviderError.isOf(error, ...detailTroubles)) throw error;
      return { oneTime: 'unknown', isHeadless: undefined };
    }
  }
}

interface LinkTerms {
  readonly oneTime: LiveView['oneTime'];
  /** Undefined where nobody says. */
  readonly isHeadless: boolean | undefined;
}

/** Sessions have a window, and links that work often, unless they were started otherwise. */
function termsIn(configuration: v.InferOutput<typeof Configuration> | undefined): LinkTerms {
  if (configuration === undefined) return { oneTime: 'unknown', isHeadless: undefined };
  const { session = configuration, browser } = configuration;
  return {
    oneTime: session.live_view?.one_time_url === true ? 'yes' : 'no',
    isHeadless: browser?.headless?.active ?? false,
  };
}

function isBeingMade({ status }: Batch): boolean {
  return status === 'pending' || status === 'processing';
}

function groupOf(batch: Batch): Group {
  const { total_requests: total, failed_requests: failed } = batch;
  return {
    id: groupId(batch.batch_id),
    kind: 'batch',
    name: undefined,
    status: batch.status,
    createdAt: batch.created_at,
    // What is made already is refused with 409.
    canCancel: isBeingMade(batch),
    counts: total === undefined ? undefined : { total, failed: failed ?? 0 },
  };
}

/** How many sessions a batch has made. */
function sizeOf({ total_requests = 0, failed_requests = 0 }: Batch): number {
  return Math.max(0, total_requests - failed_requests);
}

/** One entry of a deletion's `errors`, whatever it is; nothing for one that tells nothing. */
function failureOf(entry: unknown): GroupDeletion['failures'] {
  if (typeof entry === 'string' && entry !== '') return [{ sessionId: '', reason: entry }];
  if (!v.is(DeletionError, entry)) return [];
  const { session_id = '', error } = v.parse(DeletionError, entry);
  if (session_id === '' && error == null) return [];
  const reason = typeof error === 'string' ? error : error == null ? '' : JSON.stringify(error);
  return [{ sessionId: session_id, reason: reason === '' ? 'it gave no reason' : reason }];
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
