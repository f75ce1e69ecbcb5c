import type { BrowserbaseServer, BrowserbaseSession } from './browserbase.ts';
import { type ProviderAnswer, type ProviderRequest, ProviderServer } from './providerServer.ts';

// Stagehand's API according to its OpenAPI document (3.1.0) and its open-source server (browserbase/stagehand,
// packages/server-v3). It serves one region, and knows only the sessions that were started through it.

/** A strict Stagehand in front of a strict Browserbase. */
export class StagehandServer extends ProviderServer {
  /** The sessions that were started through this API and not ended through it. */
  readonly known = new Set<string>();
  /**
   * Reports success for an end but releases nothing, as the open-source server does for a session that was only started
   * and never used (src/lib/InMemorySessionStore.ts closes only what was initialized).
   */
  releasesNothing = false;
  readonly #browserbase: BrowserbaseServer;
  readonly #region: string;

  constructor(browserbase: BrowserbaseServer, region = 'us-west-2') {
    super({
      routes: { 'POST /v1/sessions/{id}/end': (request: ProviderRequest) => this.#end(request) },
      guard: ({ headers }) => (headers['x-bb-api-key'] === browserbase.key ? undefined : failure(401, 'Unauthorized')),
      notFound: () => failure(404, 'Route not found'),
    });
    this.#browserbase = browserbase;
    this.#region = region;
  }

  /** Starts a session as Stagehand does: at Browserbase, with its own marker. */
  startSession(id: string, session: Partial<BrowserbaseSession> = {}): void {
    this.#browserbase.add({ region: this.#region, userMetadata: { stagehand: 'true' }, ...session, id });
    this.known.add(id);
  }

  #end({ params, body, headers }: ProviderRequest): ProviderAnswer {
    if (body !== '' && body !== '{}') return failure(400, 'Request body must be empty');
    const stream = headers['x-stream-response'];
    if (stream !== undefined && stream !== 'true' && stream !== 'false') return failure(400, 'x-stream-response');
    const session = this.#browserbase.sessions.get(params['id'] ?? '');
    if (session === undefined || !this.known.has(session.id)) return failure(404, 'Session not found');
    if (session.region !== this.#region) {
      return failure(400, `Session is in region ${session.region} but this API instance serves ${this.#region}`);
    }
    this.known.delete(session.id);
    // It leaves sessions with keep-alive to their owner (core/lib/v3/v3.ts).
    if (!this.releasesNothing && !session.keepAlive) this.#browserbase.release(session);
    return { status: 200, json: { success: true } };
  }
}

/** Starts a strict Stagehand on a free port. */
export async function startStagehand(browserbase: BrowserbaseServer, region?: string): Promise<StagehandServer> {
  return new StagehandServer(browserbase, region).start();
}

function failure(status: number, message: string): ProviderAnswer {
  return { status, json: { success: false, message } };
}
