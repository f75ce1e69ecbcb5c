import { anchor } from '../../../../src/providers/anchor/index.ts';
import { browserbase } from '../../../../src/providers/browserbase/index.ts';
import { browserless } from '../../../../src/providers/browserless/index.ts';
import { gateway } from '../../../../src/providers/gateway.ts';
import { localChrome } from '../../../../src/providers/localChrome.ts';
import type { RunningBrowserless } from '../../../host/browserless.ts';
import { startChromium } from '../../../host/chromium.ts';
import { startAnchor } from '../../../servers/anchor.ts';
import { startBrowserbase } from '../../../servers/browserbase.ts';
import { startBrowserlessCloud } from '../../../servers/browserlessCloud.ts';
import { startBrowserlessV1 } from '../../../servers/browserlessV1.ts';
import { startBrowserlessV2 } from '../../../servers/browserlessV2.ts';
import { Devtools } from '../../../servers/devtools.ts';
import { startExample } from '../../../servers/example.ts';
import { startGateway } from '../../../servers/gateway.ts';
import type { ProviderServer } from '../../../servers/providerServer.ts';
import { startRelay } from '../../../servers/relay.ts';
import { exampleProvider } from '../exampleProvider.ts';
import type { Stage } from './stage.ts';

const many = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

/** A stage for a provider without peculiarities, to be spread. */
const plain = {
  wrong: { apiKey: 'wrong-key' },
  settings: new Set<string>(),
  speedUp: 20,
  many: 130,
  endsByRequest: true,
  troubles: {},
  startUnknown: undefined,
  addMalformed: undefined,
  probesGone: true,
  liveViewAt: undefined,
  hostile: undefined,
} as const;

const createdAt = '2026-11-22T12:00:00Z';

/** Returns this response instead of the server's. */
function tell(server: ProviderServer, method: string, path: RegExp, json: unknown): void {
  server.misbehave(method, path, { kind: 'answer', answer: { status: 200, json } });
}

/** Anchor Browser on a strict server. */
export async function anchorStage(): Promise<Stage> {
  const server = await startAnchor();
  return {
    ...plain,
    kind: anchor,
    server,
    credentials: { apiKey: server.key },
    listing: { method: 'GET', path: /all\/status$/ },
    start: async (count) => many(count, () => server.add().id),
    running: async () => server.running,
    hostile: {
      row: (session_id) => ({ session_id, status: 'running', tags: [], created_at: createdAt }),
      answer: (rows) => `{"data":{"items":[${rows}]}}`,
    },
    startUnknown: async () => server.add({ status: 'hibernating' }).id,
    addMalformed: () => void server.add({ id: 'all', status: 'warming' }),
    liveViewAt: (frontend_url) => tell(server, 'GET', /pages$/, [{ id: 'p1', title: 'One', url: '', frontend_url }]),
    stop: () => server.stop(),
  };
}

/** Browserbase on a strict server. */
export async function browserbaseStage(): Promise<Stage> {
  const server = await startBrowserbase();
  return {
    ...plain,
    kind: browserbase,
    server,
    credentials: { apiKey: server.key },
    listing: { method: 'GET', path: /^\/v1\/sessions$/ },
    start: async (count) => many(count, () => server.add().id),
    running: async () => server.running,
    hostile: {
      row: (id) => ({ id, status: 'RUNNING', createdAt, userMetadata: {} }),
      answer: (rows) => `[${rows}]`,
    },
    startUnknown: async () => {
      server.runningWord = 'HIBERNATING';
      return server.add().id;
    },
    addMalformed: () => void server.add({ id: 'all' }),
    liveViewAt(debuggerFullscreenUrl) {
      const page = { id: 'p1', title: 'One', url: '', debuggerFullscreenUrl };
      tell(server, 'GET', /debug$/, { debuggerFullscreenUrl, pages: [page] });
    },
    stop: () => server.stop(),
  };
}

/** A session gateway on a strict server. */
export async function gatewayStage(): Promise<Stage> {
  const server = await startGateway();
  return {
    ...plain,
    kind: gateway,
    server,
    credentials: { authorization: server.authorization },
    wrong: { authorization: 'Bearer wrong' },
    listing: { method: 'GET', path: /sessions$/ },
    start: async (count) => many(count, () => server.add().id),
    running: async () => server.running,
    hostile: {
      row: (id) => ({ id, status: 'running', createdAt }),
      answer: (rows) => `{"sessions":[${rows}]}`,
    },
    startUnknown: async () => server.add({ status: 'hibernating' }).id,
    addMalformed: () => void server.add({ id: 'all' }),
    liveViewAt: (liveViewUrl) =>
      tell(server, 'GET', /sessions\/[^/]+$/, { session: { status: 'running', liveViewUrl } }),
    stop: () => server.stop(),
  };
}

/** A self-hosted Browserless has a row for each target of a browser. */
const hostileTargets = {
  row: (browserId: string) => ({
    browserId,
    id: browserId,
    type: 'page',
    title: '',
    url: 'about:blank',
    trackingId: null,
  }),
  answer: (rows: string) => `[${rows}]`,
};

/** Browserless v1 on a strict server. */
export async function browserlessV1Stage(): Promise<Stage> {
  const server = await startBrowserlessV1();
  return {
    ...plain,
    kind: browserless,
    probesGone: false,
    server,
    credentials: { token: server.token ?? '' },
    wrong: { token: 'wrong-token' },
    listing: { method: 'GET', path: /^\/sessions$/ },
    // It returns 404 when the list is turned off.
    troubles: { '404': 'unsupported' },
    hostile: hostileTargets,
    start: async (count) => many(count, () => server.add().id),
    running: async () => [...server.browsers.keys()],
    addMalformed: () => void server.add({ id: 'a.b' }),
    stop: () => server.stop(),
  };
}

/** Browserless v2 on a strict server. */
export async function strictBrowserlessV2Stage(): Promise<Stage> {
  const server = await startBrowserlessV2();
  return {
    ...plain,
    kind: browserless,
    probesGone: false,
    server,
    credentials: { token: server.token ?? '' },
    wrong: { token: 'wrong-token' },
    listing: { method: 'GET', path: /^\/sessions$/ },
    // Without a list it is treated as the cloud, whose account API isn't turned on here.
    troubles: { '404': 'unsupported' },
    start: async (count) => many(count, () => server.add().id),
    running: async () => server.running,
    addMalformed: () => void server.add({ id: 'a.b', pages: [] }),
    stop: () => server.stop(),
  };
}

/** The real Browserless v2 behind a relay. */
export async function browserlessV2Stage(real: RunningBrowserless): Promise<Stage> {
  const server = await startRelay(real.url);
  return {
    ...plain,
    kind: browserless,
    probesGone: false,
    server,
    credentials: { token: real.token },
    wrong: { token: 'wrong-token' },
    speedUp: 3,
    many: 3,
    hostile: hostileTargets,
    listing: { method: 'GET', path: /^\/sessions$/ },
    // Without a list it is treated as the cloud, whose account API isn't turned on here.
    troubles: { '404': 'unsupported' },
    start: (count) => Promise.all(many(count, () => real.open())),
    running: () => real.running(),
    async stop() {
      await server.stop();
      await real.clear();
    },
  };
}

/** Browserless's shared cloud on a strict server. */
export async function browserlessCloudStage(): Promise<Stage> {
  const server = await startBrowserlessCloud();
  return {
    ...plain,
    kind: browserless,
    probesGone: false,
    server,
    credentials: { token: server.token },
    wrong: { token: 'wrong-token' },
    settings: new Set(['browserless.accountApi']),
    listing: { method: 'POST', path: /^\/graphql$/ },
    hostile: {
      row: (browserId) => ({ browserId, startTime: createdAt, browserName: 'chrome', type: null }),
      answer: (rows, count) => `{"data":{"getActiveSession":{"sessions":[${rows}],"count":${count}}}}`,
      times: 1,
    },
    troubles: { '404': 'unexpectedAnswer' },
    start: async (count) => many(count, () => server.add().id),
    running: async () => [...server.browsers.keys()],
    addMalformed: () => void server.add({ id: 'a.b' }),
    liveViewAt: (liveURL) => tell(server, 'POST', /live$/, { liveURL, liveURLId: 'l1' }),
    stop: () => server.stop(),
  };
}

/** A real Chromium behind a relay. */
export async function localChromeStage(): Promise<Stage> {
  const chromium = await startChromium();
  const devtools = await Devtools.open(chromium.endpoint);
  const server = await startRelay(chromium.endpoint);
  return {
    ...plain,
    kind: localChrome,
    server,
    credentials: {},
    wrong: undefined,
    speedUp: 5,
    many: 5,
    listing: { method: 'GET', path: /^\/json\/version$/ },
    endsByRequest: false,
    // Every browser has that address.
    troubles: { '404': 'unexpectedAnswer' },
    start: (count) => Promise.all(many(count, () => devtools.openContext('about:blank'))),
    running: () => devtools.contexts(),
    async stop() {
      await server.stop();
      devtools.close();
      await chromium.stop();
    },
  };
}

/** A made-up provider, as a third party would add one. */
export async function exampleStage(): Promise<Stage> {
  const server = await startExample();
  return {
    ...plain,
    kind: exampleProvider,
    server,
    credentials: { doorKey: server.doorKey },
    wrong: { doorKey: 'wrong' },
    listing: { method: 'GET', path: /^\/rooms$/ },
    hostile: {
      row: (room) => ({ room, state: 'lit', title: room }),
      answer: (rows) => `{"rooms":[${rows}],"next":null}`,
    },
    troubles: { '404': 'unexpectedAnswer' },
    start: async (count) => server.light(count),
    running: async () => [...server.rooms.keys()],
    startUnknown: async () => {
      server.rooms.set('dark', 'twilight');
      return 'dark';
    },
    addMalformed: () => void server.rooms.set('all', 'lit'),
    liveViewAt: (href) => tell(server, 'POST', /window$/, { href }),
    stop: () => server.stop(),
  };
}
