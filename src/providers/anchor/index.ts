import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import { type SessionId, sessionId } from '../../core/ids.ts';
import { recordingUrl } from '../../core/liveView.ts';
import { maskedPages } from '../../core/maskedAddress.ts';
import type { Page } from '../../core/page.ts';
import { type EndAnswer, type Link, type Provider, type ProviderKind, usualEnding } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { SideReading } from '../../core/sideReading.ts';
import { sessionLimitOf, usageOf } from '../../core/usage.ts';
import { decode } from '../../http/decode.ts';
import { neverNotFound, notFoundLike } from '../../http/notFound.ts';
import { anchorApi, bulkTimeoutMs, defaultAddress, detailTroubles } from './api.ts';
import { AnchorBatches } from './batches.ts';
import { type LiveViewSource, liveView, pagesOf } from './liveView.ts';
import { emptyList, flatList, flatListRequest, hasEnded, pagedList, withDetails } from './sessions.ts';

// Anchor Browser, https://docs.anchorbrowser.io/api-reference (OpenAPI 1.0.0). Two things aren't documented there, so
// this code never relies on them: the possible values of a session's status, and the answer to ending an ended session.
//
// What confirms an end: DELETE also answers "success" when it has only accepted the request, so it confirms nothing.
// GET of the session does, with a status that means ended or the documented 404. Lists may lag behind, so they don't
// confirm it. Deleting a batch answers 200 even if some sessions couldn't be deleted: each of its sessions is confirmed
// in the same way, and those named in `errors` haven't ended. "End all" answers without any count.

const factsLifetimeMs = 600_000;

const Recordings = v.object({
  data: v.object({ items: v.array(v.object({ file_link: v.string(), is_primary: v.fallback(v.boolean(), false) })) }),
});
/** `cost_limit` is in credits, too; it is null for none. No figure is worth more than the others, so all may be missing. */
const Billing = v.object({
  data: v.object({
    credits: v.optional(v.unknown()),
    credits_used: v.optional(v.unknown()),
    included_credits: v.optional(v.unknown()),
    cost_limit: v.optional(v.unknown()),
    max_concurrent_browsers: v.optional(v.unknown()),
  }),
});
/** Screenshots are documented with a shorter form of the ErrorResponse. */
const isScreenshotNotFound = notFoundLike(v.object({ error: v.string() }));

/** Anchor Browser's cloud. */
export const anchor: ProviderKind = {
  id: 'anchor',
  label: 'Anchor Browser',
  icon: 'cloud',
  summary: "Browsers in Anchor's cloud",
  // Linked as the place for API keys in https://docs.anchorbrowser.io/quickstart.
  keyPage: 'https://app.anchorbrowser.io/api-keys',
  address: {
    preset: defaultAddress,
    ask: false,
    prompt: 'Enter the address of the Anchor Browser API',
    placeholder: defaultAddress,
    environment: ['ANCHORBROWSER_BASE_URL'],
  },
  fields: [
    {
      id: 'apiKey',
      label: 'API key',
      prompt: 'Enter your Anchor Browser API key. You can find it under API Keys in the Anchor dashboard.',
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
    session:
      "A browser in Anchor's cloud. Sessions started with your team's other keys are skipped when you end several at once.",
    ending:
      "The browser closes. Unsaved work in the page and downloads that you haven't retrieved are lost. Running scripts are disconnected.",
    endEverything: "It ends every session that belongs to this key, including sessions that aren't listed.",
    deleteGroup: "Recordings and all other data of the batch's sessions are deleted too.",
    watching: 'An open live view counts as a connection and keeps the session from timing out.',
  },
  connect,
};

function connect(link: Link): Provider {
  const api = anchorApi(link);
  const { send, find } = api;
  const batches = new AnchorBatches(api, link.clock);
  /** Whether each session of the last list is headless. Unknown to keys that may not list the team's sessions. */
  const headless = new Map<SessionId, boolean>();
  /** Whether GET /v1/sessions has ever succeeded with this key. */
  let seesTeam = false;

  const source: LiveViewSource = {
    api,
    link,
    isHeadless: (id) => headless.get(id),
    batchLink: (id, signal) => batches.liveViewLink(id, signal),
  };

  async function billing(signal: AbortSignal): Promise<AccountFacts> {
    const { data } = decode(Billing, await send({ method: 'GET', route: '/v1/billing' }, signal));
    const usage = usageOf('credits', {
      used: data.credits_used,
      included: data.included_credits,
      limit: data.cost_limit,
      left: data.credits,
    });
    const sessionLimit = sessionLimitOf(data.max_concurrent_browsers);
    return { identity: undefined, sessionLimit, ...(usage && { usage: [usage] }), note: undefined };
  }
  /** A key that isn't allowed to see the account's billing is still a good key. */
  const accountFacts = new SideReading(link.clock, factsLifetimeMs, billing);

  return {
    ending: usualEnding,

    async check(signal) {
      await send(flatListRequest, signal);
      return (await accountFacts.fresh(signal)) ?? { identity: undefined, sessionLimit: undefined, note: undefined };
    },

    async *list(signal) {
      const facts = accountFacts.last(signal);
      const flat = await flatList(api, signal);
      yield flat;
      const own = new Map(flat.sessions.map((session) => [session.id, session]));
      const all = new Map(own);
      headless.clear();
      try {
        for await (const { rows, faults } of pagedList(api, signal)) {
          const running = rows.filter(({ status }) => !hasEnded(status));
          const sessions = running.map((row) => withDetails(row, own.get(sessionId(row.id))));
          for (const session of sessions) all.set(session.id, session);
          for (const row of running) headless.set(sessionId(row.id), row.headless);
          yield { ...emptyList, sessions, faults };
        }
        seesTeam = true;
      } catch (error) {
        // A key that was never allowed to list the team's sessions still lists all of its own. For one that was, rows
        // would go missing without having ended.
        if (seesTeam || !ProviderError.isOf(error, 'forbidden', 'notFound')) throw error;
        yield {
          ...emptyList,
          faults: [
            { subject: 'Sessions of other keys', hidesSession: false, what: "this key isn't allowed to list them" },
          ],
        };
      }
      try {
        yield await batches.groupsOf([...all.values()], signal);
      } catch (error) {
        if (!ProviderError.isOf(error, ...detailTroubles)) throw error;
        const faults = [{ subject: 'Batches', hidesSession: false, what: "they couldn't be listed" } as const];
        yield { ...batches.knownGroupsOf([...all.values()]), faults };
      }
      yield { ...emptyList, account: await facts };
    },

    async end({ id }, signal): Promise<EndAnswer> {
      try {
        await send({ method: 'DELETE', route: '/v1/sessions/{session_id}', params: { session_id: id } }, signal);
        return { outcome: 'ended', how: undefined };
      } catch (error) {
        // 401 is "Invalid API Key or browser session ID": only another request tells which.
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
      const found = await find(id, signal);
      if (found === undefined) return 'notFound';
      return hasEnded(found.status) ? 'gone' : 'running';
    },

    async endEverything(signal) {
      await send({ method: 'DELETE', route: '/v1/sessions/all', timeoutMs: bulkTimeoutMs }, signal);
    },

    deleteGroup: (id, signal) => batches.delete(id, signal),
    finishedGroups: (signal) => batches.finished(signal),
    async lookUpGroup(id, signal) {
      const { sessions, isRecent } = await batches.lookUp(id, signal);
      // Lists may lag behind, and without the team's list, they leave out the sessions of other keys.
      return isRecent || !seesTeam ? sessions : [];
    },
    cancelGroup: (id, signal) => batches.cancel(id, signal),

    async pages(id, signal): Promise<readonly Page[]> {
      return maskedPages(await pagesOf(api, id, signal));
    },

    // What restarts a session's idle timer is a connection: of a live view, of DevTools, or for control of the operating
    // system (https://docs.anchorbrowser.io/advanced/session-timeout). A request for its pages is none of these.
    mayLookUpPages: true,

    liveView: (id, page, _mode, signal) => liveView(source, id, page, signal),

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

    // No other status for an end is documented. Sessions ended by a time limit can't be told apart.
    async endCause(id, signal) {
      const status = (await find(id, signal))?.status.toLowerCase();
      if (status === undefined || !hasEnded(status)) return undefined;
      return { how: status === 'failed' ? 'failed' : 'completed', endedAt: undefined };
    },
  };
}
