import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import { type SessionId, sessionId } from '../../core/ids.ts';
import type { Inventory } from '../../core/inventory.ts';
import { maskedPages } from '../../core/maskedAddress.ts';
import { oncePer } from '../../core/oncePer.ts';
import type { Page } from '../../core/page.ts';
import { type EndAnswer, type Link, type Provider, type ProviderKind, usualEnding } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import { SideReading } from '../../core/sideReading.ts';
import { translatable } from '../../core/translatable.ts';
import { sessionLimitOf, type Usage, usageOf } from '../../core/usage.ts';
import { decode, decodeEach, decodeList, idField, RowMemory } from '../../http/decode.ts';
import { namedBy } from '../../http/paging.ts';
import { browserbaseApi, defaultAddress, sessionIn } from './api.ts';
import { liveUrls, liveView } from './liveView.ts';
import { endCauses, endedStatuses, SessionListRow, sessionOf } from './sessions.ts';
import { askStagehand, hasStagehandEnd, releasedAfter, stagehandAddressesOf, stagehandFor } from './stagehand.ts';

// Browserbase, https://docs.browserbase.com/reference/api, and Stagehand's API for the sessions that Stagehand started,
// https://docs.stagehand.dev (OpenAPI 3.1.0). A session is released, never deleted, and ends some time after that. Some
// things aren't documented, so this code never relies on them: the answer to releasing an ended session, the order of a
// list and the most rows it has, and whether Stagehand's end reaches a session that keeps alive.
//
// What confirms an end: not the answer to a release, which is only a request and may show the session as running, and
// not Stagehand's success, which may have released nothing. The session's own status does: COMPLETED, ERROR or
// TIMED_OUT, from GET of the session or from the unfiltered list, which includes the history. So does the documented
// 404. Missing from a filtered list confirms nothing: the session may have a third status.

/** The statuses of running sessions. Together their lists are complete: a session goes from the first to the second. */
const runningStatuses = ['PENDING', 'RUNNING'] as const;
const factsLifetimeMs = 600_000;

const SessionList = v.array(v.unknown());
const SessionStatus = v.object({ id: idField, status: v.string() });
const Projects = v.array(v.object({ id: idField, name: v.string(), concurrency: v.optional(v.unknown()) }));
/** Which period it is about isn't documented. */
const ProjectUsage = v.object({ browserMinutes: v.optional(v.unknown()), proxyBytes: v.optional(v.unknown()) });

/** Browserbase's cloud, and Stagehand on it. */
export const browserbase: ProviderKind = {
  id: 'browserbase',
  label: 'Browserbase',
  icon: 'cloud',
  summary: "Browsers in Browserbase's cloud",
  // The reference of the SDK names this page; keys are in its General tab.
  keyPage: 'https://www.browserbase.com/settings',
  address: {
    preset: defaultAddress,
    ask: false,
    prompt: 'Enter the address of the Browserbase API',
    placeholder: defaultAddress,
    environment: ['BROWSERBASE_BASE_URL'],
  },
  fields: [
    {
      id: 'apiKey',
      label: 'API key',
      prompt: 'Enter your Browserbase API key. You can find it under Settings in the Browserbase dashboard.',
      kind: 'secret',
      required: true,
      asked: 'always',
      environment: ['BROWSERBASE_API_KEY'],
    },
    {
      id: 'projectId',
      label: 'Project ID',
      prompt: "Enter your Browserbase project ID. Current API keys don't need it.",
      kind: 'text',
      required: false,
      asked: 'withAddress',
      environment: ['BROWSERBASE_PROJECT_ID'],
    },
    {
      id: 'stagehandOrigin',
      label: 'Stagehand address',
      prompt: 'Enter the address of the Stagehand API. Your key is sent there to end sessions that Stagehand started.',
      kind: 'address',
      required: false,
      asked: 'withAddress',
      environment: [],
    },
  ],
  settings: [],
  furtherAddresses: (origin, { stagehandOrigin }) => stagehandAddressesOf(origin, stagehandOrigin),
  can: ['pages', 'liveView', 'dashboard'],
  wording: {
    session:
      "A browser in Browserbase's cloud. Sessions that Stagehand started are ended by Stagehand first and then released.",
    ending:
      "The browser closes. Unsaved work in the page and downloads that you haven't retrieved are lost. Running scripts are disconnected.",
    endEverything: undefined,
    deleteGroup: undefined,
    watching: undefined,
  },
  connect,
};

function connect(link: Link): Provider {
  const { projectId } = link.credentials;
  const api = browserbaseApi(link);
  const { send, find } = api;

  async function ownProject(signal: AbortSignal) {
    const projects = decode(Projects, await send({ method: 'GET', route: '/v1/projects' }, signal));
    return projects.length === 1 ? projects[0] : projects.find(({ id }) => id === projectId);
  }

  async function projectUsage(id: string, signal: AbortSignal): Promise<readonly Usage[]> {
    const route = '/v1/projects/{id}/usage';
    const { browserMinutes, proxyBytes } = decode(
      ProjectUsage,
      await send({ method: 'GET', route, params: { id } }, signal),
    );
    const all = [usageOf('minutes', { used: browserMinutes }), usageOf('proxyBytes', { used: proxyBytes })];
    return all.filter((usage) => usage !== undefined);
  }

  function factsOf(project: v.InferOutput<typeof Projects>[number] | undefined): AccountFacts {
    return { identity: project?.name, sessionLimit: sessionLimitOf(project?.concurrency), note: undefined };
  }

  /** Its limit is known even if what it has used isn't. */
  const limits = new SideReading(link.clock, factsLifetimeMs, ownProject);
  const used = new SideReading(link.clock, factsLifetimeMs, async (signal) => {
    const project = await limits.last(signal);
    return project === undefined ? [] : projectUsage(project.id, signal);
  });

  /** Most rows of a list are the same as in the last one, so they needn't be read again. */
  const memories = Object.fromEntries(runningStatuses.map((status) => [status, new RowMemory()]));
  const sessionFor = oncePer(sessionOf);

  async function listed(status: (typeof runningStatuses)[number], signal: AbortSignal): Promise<Inventory> {
    const answer = await send({ method: 'GET', route: '/v1/sessions', query: { status } }, signal);
    const list = await decodeList(SessionList, [], answer, memories[status]);
    const { rows, faults } = await decodeEach(SessionListRow, list, namedBy('id'));
    const sessions = rows.filter((row) => !endedStatuses.has(row.status)).map(sessionFor);
    return { sessions, groups: [], faults, account: undefined };
  }

  async function hasEnded(id: SessionId, signal: AbortSignal): Promise<boolean> {
    const status = (await find(id, signal))?.status;
    return status === undefined || endedStatuses.has(status);
  }

  async function release(id: SessionId, how: string | undefined, signal: AbortSignal): Promise<EndAnswer> {
    try {
      const body = { status: 'REQUEST_RELEASE' };
      const answer = await send({ method: 'POST', route: '/v1/sessions/{id}', params: { id }, body }, signal);
      const { status } = sessionIn(answer, id);
      return { outcome: endedStatuses.has(status) ? 'ended' : 'accepted', how };
    } catch (error) {
      // Releasing an ended session fails in a way that isn't documented: only its status tells.
      if (!ProviderError.isOf(error, 'notFound', 'conflict', 'unexpectedAnswer', 'forbidden')) throw error;
      if (await hasEnded(id, signal)) return { outcome: 'alreadyGone', how: undefined };
      throw error;
    }
  }

  /**
   * Stagehand's own end also closes what Stagehand keeps for a session. Its success says nothing about the browser: for
   * a session that was only started, or one that keeps alive, nothing is released
   * (packages/server-v3/src/lib/InMemorySessionStore.ts, core/lib/v3/v3.ts). Browserbase's release ends it in any case,
   * so that always follows.
   */
  async function endByStagehand({ id, region }: Session, signal: AbortSignal): Promise<EndAnswer> {
    const stagehand = stagehandFor(link, region);
    if (stagehand === undefined) {
      return release(
        id,
        translatable('Browserbase released it: Stagehand has no known address for its region.'),
        signal,
      );
    }
    const answer = await askStagehand(stagehand, link.credentials, id, signal);
    const released: EndAnswer = (await isKnownToHaveEnded(id, signal))
      ? { outcome: 'alreadyGone', how: undefined }
      : await release(id, releasedAfter[answer], signal);
    const byStagehand = answer === 'success' && released.outcome === 'alreadyGone';
    return byStagehand ? { outcome: 'ended', how: translatable('Stagehand ended it.') } : released;
  }

  /** Decides whether to send a release: if the status can't be read, it is sent. */
  async function isKnownToHaveEnded(id: SessionId, signal: AbortSignal): Promise<boolean> {
    try {
      return await hasEnded(id, signal);
    } catch (error) {
      if (ProviderError.isOf(error, 'canceled')) throw error;
      return false;
    }
  }

  return {
    // Only sessions with two statuses are listed: one with a third, or between the two, is in neither list.
    ending: { ...usualEnding, lists: 'unreliable' },

    check: async (signal) => factsOf(await ownProject(signal)),

    async *list(signal) {
      for (const status of runningStatuses) yield await listed(status, signal);
      // Not at the same time as the lists, so that with many accounts the rows come first.
      const [project, usage = []] = await Promise.all([limits.last(signal), used.last(signal)]);
      const account = { ...factsOf(project), ...(usage.length > 0 && { usage }) };
      yield { sessions: [], groups: [], faults: [], account };
    },

    end: (session, signal) =>
      hasStagehandEnd(session.metadata) ? endByStagehand(session, signal) : release(session.id, undefined, signal),

    async probe({ id }, signal) {
      const found = await find(id, signal);
      if (found === undefined) return 'notFound';
      return endedStatuses.has(found.status) ? 'gone' : 'running';
    },

    // The unfiltered list includes the history, and the status that each session ended with.
    async probeMany(sessions, signal) {
      const list = await decodeList(SessionList, [], await send({ method: 'GET', route: '/v1/sessions' }, signal));
      const ids = new Set<string>(sessions.map(({ id }) => id));
      const { rows: all } = await decodeEach(SessionStatus, list, namedBy('id'));
      const wanted = all.filter(({ id }) => ids.has(id));
      return new Map(
        wanted.map(({ id, status }) => [sessionId(id), endedStatuses.has(status) ? 'gone' : 'running'] as const),
      );
    },

    async pages(id, signal): Promise<readonly Page[]> {
      return maskedPages((await liveUrls(api, id, signal)).pages);
    },

    // A session ends when its script disconnects, unless it keeps alive, or at its timeout
    // (https://docs.browserbase.com/platform/browser/long-sessions/overview). Requests to the API extend neither.
    mayLookUpPages: true,

    liveView: (id, page, _mode, signal) => liveView(api, link, id, page, signal),

    async endCause(id, signal) {
      const found = await find(id, signal);
      const how = endCauses.get(found?.status ?? '');
      return found === undefined || how === undefined ? undefined : { how, endedAt: found.endedAt };
    },

    // At another address than the provider's own, the dashboard's address isn't known. The page has the recording, too.
    ...(link.origin.origin === defaultAddress
      ? { dashboard: (id: SessionId) => new URL(`https://www.browserbase.com/sessions/${encodeURIComponent(id)}`) }
      : {}),
  };
}
