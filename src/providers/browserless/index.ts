import * as v from 'valibot';
import type { HttpAnswer } from '../../core/http.ts';
import { type Link, type Provider, type ProviderKind, usualEnding } from '../../core/provider.ts';
import { ProviderError, unaddressable } from '../../core/providerError.ts';
import { decode, decodeList } from '../../http/decode.ts';
import { accountApiAddress, cloud, isProviderHost } from './cloud.ts';
import { isV1Refusal, Pressure, v1, v2 } from './selfHosted.ts';
import { BrowserId, bearer, passingTroubles, Rows, type Surface } from './surface.ts';

// Browserless, https://docs.browserless.io, is three products under one name. This code asks an address to find out
// which of them it is.
// - v2, self-hosted or dedicated (observed in 2.42.0 and its source): GET /sessions has a row for each DevTools target,
//   so one browser has several; unknown query keys and a content type on a GET are rejected.
// - v1 (chrome.browserless.io, last 1.61.1): accepts its token in the query or as the name of Basic authentication
//   (`isAuthorized` in its src/utils.ts), answers 403 without it, and answers 204 to a kill whatever it was asked to kill.
// - the shared cloud: has no list except an undocumented account API (observed in browserless-mcp 1.22.1).
// A kill is a GET with an effect: it is sent once, and its address is never shown.
//
// What confirms an end: a list that leaves the browser out, and only if a single server is known to be at the address.
// Behind a load balancer each worker lists and kills only its own browsers (browserless/browserless#2910;
// docs.browserless.io, load balancers):
// - v2: 204 comes from the worker that had the browser, and means that it has begun to close it; 404 means "not on this
//   worker".
// - v1: 204 comes from any worker, and means nothing.
// - A list that has the browser means that it is running. One that leaves it out speaks only for one worker. There is
//   no other request to ask with.
// - /kill/all only reaches the worker that receives it.
// - The shared cloud: DELETE answers that the request was accepted, and only the account's list, which may lag, can
//   confirm it.

/** The addresses of the cloud that all customers share. What /kill/all ends there isn't documented. */
const sharedCloud = /^production-[\w-]+\.browserless\.io$/;
/** The address of v1's former cloud. It answers 403 with "This URL is a legacy endpoint …", or redirects. */
const retiredHost = 'chrome.browserless.io';
/** https://docs.browserless.io/overview/connection-urls */
const regionalHosts = [
  'production-sfo.browserless.io',
  'production-lon.browserless.io',
  'production-ams.browserless.io',
];
const Meta = v.object({ version: v.string() });

/** Browserless: self-hosted, dedicated or shared; v1 or v2. */
export const browserless: ProviderKind = {
  id: 'browserless',
  label: 'Browserless',
  icon: 'server',
  summary: 'Browserless, self-hosted or in the cloud',
  // For the cloud: https://docs.browserless.io/overview/dashboard.
  keyPage: 'https://browserless.io/account/',
  address: {
    preset: undefined,
    ask: true,
    prompt: 'Enter the address of your Browserless server or of your cloud region',
    placeholder: 'https://production-sfo.browserless.io',
    environment: ['BROWSERLESS_API_URL', 'BROWSERLESS_URL'],
  },
  fields: [
    {
      id: 'token',
      label: 'Token',
      prompt: 'Enter your Browserless token if the server requires one.',
      kind: 'secret',
      required: false,
      asked: 'always',
      environment: ['BROWSERLESS_TOKEN', 'BROWSERLESS_API_KEY', 'BROWSERLESS_API_TOKEN'],
    },
  ],
  settings: [
    {
      id: 'accountApi',
      description:
        "Controls whether the sessions in Browserless's shared cloud are listed through its account API, which is undocumented and may change. Your token is then also sent to api.browserless.io. While this is off, sessions in the shared cloud can't be listed.",
    },
  ],
  furtherAddresses: ({ hostname }) => (isProviderHost(hostname) ? [new URL(accountApiAddress)] : []),
  can: ['endEverything', 'liveView', 'devtools'],
  wording: {
    session:
      "A browser on a v1 or v2 server (self-hosted or dedicated) or in the shared cloud. Browsers driven by Playwright's own protocol can't be watched.",
    ending: 'The browser closes. Unsaved work in the page is lost. Running scripts are disconnected.',
    endEverything:
      "It ends every browser on this server, including browsers that aren't listed and other people's browsers.",
    deleteGroup: undefined,
    watching:
      'On your own server, an open live view counts as a client. The browser stays open while you watch, and may close when you stop watching if its script has disconnected. In the cloud, the live view closes after 15 minutes at most.',
  },
  connect,
};

function connect(link: Link): Provider {
  let known: Surface | undefined;

  async function surface(signal: AbortSignal): Promise<Surface> {
    try {
      known ??= await findOut(link, signal);
      return known;
    } catch (error) {
      if (!ProviderError.isOf(error, 'notFound')) throw error;
      // This 404 isn't about a session.
      const what = "it doesn't look like a Browserless server";
      throw new ProviderError({ kind: 'unexpectedAnswer', what }, error.message);
    }
  }

  /** Forgets which product answers after an unexpected answer: the server may have been replaced by another version. */
  function doubt(error: unknown): void {
    if (!ProviderError.isOf(error, ...passingTroubles, 'conflict', 'otherSession')) known = undefined;
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

/** Finds out which product answers. */
async function findOut(link: Link, signal: AbortSignal): Promise<Surface> {
  if (sharedCloud.test(link.origin.hostname)) return detectOnSharedCloud(link, signal);
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
 * Tells a dedicated account, which has /sessions and /kill, from the shared cloud at the same addresses. The answer of
 * /sessions to a shared account's token isn't documented, except that it isn't a list.
 */
async function detectOnSharedCloud(link: Link, signal: AbortSignal): Promise<Surface> {
  const get = (route: string) => link.http.send({ method: 'GET', route, headers: bearer(link) }, signal);
  try {
    await decodeList(Rows, [], await get('/sessions'));
  } catch (error) {
    if (ProviderError.isOf(error, 'canceled', 'unreachable', 'timedOut', 'rateLimited')) throw error;
    return cloud(link, undefined);
  }
  const version = await get('/meta').then(
    (answer) => decode(Meta, answer).version,
    (error: unknown) => {
      if (ProviderError.isOf(error, ...passingTroubles)) throw error;
      return undefined;
    },
  );
  // It isn't certain whether other customers share the workers.
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
