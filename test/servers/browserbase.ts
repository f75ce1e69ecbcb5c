import { randomUUID } from 'node:crypto';
import { type LivePageOptions, livePage, type SentFromPages, takeSent } from './livePage.ts';
import { type ProviderAnswer, type ProviderRequest, ProviderServer, type ProviderTls } from './providerServer.ts';

// Browserbase according to its SDK's types and its documentation (@browserbasehq/sdk 2.21.0, docs.browserbase.com), and
// strict rather than lenient where they are silent: unknown paths, query keys, statuses and bodies are rejected.

/** A session on the server. It stays in the history after it has ended. */
export interface BrowserbaseSession {
  readonly id: string;
  status: string;
  readonly projectId: string;
  readonly createdAt: Date;
  /** Undefined while it has none; by default the time it was created. */
  startedAt: Date | undefined;
  readonly region: string;
  readonly keepAlive: boolean;
  readonly userMetadata: Readonly<Record<string, unknown>>;
  /** As its rows contain them; undefined for rows without. */
  readonly labels: unknown;
  pages: readonly { readonly id: string; readonly title: string; readonly url: string }[];
}

const statuses = new Set(['PENDING', 'RUNNING', 'ERROR', 'TIMED_OUT', 'COMPLETED']);
const terminal = new Set(['ERROR', 'TIMED_OUT', 'COMPLETED']);
const queryKeys: Readonly<Record<string, readonly string[]>> = {
  '/v1/sessions': ['status', 'q'],
  debug: ['expiresIn'],
};

/** A strict Browserbase. `sessions` is the truth that tests check, not what the extension reports. */
export class BrowserbaseServer extends ProviderServer {
  readonly key = 'bb_live_canary-0123456789';
  /** Whether any key is accepted, as another one of the same project. */
  acceptsAnyKey = false;
  readonly sessions = new Map<string, BrowserbaseSession>();
  readonly projects: { readonly id: string; readonly name: string; readonly concurrency: number }[] = [
    { id: randomUUID(), name: 'checkout-bots', concurrency: 25 },
  ];
  /** What each project has used; the schema of ProjectUsage requires both fields. */
  usage: Readonly<Record<string, unknown>> = { browserMinutes: 1_234, proxyBytes: 1_500_000_000 };
  /** How long after an accepted release the session keeps running, as RUNNING. */
  releaseLagMs = 0;
  /** Additional time that a release takes, different for each session, up to this. */
  spreadLagMs = 0;
  /** Sessions that accept a release but keep running. */
  readonly immortal = new Set<string>();
  /** A status for running sessions instead of RUNNING; the filter RUNNING still finds them. */
  runningWord = 'RUNNING';
  /** How the page of a live view behaves. Its final message is the documented one. */
  livePage: LivePageOptions = { disconnectMessage: 'browserbase-disconnected' };
  /** What the pages of live views have sent. */
  readonly sent: SentFromPages = new Map();
  #minted = 0;

  constructor(tls?: ProviderTls) {
    const routes = {
      'GET /v1/sessions': (request: ProviderRequest) => this.#list(request),
      'GET /v1/sessions/{id}': (request: ProviderRequest) => this.#retrieve(request),
      'POST /v1/sessions/{id}': (request: ProviderRequest) => this.#update(request),
      'GET /v1/sessions/{id}/debug': (request: ProviderRequest) => this.#debug(request),
      'GET /v1/projects': () => ({
        status: 200,
        json: this.projects.map((project) => ({ ...project, ownerId: 'me' })),
      }),
      'GET /v1/projects/{id}/usage': ({ params }: ProviderRequest) =>
        this.projects.some(({ id }) => id === params['id'])
          ? { status: 200, json: this.usage }
          : failure(404, 'Not Found', 'Project not found'),
      'GET /devtools-fullscreen/{id}/{page}/{mint}': (request: ProviderRequest) => this.#live(request),
      'POST /devtools-fullscreen/{id}/{page}/{mint}': (request: ProviderRequest) =>
        takeSent(this.sent, request.params['id'] ?? '', request),
    };
    super({
      routes,
      guard: (request) => (request.path.startsWith('/devtools-') ? undefined : this.#refuse(request)),
      notFound: () => failure(404, 'Not Found', 'Not Found'),
      ...(tls === undefined ? {} : { tls }),
    });
  }

  /** Starts a session, as a script elsewhere would. */
  add(session: Partial<BrowserbaseSession> = {}): BrowserbaseSession {
    const id = session.id ?? randomUUID();
    const added: BrowserbaseSession = {
      status: 'RUNNING',
      projectId: this.projects[0]?.id ?? '',
      createdAt: new Date(),
      startedAt: session.createdAt ?? new Date(),
      region: 'us-west-2',
      keepAlive: false,
      userMetadata: {},
      labels: undefined,
      pages: [{ id: `page-${id.slice(0, 8)}`, title: '', url: 'about:blank' }],
      ...session,
      id,
    };
    this.sessions.set(id, added);
    return added;
  }

  /** The ids of the running sessions. */
  get running(): string[] {
    return [...this.sessions.values()].filter(({ status }) => !terminal.has(status)).map(({ id }) => id);
  }

  /** Ends a session when its time has come. */
  release(session: BrowserbaseSession): void {
    if (this.immortal.has(session.id)) return;
    const lag = this.releaseLagMs + Math.random() * this.spreadLagMs;
    if (lag === 0) session.status = 'COMPLETED';
    else setTimeout(() => Object.assign(session, { status: 'COMPLETED' }), lag);
  }

  #refuse({ method, path, query, headers, body }: ProviderRequest): ProviderAnswer | undefined {
    if (headers['x-bb-api-key'] !== this.key && !this.acceptsAnyKey)
      return failure(401, 'Unauthorized', 'Invalid API key');
    if (method === 'GET' && (body !== '' || headers['content-type'] !== undefined)) {
      return failure(400, 'Bad Request', 'No body expected');
    }
    const known = queryKeys[path] ?? queryKeys[path.split('/').at(-1) ?? ''] ?? [];
    const unknown = [...query.keys()].find((key) => !known.includes(key));
    return unknown === undefined ? undefined : failure(400, 'Bad Request', `querystring must NOT have ${unknown}`);
  }

  #list({ query }: ProviderRequest): ProviderAnswer {
    const status = query.get('status');
    if (status !== null && !statuses.has(status)) return failure(400, 'Bad Request', 'querystring/status is not known');
    const found = [...this.sessions.values()].filter((session) => status === null || session.status === status);
    return { status: 200, json: found.map((session) => this.#row(session)) };
  }

  #row(session: BrowserbaseSession): object {
    const { id, status, projectId, createdAt, startedAt, region, keepAlive, userMetadata, labels } = session;
    const at = createdAt.toISOString();
    return {
      id,
      createdAt: at,
      updatedAt: at,
      startedAt: startedAt?.toISOString(),
      expiresAt: new Date(createdAt.getTime() + 3_600_000).toISOString(),
      ...(terminal.has(status) ? { endedAt: new Date().toISOString() } : {}),
      status: status === 'RUNNING' ? this.runningWord : status,
      projectId,
      region,
      keepAlive,
      proxyBytes: 0,
      userMetadata,
      labels,
    };
  }

  #retrieve({ params }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined) return failure(404, 'Not Found', 'Session not found');
    const secrets = {
      connectUrl: `wss://connect.browserbase.com/?signingKey=signing-canary&sessionId=${session.id}`,
      seleniumRemoteUrl: 'http://connect.browserbase.com/webdriver?canary',
      signingKey: 'signing-canary',
    };
    return { status: 200, json: { ...this.#row(session), ...secrets } };
  }

  #update({ params, headers, body }: ProviderRequest): ProviderAnswer {
    if (headers['content-type'] !== 'application/json') return failure(415, 'Unsupported Media Type', 'JSON expected');
    if (!isRelease(body)) {
      return failure(400, 'Bad Request', 'body/status must be equal to one of the allowed values');
    }
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined) return failure(404, 'Not Found', 'Session not found');
    // The response for an ended session isn't documented; an error status is the harder case.
    if (terminal.has(session.status)) return failure(400, 'Bad Request', 'Session is not running');
    const answer = { status: 200, json: this.#row(session) };
    this.release(session);
    return answer;
  }

  #debug({ params, query }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined || terminal.has(session.status)) return failure(404, 'Not Found', 'Session not found');
    const expiresIn = query.get('expiresIn');
    if (expiresIn !== null && !(Number(expiresIn) >= 1 && Number(expiresIn) <= 21_600)) {
      return failure(400, 'Bad Request', 'querystring/expiresIn must be <= 21600');
    }
    const mint = ++this.#minted;
    const view = (page: string) => `${this.url}/devtools-fullscreen/${session.id}/${page}/${mint}?debug=true`;
    const pages = session.pages.map((page) => ({
      ...page,
      faviconUrl: '',
      debuggerUrl: view(page.id),
      debuggerFullscreenUrl: view(page.id),
    }));
    const first = view(session.pages[0]?.id ?? 'none');
    const wsUrl = 'wss://connect.browserbase.com/debug/canary';
    return { status: 200, json: { debuggerUrl: first, debuggerFullscreenUrl: first, wsUrl, pages } };
  }

  #live({ params }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined || terminal.has(session.status))
      return { status: 404, html: '<h1>Session not found</h1>' };
    return livePage(session.id, this.livePage);
  }
}

/** Starts a strict Browserbase on a free port. */
export async function startBrowserbase(tls?: ProviderTls): Promise<BrowserbaseServer> {
  return new BrowserbaseServer(tls).start();
}

/** The accepted bodies for updating a session: a release, with or without the project. */
function isRelease(body: string): boolean {
  try {
    const { status, projectId, ...rest } = JSON.parse(body);
    const project = projectId === undefined || typeof projectId === 'string';
    return status === 'REQUEST_RELEASE' && project && Object.keys(rest).length === 0;
  } catch {
    return false;
  }
}

function failure(statusCode: number, error: string, message: string): ProviderAnswer {
  return { status: statusCode, json: { statusCode, error, message } };
}
