import { randomUUID } from 'node:crypto';
import { type ProviderAnswer, type ProviderRequest, ProviderServer } from './providerServer.ts';

// Browserless v2 according to its source at 2.42.0 (src/server.ts, src/browsers/index.ts, src/routes/management): a
// token as Bearer, Basic or in the query, 401 without it; a row for each DevTools target; errors as plain text; 404
// with its own text for a kill of what it doesn't have. It knows only the browsers of its own process, and so does each
// worker behind a load balancer.

/** A browser on the server. */
export interface V2Browser {
  readonly id: string;
  readonly trackingId: string | undefined;
  readonly startedOn: number;
  readonly pages: readonly { readonly id: string; readonly title: string; readonly url: string }[];
}

const sessionsQuery = new Set(['trackingId', 'token']);
/** Its response when it has no route for a request; for a GET, its route for files responds. */
const noRoute =
  'Not Found: Please verify the endpoint URL, the HTTP method (e.g., POST, GET), and check that your Content-Type header is supported (e.g., application/json). See: https://docs.browserless.io/rest-apis/intro';

/** A strict Browserless v2. `browsers` is the truth that tests check, not what the extension reports. */
export class BrowserlessV2Server extends ProviderServer {
  /** Undefined for a server that was started without one. */
  token: string | undefined = 'v2-token-canary-0123';
  readonly browsers = new Map<string, V2Browser>();
  /** Browsers that accept a kill but keep running. */
  readonly immortal = new Set<string>();
  maxConcurrent = 10;
  version = '2.42.0';
  /** Jobs that run without a browser in the list, and count as running. */
  otherJobs = 0;

  constructor() {
    super({
      routes: {
        'GET /sessions': (request: ProviderRequest) => this.#sessions(request),
        'GET /kill/all': (request: ProviderRequest) => refusedQuery(request) ?? this.#kill(() => true),
        'GET /kill/{id}': (request: ProviderRequest) => refusedQuery(request) ?? this.#killOne(request),
        'GET /pressure': () => this.#pressure(),
        'GET /meta': () => ({ status: 200, json: { version: this.version, chromium: '145.0.7632.6' } }),
        'GET /active': () => ({ status: 204 }),
        'GET /config': () => ({ status: 200, json: { token: this.token, concurrent: this.maxConcurrent } }),
        'GET /json/version': () => ({
          status: 200,
          json: { Browser: 'Chrome/145.0.7632.6', webSocketDebuggerUrl: 'ws://0.0.0.0:3000' },
        }),
      },
      guard: (request) => this.#refuse(request),
      notFound: noRouteFor,
    });
  }

  /** Starts a browser, as a script elsewhere would. */
  add(browser: Partial<V2Browser> = {}): V2Browser {
    const id = browser.id ?? randomUUID();
    const page = {
      id: randomUUID().replaceAll('-', '').toUpperCase(),
      title: 'Example Domain',
      url: 'https://www.example.com',
    };
    const added = { trackingId: undefined, startedOn: Date.now(), pages: [page], ...browser, id };
    this.browsers.set(id, added);
    return added;
  }

  /** The ids of the running browsers. */
  get running(): string[] {
    return [...this.browsers.keys()];
  }

  #refuse({ query, headers }: ProviderRequest): ProviderAnswer | undefined {
    if (this.token !== undefined) {
      const [scheme, word = ''] = String(headers['authorization'] ?? '').split(' ');
      const sent = scheme === 'Basic' ? Buffer.from(word, 'base64').toString().replace(/:$/, '') : word;
      if ((query.get('token') ?? sent) !== this.token) return { status: 401, text: 'Bad or missing authentication.' };
    }
    return headers['content-type'] === undefined ? undefined : { status: 400, text: "Couldn't parse JSON body" };
  }

  #sessions(request: ProviderRequest): ProviderAnswer {
    const refused = refusedQuery(request, sessionsQuery);
    if (refused !== undefined) return refused;
    const wanted = request.query.get('trackingId');
    const found = [...this.browsers.values()].filter(({ trackingId }) => wanted === null || trackingId === wanted);
    return { status: 200, json: found.flatMap((browser) => this.#rows(browser)) };
  }

  #rows({ id, trackingId, startedOn, pages }: V2Browser): object[] {
    const row = {
      id,
      initialConnectURL: `http://0.0.0.0:3000/chromium?canary=${id}`,
      isTempDataDir: true,
      launchOptions: {},
      numbConnected: 1,
      routePath: ['/chromium?(/)', '?(/)'],
      startedOn,
      ...(trackingId === undefined ? {} : { trackingId }),
      ttl: 0,
      userDataDir: `/tmp/browserless-data-dirs/browserless-data-dir-${id}`,
      browser: 'ChromiumCDP',
      browserId: id,
      killURL: `http://0.0.0.0:3000/kill/${id}`,
      running: true,
      timeAliveMs: Date.now() - startedOn,
      type: 'browser',
    };
    const targets = pages.map((page) => ({
      ...row,
      ...page,
      type: 'page',
      description: '',
      devtoolsFrontendUrl: `/devtools/inspector.html?ws=0.0.0.0:3000/devtools/page/${page.id}`,
      webSocketDebuggerUrl: `ws://0.0.0.0:3000/devtools/page/${page.id}`,
      browserWSEndpoint: `ws://0.0.0.0:3000/devtools/browser/${id}`,
    }));
    return [row, ...targets];
  }

  #killOne(request: ProviderRequest): ProviderAnswer {
    const target = request.params['id'] ?? '';
    if (!/^[\w-]+$/.test(target)) return noRouteFor(request);
    const found = [...this.browsers.values()].some(({ id, trackingId }) => id === target || trackingId === target);
    if (!found) return { status: 404, text: `Couldn't locate session for id: "${target}"` };
    return this.#kill(({ id, trackingId }) => id === target || trackingId === target);
  }

  #kill(meant: (browser: V2Browser) => boolean): ProviderAnswer {
    for (const browser of this.browsers.values()) {
      if (meant(browser) && !this.immortal.has(browser.id)) this.browsers.delete(browser.id);
    }
    return { status: 204 };
  }

  #pressure(): ProviderAnswer {
    const { maxConcurrent } = this;
    const running = this.browsers.size + this.otherJobs;
    const load = { cpu: 47, memory: 8, queued: 0, recentlyRejected: 0, maxQueued: 10, message: '', reason: '' };
    const pressure = { ...load, date: Date.now(), isAvailable: running < maxConcurrent, maxConcurrent, running };
    return { status: 200, json: { pressure } };
  }
}

/** Starts a strict Browserless v2 on a free port. */
export async function startBrowserlessV2(): Promise<BrowserlessV2Server> {
  return new BrowserlessV2Server().start();
}

function noRouteFor({ method, path }: ProviderRequest): ProviderAnswer {
  return { status: 404, text: method === 'GET' ? `No route or file found for resource GET: ${path}` : noRoute };
}

/** It rejects query keys that its schema doesn't name. */
function refusedQuery(
  { query }: ProviderRequest,
  known: ReadonlySet<string> = new Set(['token', 'browserId']),
): ProviderAnswer | undefined {
  const unknown = [...query.keys()].find((key) => !known.has(key));
  if (unknown === undefined) return undefined;
  return { status: 400, text: `Query-parameter validation failed: "${unknown}" is not allowed` };
}
