import * as v from 'valibot';
import type { AccountFacts } from '../core/account.ts';
import type { HttpRequest } from '../core/http.ts';
import { type SessionId, sessionId } from '../core/ids.ts';
import type { Inventory, ListFault } from '../core/inventory.ts';
import { type LiveView, liveViewUrl } from '../core/liveView.ts';
import { newSession } from '../core/newSession.ts';
import {
  type EndAnswer,
  type Link,
  type Liveness,
  type Provider,
  type ProviderKind,
  usualEnding,
} from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import { isAtAccount, isWithin } from '../core/requestUrl.ts';
import { isSameStart, type Session, type SessionPhase } from '../core/session.ts';
import { translatable } from '../core/translatable.ts';
import { dateField, decode, decodeEach, decodeList, idField } from '../http/decode.ts';
import { neverNotFound, notFoundLike } from '../http/notFound.ts';
import { namedBy } from '../http/paging.ts';

// A session gateway that users run themselves, with GET|DELETE /api/browser-automation/sessions/[sessionId], in
// front of a provider whose key it keeps. The known gateways don't keep every promise of its documentation: some list
// nothing, whatever is running; some don't find a session and answer 404 to its end while it is running; some answer
// about a session without its fields.
//
// What confirms an end: not its success, since the gateway passes the end on to a provider that may accept it and do
// nothing. GET of the session does, with "stopped". So does its documented 404, if it comes twice and a complete list
// in between leaves the session out, too. A list that is shorter than its count, or has a row that can't be read,
// confirms nothing.

const collection = '/api/browser-automation/sessions';
const one = `${collection}/{sessionId}`;

/** The only status that means ended. Any other status, or none, is a running session. */
const endedStatus = 'stopped';
/** The known gateway tries its provider three times, for a minute each, before it answers an end. */
const endTimeoutMs = 200_000;
const profileLabel = translatable('Profile');
const phases: Readonly<Record<string, SessionPhase>> = { starting: 'starting', running: 'running', idle: 'idle' };

const Text = v.fallback(v.nullish(v.string()), undefined);
const SessionRow = v.object({
  id: idField,
  status: Text,
  createdAt: v.fallback(dateField, undefined),
  profileName: Text,
  currentUrl: Text,
});
type SessionRow = v.InferOutput<typeof SessionRow>;
const SessionList = v.object({ sessions: v.array(v.unknown()), count: v.fallback(v.optional(v.number()), undefined) });
const Found = v.object({
  id: v.fallback(v.optional(v.string()), undefined),
  status: Text,
  liveViewUrl: Text,
  createdAt: v.fallback(dateField, undefined),
  profileName: Text,
});
const OneSession = v.object({ session: Found });
/** Its answer for a session it doesn't find. Many servers answer with an `error`; a gateway's mentions a session. */
const isOwnNotFound = notFoundLike(v.object({ error: v.pipe(v.string(), v.regex(/\bsession\b/i)) }));
const Ended = v.object({ success: v.literal(true) });

/** An internal gateway that hands out sessions of some provider. */
export const gateway: ProviderKind = {
  id: 'gateway',
  label: 'Session Gateway',
  icon: 'server-environment',
  summary: 'Sessions from a gateway you run',
  address: {
    preset: undefined,
    ask: true,
    prompt: 'Enter the base address of the gateway, without /api/browser-automation/sessions',
    placeholder: 'https://gateway.example.com',
    environment: ['BROWSER_SESSIONS_GATEWAY_URL'],
  },
  fields: [
    {
      id: 'authorization',
      label: 'Authorization',
      prompt:
        'Enter the value of the Authorization header, for example "Bearer …". Leave empty if your gateway doesn\'t need one.',
      kind: 'secret',
      required: false,
      asked: 'always',
      environment: ['BROWSER_SESSIONS_GATEWAY_AUTHORIZATION'],
      keepsScheme: true,
    },
  ],
  settings: [],
  furtherAddresses: () => [],
  can: ['liveView'],
  wording: {
    session: 'Sessions from a gateway you run, listed at `/api/browser-automation/sessions`.',
    ending:
      'Unsaved work in the page is lost. Running scripts are disconnected. A session that was started with "persist" saves its cookies and storage to its profile.',
    endEverything: undefined,
    deleteGroup: undefined,
    watching:
      "If the gateway uses Anchor's browsers, an open live view keeps the session from timing out and uses up a link that works only once.",
  },
  connect,
};

function connect(link: Link): Provider {
  const { authorization } = link.credentials;
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const send = (request: HttpRequest, signal: AbortSignal) =>
    link.http.send({ ...(request.params === undefined ? {} : { isOwnNotFound }), ...request, headers }, signal);

  async function inventory(signal: AbortSignal, request: Partial<HttpRequest> = {}): Promise<Inventory> {
    const answer = await send({ method: 'GET', route: collection, ...request }, signal);
    const { whole, ...list } = await decodeList(SessionList, ['sessions'], answer);
    const { rows, faults } = await decodeEach(SessionRow, list, namedBy('id'));
    return {
      sessions: rows.filter(({ status }) => status !== endedStatus).map(sessionOf),
      groups: [],
      faults: [...faults, ...leftOut(list.count, whole.count)],
      account: factsOf(list.count),
    };
  }

  /** Undefined if the gateway doesn't find it. */
  async function find(id: SessionId, signal: AbortSignal) {
    try {
      return decode(OneSession, await send({ method: 'GET', route: one, params: { sessionId: id } }, signal)).session;
    } catch (error) {
      if (ProviderError.isOf(error, 'notFound')) return undefined;
      throw error;
    }
  }

  /** Reads the list for what it says about one session. */
  async function lookIn(id: SessionId, signal: AbortSignal) {
    const { sessions, faults } = await inventory(signal, { isOwnNotFound: neverNotFound });
    return { listed: sessions.find((session) => session.id === id), isWhole: faults.length === 0 };
  }

  /**
   * Whether the id belongs to another session now. If the answer about the session has only the documented fields, the
   * list may have more.
   */
  async function isAnothers(
    confirmed: Session,
    found: v.InferOutput<typeof Found> | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const marks = found === undefined ? {} : { startedAt: found.createdAt, profile: found.profileName ?? undefined };
    if (differs(confirmed, marks)) return true;
    if (marksOf(confirmed).every((mark) => marks[mark] !== undefined)) return false;
    const { listed } = await lookIn(confirmed.id, signal);
    return listed !== undefined && differs(confirmed, marksIn(listed));
  }

  /** For a session about to be ended. If the request for it alone fails, the list is used instead. */
  async function refuseAnothers(confirmed: Session, signal: AbortSignal): Promise<void> {
    if (marksOf(confirmed).length === 0) return;
    let found: v.InferOutput<typeof Found> | undefined;
    try {
      found = await find(confirmed.id, signal);
    } catch (error) {
      if (!ProviderError.isOf(error, 'serverFault', 'unexpectedAnswer')) throw error;
    }
    if (await isAnothers(confirmed, found, signal)) {
      throw new ProviderError({ kind: 'otherSession' }, 'no request was sent: the ID now belongs to another session');
    }
  }

  async function probe(session: Session, signal: AbortSignal): Promise<Liveness> {
    const { id } = session;
    let found = await find(id, signal);
    if (found === undefined) {
      const { listed, isWhole } = await lookIn(id, signal);
      if (listed !== undefined) return differs(session, marksIn(listed)) ? 'gone' : 'running';
      if (!isWhole) return 'unknown';
      // The gateway may have been out of order for the first request, and working again for the list.
      found = await find(id, signal);
      if (found === undefined) return 'gone';
    }
    if (found.id !== undefined && found.id !== id) return 'unknown';
    if (found.status === endedStatus) return 'gone';
    if (await isAnothers(session, found, signal)) {
      // What its marks mean isn't documented, so they may differ from the list's. Only two lists can be compared.
      const { listed } = await lookIn(id, signal);
      return listed !== undefined && differs(session, marksIn(listed)) ? 'gone' : 'unknown';
    }
    return found.status == null ? 'unknown' : 'running';
  }

  return {
    // Some gateways only ever answer an empty list.
    ending: { ...usualEnding, lists: 'unreliable', mostInFlight: 8 },

    async check(signal) {
      return (await inventory(signal)).account ?? factsOf(0);
    },

    async *list(signal) {
      yield await inventory(signal);
    },

    async end(session, signal): Promise<EndAnswer> {
      const { id } = session;
      await refuseAnothers(session, signal);
      try {
        const request = { method: 'DELETE', route: one, params: { sessionId: id }, timeoutMs: endTimeoutMs } as const;
        decode(Ended, await send(request, signal));
        return { outcome: 'accepted', how: undefined };
      } catch (error) {
        // A gateway that doesn't find a session it lists hasn't ended it. One that fails may have been too late.
        if (!ProviderError.isOf(error, 'notFound', 'serverFault')) throw error;
        if ((await probe(session, signal)) === 'gone') {
          return { outcome: 'alreadyGone', how: translatable("The gateway couldn't find it.") };
        }
        throw error;
      }
    },

    probe,

    async liveView(id, _page, _mode, signal): Promise<LiveView> {
      const found = await find(id, signal);
      if (found === undefined) throw new ProviderError({ kind: 'notFound' }, 'the gateway does not find the session');
      if (found.liveViewUrl == null) {
        throw new ProviderError({ kind: 'unsupported', reason: { kind: 'sessionLiveView' } }, 'no live view address');
      }
      return {
        url: liveViewUrl(found.liveViewUrl, (url) => allowsLiveView(url, link.origin)),
        sandbox: 'allow-same-origin allow-scripts',
        allow: 'clipboard-read; clipboard-write',
        // Not documented: an address may be one of Anchor's that works only once, without any indication.
        fixedMode: false,
        singleUse: 'unknown',
        disconnectMessage: undefined,
      };
    },
  };
}

/** The gateway's own host, and the host of the provider whose addresses its documentation shows. */
function allowsLiveView(url: URL, gateway: URL): boolean {
  return isAtAccount(url, gateway) || isWithin(url, 'anchorbrowser.io');
}

/** Reports a gateway that counts more sessions than it lists. */
function leftOut(listed: number, count: number | undefined): ListFault[] {
  if (count === undefined || count <= listed) return [];
  const what = `the gateway left out ${count - listed} of ${count} sessions`;
  return [{ subject: 'The list', what, unnamed: true }];
}

function factsOf(listed: number): AccountFacts {
  const note =
    listed > 0
      ? undefined
      : "This gateway lists no sessions. Some gateways never list any, so check its provider's own console too.";
  return { identity: undefined, sessionLimit: undefined, note };
}

/** What distinguishes a session from another one that got its id, if the gateway provides it: neither is documented. */
interface Marks {
  readonly startedAt?: number | undefined;
  readonly profile?: string | undefined;
}

function marksIn(session: Session): Marks {
  return { startedAt: session.startedAt, profile: session.facts.find(([label]) => label === profileLabel)?.[1] };
}

/** The marks that a session has. */
function marksOf(session: Session): readonly (keyof Marks)[] {
  const marks = marksIn(session);
  return (['startedAt', 'profile'] as const).filter((mark) => marks[mark] !== undefined);
}

/** Whether a mark that both have differs. */
function differs(confirmed: Session, marks: Marks): boolean {
  const { startedAt, profile } = marksIn(confirmed);
  if (!isSameStart(startedAt, marks.startedAt)) return true;
  return profile !== undefined && marks.profile !== undefined && marks.profile !== profile;
}

function sessionOf({ id, status, createdAt, profileName, currentUrl }: SessionRow): Session {
  return newSession(sessionId(id), {
    host: (currentUrl == null ? undefined : URL.parse(currentUrl)?.host) || undefined,
    phase: phases[status ?? ''] ?? 'unknown',
    status: status ?? undefined,
    startedAt: createdAt,
    facts: profileName == null ? [] : [[profileLabel, profileName]],
  });
}
