import { randomUUID } from 'node:crypto';
import { type LivePageOptions, livePage, type SentFromPages, takeSent } from './livePage.ts';
import { type ProviderAnswer, type ProviderRequest, ProviderServer, type ProviderTls } from './providerServer.ts';

// Anchor Browser according to its OpenAPI document (docs.anchorbrowser.io/openapi.yaml, 1.0.0), and strict rather than
// lenient where it is silent: unknown paths, query keys, page sizes and bodies are rejected.

/** A session on the server. It stays in the history after it has ended. */
export interface AnchorSession {
  readonly id: string;
  /** The key it was started with. */
  readonly key: string;
  status: string;
  readonly createdAt: Date;
  readonly tags: readonly string[];
  readonly domains: readonly string[];
  readonly headless: boolean;
  readonly batchId: string | undefined;
  pages: readonly { readonly id: string; readonly title: string; readonly url: string }[];
}

/** A batch on the server. */
export interface AnchorBatch {
  readonly id: string;
  status: string;
  readonly createdAt: Date;
  completedAt: Date | undefined;
  /** How many of its sessions couldn't be created. */
  readonly failedRequests: number;
  /** Sessions that a deletion of the batch fails for, with the error messages. */
  readonly undeletable: Map<string, string>;
}

const onePixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const pageSizes = new Set(['10', '20', '50']);
const sessionQuery = new Set(['page', 'limit', 'sort_by', 'sort_order', 'search', 'status', 'tags', 'batch_id']);
const batchQuery = new Set(['status', 'page', 'limit', 'created_after', 'created_before']);
const flatQuery = new Set(['tags', 'domains', 'created_from', 'created_to', 'batch_id']);

/** A strict Anchor Browser. `sessions` is the truth that tests check, not what the extension reports. */
export class AnchorServer extends ProviderServer {
  /** The keys of one team, by their names. */
  readonly keys = new Map([['automation-key', 'sk-anchor-canary-0123456789']]);
  readonly sessions = new Map<string, AnchorSession>();
  readonly batches = new Map<string, AnchorBatch>();
  /** How long a session is still listed after its end was accepted. */
  endLagMs = 0;
  /** Sessions that accept an end but keep running. */
  readonly immortal = new Set<string>();
  /** Sessions that are running but in no list. */
  readonly unlisted = new Set<string>();
  maxConcurrentBrowsers = 25;
  /** What the account has used, with all fields that are documented as required. */
  billing: Readonly<Record<string, unknown>> = {
    credits: 42.5,
    credits_used: 12.5,
    included_credits: 50,
    billing_period: '2026-11',
    tier: 'monthly_starter',
    gifts_balance: 42.5,
    cost_limit: 100,
  };
  /** What each running session has used: the documentation's `N/A`, unless a test sets something else. */
  usedCredits: unknown = 'N/A';
  /** How long the deletion of a batch takes. Its sessions end one by one during that time. */
  deletionMs = 0;
  /** Additional entries of a deletion's `errors` that aren't as documented. */
  readonly oddErrors: unknown[] = [];
  /** Omits the fields of a deletion's response that its schema doesn't require: all counts. */
  countsDeletions = true;
  /** How long its lists are empty after an end was accepted, as an outdated list may be. */
  listsEmptyMs = 0;
  #listsEmptyUntil = 0;
  /** How the page of a live view behaves. */
  livePage: LivePageOptions = {};
  /** What the pages of live views have sent. */
  readonly sent: SentFromPages = new Map();
  /** Sessions that were started with single-use links, and how often each link was opened. */
  readonly singleUse = new Map<string, number>();

  constructor(tls?: ProviderTls) {
    const routes = {
      'GET /v1/sessions/all/status': (request: ProviderRequest) => this.#flatList(request),
      'DELETE /v1/sessions/all': (request: ProviderRequest) => this.#endAll(request),
      'GET /v1/sessions': (request: ProviderRequest) => this.#pagedList(request),
      'GET /v1/sessions/{id}': (request: ProviderRequest) => this.#get(request),
      'DELETE /v1/sessions/{id}': (request: ProviderRequest) => this.#end(request),
      'GET /v1/sessions/{id}/pages': (request: ProviderRequest) => this.#pages(request),
      'GET /v1/sessions/{id}/screenshot': (request: ProviderRequest) => this.#screenshot(request),
      'GET /v1/sessions/{id}/recordings': (request: ProviderRequest) => this.#recordings(request),
      'GET /v1/billing': () => ({
        status: 200,
        json: { data: { ...this.billing, max_concurrent_browsers: this.maxConcurrentBrowsers } },
      }),
      'GET /v1/batch-sessions': (request: ProviderRequest) => this.#batchList(request),
      'GET /v1/batch-sessions/{id}': (request: ProviderRequest) => this.#batch(request),
      'PATCH /v1/batch-sessions/{id}': (request: ProviderRequest) => this.#cancelBatch(request),
      'DELETE /v1/batch-sessions/{id}': (request: ProviderRequest) => this.#deleteBatch(request),
      'GET /live/{id}/{page}': (request: ProviderRequest) => this.#live(request),
      'POST /live/{id}/{page}': (request: ProviderRequest) => takeSent(this.sent, request.params['id'] ?? '', request),
    };
    super({
      routes,
      guard: (request) => (request.path.startsWith('/live/') ? undefined : this.#refuse(request)),
      notFound: () => failure(404, 'Not Found'),
      ...(tls === undefined ? {} : { tls }),
    });
  }

  get key(): string {
    return this.keys.get('automation-key') ?? '';
  }

  /** Starts a session, as a script elsewhere would. */
  add(session: Partial<AnchorSession> = {}): AnchorSession {
    const id = session.id ?? randomUUID();
    const added: AnchorSession = {
      key: this.key,
      status: 'running',
      createdAt: new Date(),
      tags: [],
      domains: [],
      headless: false,
      batchId: undefined,
      pages: [
        session.domains?.[0] === undefined
          ? { id: `page-${id.slice(0, 8)}`, title: '', url: 'about:blank' }
          : { id: `page-${id.slice(0, 8)}`, title: '', url: `https://${session.domains[0]}/?q=1` },
      ],
      ...session,
      id,
    };
    this.sessions.set(id, added);
    return added;
  }

  /** Starts a batch of sessions; "completed" means that all of them were created. */
  addBatch(count: number, batch: Partial<AnchorBatch> = {}): AnchorBatch & { readonly members: AnchorSession[] } {
    const id = batch.id ?? randomUUID();
    const createdAt = batch.createdAt ?? new Date();
    const added: AnchorBatch = {
      status: 'completed',
      completedAt: createdAt,
      failedRequests: 0,
      undeletable: new Map(),
      ...batch,
      id,
      createdAt,
    };
    this.batches.set(id, added);
    const members = Array.from({ length: count }, () => this.add({ batchId: id, createdAt }));
    return Object.assign(added, { members });
  }

  /** The ids of the running sessions. */
  get running(): string[] {
    return [...this.sessions.values()].filter(({ status }) => isActive(status)).map(({ id }) => id);
  }

  #refuse(request: ProviderRequest): ProviderAnswer | undefined {
    const { method, path, query, headers, body } = request;
    if (![...this.keys.values()].includes(String(headers['anchor-api-key']))) return failure(401, 'Invalid API key');
    if (method !== 'PATCH' && (body !== '' || headers['content-type'] !== undefined))
      return failure(400, 'No body expected');
    const known = path === '/v1/sessions' ? sessionQuery : path === '/v1/batch-sessions' ? batchQuery : flatQuery;
    const unknown = [...query.keys()].find((key) => !known.has(key));
    return unknown === undefined ? undefined : failure(400, `Unknown query parameter: ${unknown}`);
  }

  #listed(): AnchorSession[] {
    if (Date.now() < this.#listsEmptyUntil) return [];
    return [...this.sessions.values()].filter(({ id }) => !this.unlisted.has(id));
  }

  #flatList({ headers }: ProviderRequest): ProviderAnswer {
    const own = this.#listed().filter(({ key }) => key === headers['anchor-api-key']);
    const items = own.map(({ id, status, tags, createdAt }) => ({
      session_id: id,
      status,
      tags,
      created_at: createdAt.toISOString(),
    }));
    return { status: 200, json: { data: { count: items.length, items } } };
  }

  #pagedList({ query }: ProviderRequest): ProviderAnswer {
    const limit = query.get('limit') ?? '10';
    if (!pageSizes.has(limit)) return failure(400, 'limit must be one of 10, 20, 50');
    const page = Number(query.get('page') ?? '1');
    if (!Number.isInteger(page) || page < 1) return failure(400, 'page must be a positive integer');
    const status = query.get('status');
    const found = this.#listed()
      .filter((session) => status === null || session.status === status)
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
    if (query.get('sort_order') === 'desc') found.reverse();
    const size = Number(limit);
    const sessions = found.slice((page - 1) * size, page * size).map((session) => this.#historyRow(session));
    const total_pages = Math.ceil(found.length / size);
    return { status: 200, json: { data: { sessions, total: found.length, page, total_pages } } };
  }

  #historyRow({ id, status, tags, createdAt, headless, key, domains }: AnchorSession): object {
    const name = [...this.keys].find(([, value]) => value === key)?.[0] ?? null;
    return {
      id,
      status,
      tags: tags.length === 0 ? null : tags,
      headless,
      recording: true,
      used_credits: isActive(status) ? this.usedCredits : '12.5',
      proxy_bytes: null,
      proxy_type: null,
      steps: null,
      duration: null,
      created_at: createdAt.toISOString(),
      user_configuration: { session: { proxy: { username: 'proxyuser', password: 'proxy-password-canary' } } },
      api_key_name: name,
      domains: domains.length === 0 ? null : domains,
    };
  }

  #get({ params }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined) return failure(404, 'Session not found');
    const { id, status, createdAt } = session;
    return {
      status: 200,
      json: {
        data: { session_id: id, status, created_at: createdAt.toISOString(), configuration: this.#configuration(id) },
      },
    };
  }

  #configuration(id: string): object {
    const proxy = { username: 'proxyuser', password: 'proxy-password-canary' };
    return this.singleUse.has(id) ? { session: { proxy, live_view: { one_time_url: true } } } : { session: { proxy } };
  }

  #screenshot({ params, headers }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined || !isActive(session.status))
      return { status: 404, json: { error: 'Session not found' } };
    if (!/image\/png|\*\/\*/.test(String(headers['accept']))) return { status: 406, json: { error: 'Not acceptable' } };
    return { status: 200, bytes: onePixel, headers: { 'content-type': 'image/png' } };
  }

  #recordings({ params }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined) return failure(404, 'Session not found');
    const names = isActive(session.status) ? [] : ['second', 'first'];
    const items = names.map((name) => ({
      id: name,
      file_link: `https://files.example/${session.id}/${name}.mp4?signature=canary`,
      suggested_file_name: `${name}.mp4`,
      is_primary: name === 'first',
      size: 1,
      duration: '1',
      created_at: session.createdAt.toISOString(),
    }));
    return { status: 200, json: { data: { count: items.length, items } } };
  }

  #end({ params, headers }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    // The document has no 404 here: 401 means a bad key or a bad id.
    if (session === undefined || !isActive(session.status) || session.key !== headers['anchor-api-key']) {
      return failure(401, 'Invalid API Key or browser session ID');
    }
    this.#stop(session);
    return { status: 200, json: { data: { status: 'success' } } };
  }

  #endAll({ headers }: ProviderRequest): ProviderAnswer {
    for (const session of this.sessions.values()) {
      if (session.key === headers['anchor-api-key'] && isActive(session.status)) this.#stop(session);
    }
    return { status: 200, json: { data: { status: 'success' } } };
  }

  #stop(session: AnchorSession): void {
    if (this.listsEmptyMs > 0) this.#listsEmptyUntil = Date.now() + this.listsEmptyMs;
    if (this.immortal.has(session.id)) return;
    if (this.endLagMs === 0) session.status = 'completed';
    else setTimeout(() => Object.assign(session, { status: 'completed' }), this.endLagMs);
  }

  #pages({ params }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined || !isActive(session.status)) return failure(404, 'Session not found');
    const json = session.pages.map((page) => ({
      ...page,
      frontend_url: `${this.url}/live/${session.id}/${page.id}?rt=a%2Bb%26c`,
    }));
    return { status: 200, json };
  }

  #live({ params }: ProviderRequest): ProviderAnswer {
    const session = this.sessions.get(params['id'] ?? '');
    if (session === undefined || !isActive(session.status)) return { status: 404, html: '<h1>Session not found</h1>' };
    const opened = params['page'] === 'first' ? this.singleUse.get(session.id) : undefined;
    if (opened !== undefined) this.singleUse.set(session.id, opened + 1);
    if ((opened ?? 0) > 0) return { status: 410, html: '<h1>This link was used</h1>' };
    return livePage(session.id, this.livePage);
  }

  #batchList({ query }: ProviderRequest): ProviderAnswer {
    const limit = Number(query.get('limit') ?? '20');
    const page = Number(query.get('page') ?? '1');
    if (!(limit >= 1 && limit <= 100)) return failure(400, 'limit must be between 1 and 100');
    const after = Date.parse(query.get('created_after') ?? '') || 0;
    const found = [...this.batches.values()].filter(({ createdAt }) => createdAt.getTime() > after);
    const total_pages = Math.ceil(found.length / limit);
    const pagination = {
      current_page: page,
      total_pages,
      total_records: found.length,
      has_next: page < total_pages,
      has_prev: page > 1,
    };
    const batches = found.slice((page - 1) * limit, page * limit).map((batch) => this.#batchRow(batch));
    return { status: 200, json: { data: { batches, pagination } } };
  }

  #membersOf(batch: AnchorBatch): AnchorSession[] {
    return [...this.sessions.values()].filter(({ batchId }) => batchId === batch.id);
  }

  #batchRow(batch: AnchorBatch): object {
    const { failedRequests } = batch;
    const total = this.#membersOf(batch).length + failedRequests;
    return {
      batch_id: batch.id,
      status: batch.status,
      total_requests: total,
      completed_requests: batch.status === 'completed' ? total - failedRequests : 0,
      failed_requests: failedRequests,
      created_at: batch.createdAt.toISOString(),
      actual_completion_time: batch.completedAt?.toISOString() ?? null,
    };
  }

  #batch({ params }: ProviderRequest): ProviderAnswer {
    const batch = this.batches.get(params['id'] ?? '');
    if (batch === undefined) return failure(404, 'Batch not found');
    const sessions = this.#membersOf(batch).map(({ id }, item_index) => ({
      item_index,
      session_id: id,
      status: 'completed',
      cdp_url: `wss://connect.anchorbrowser.io?apiKey=cdp-canary&sessionId=${id}`,
      live_view_url: `${this.url}/live/${id}/first`,
      completed_at: batch.createdAt.toISOString(),
    }));
    return { status: 200, json: { data: { ...this.#batchRow(batch), sessions } } };
  }

  #cancelBatch({ params, body }: ProviderRequest): ProviderAnswer {
    const batch = this.batches.get(params['id'] ?? '');
    if (batch === undefined) return failure(404, 'Batch not found');
    if (body !== '{"status":"cancelled"}') return failure(400, 'status must be "cancelled"');
    if (batch.status === 'completed' || batch.status === 'cancelled')
      return failure(409, `Batch is already ${batch.status}`);
    batch.status = 'cancelled';
    const running = this.#membersOf(batch).filter(({ status }) => isActive(status));
    for (const session of running) this.#stop(session);
    const data = {
      batch_id: batch.id,
      status: 'cancelled',
      cancelled_sessions: running.length,
      message: 'Batch cancelled',
    };
    return { status: 200, json: { data } };
  }

  async #deleteBatch({ params }: ProviderRequest): Promise<ProviderAnswer> {
    const batch = this.batches.get(params['id'] ?? '');
    if (batch === undefined) return failure(404, 'Batch not found');
    const members = this.#membersOf(batch);
    const errors: unknown[] = [];
    for (const session of members) {
      if (this.deletionMs > 0) await new Promise((resolve) => setTimeout(resolve, this.deletionMs / members.length));
      const error = batch.undeletable.get(session.id);
      if (error === undefined) this.sessions.delete(session.id);
      else errors.push({ session_id: session.id, error });
    }
    if (errors.length === 0) this.batches.delete(batch.id);
    const counts = { deleted_sessions: members.length - errors.length, failed_deletions: errors.length };
    const allErrors = [...this.oddErrors, ...errors];
    const data = {
      batch_id: batch.id,
      ...(this.countsDeletions ? counts : {}),
      ...(allErrors.length === 0 ? {} : { errors: allErrors }),
      message: errors.length === 0 ? 'Batch deleted' : 'Batch partly deleted',
    };
    return { status: 200, json: { data } };
  }
}

/** Starts a strict Anchor Browser on a free port. */
export async function startAnchor(tls?: ProviderTls): Promise<AnchorServer> {
  return new AnchorServer(tls).start();
}

function isActive(status: string): boolean {
  return status !== 'completed' && status !== 'failed';
}

function failure(code: number, message: string): ProviderAnswer {
  return { status: code, json: { error: { code, message } } };
}
