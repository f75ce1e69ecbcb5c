import { randomUUID } from 'node:crypto';
import { type ProviderAnswer, type ProviderRequest, ProviderServer } from './providerServer.ts';

// The session gateway, GET|DELETE /api/browser-automation/sessions/[sessionId], as its own document tells, with the
// faults that were read in its source, each behind a switch.

/** A session as the server has it. A stopped one stays for a while. */
export interface GatewaySession {
  readonly id: string;
  status: string;
  /** Whether its end saves its state to a profile. */
  readonly persist: boolean;
  /** Fields that its document does not promise; undefined where this gateway does not tell them. */
  readonly createdAt: string | undefined;
  readonly profileName: string | undefined;
}

const collection = '/api/browser-automation/sessions';

/** A strict gateway. `sessions` is the truth that tests ask, not what the extension says. */
export class GatewayServer extends ProviderServer {
  /** What the Authorization header must be; the gateway itself asks for none. */
  readonly authorization = 'Bearer gateway-canary-0123';
  readonly sessions = new Map<string, GatewaySession>();
  /** The ids whose state was saved. */
  readonly saved: string[] = [];
  /** Lists no session whatever runs, because it reads a field that its provider does not send. */
  listsNothing = false;
  /** Sessions that it counts and does not list. */
  readonly hidden = new Set<string>();
  /** Rows that it lists besides, whatever they are. */
  readonly oddRows: unknown[] = [];
  /** Finds no session whatever runs, because it asks its provider at a path that there is not. */
  findsNothing = false;
  /** Tells of a session without any of its fields. */
  tellsNothing = false;
  /** Sessions that end by themselves between the gateway's looking for them and its ending them. */
  readonly vanishing = new Set<string>();
  /** Sessions that take an end and go on running. */
  readonly immortal = new Set<string>();

  constructor(basePath = '') {
    const at = basePath + collection;
    super({
      routes: {
        [`GET ${at}`]: () => this.#list(),
        [`GET ${at}/{id}`]: (request: ProviderRequest) => this.#get(request),
        [`DELETE ${at}/{id}`]: (request: ProviderRequest) => this.#end(request),
        'GET /live/{id}': ({ params }: ProviderRequest) => ({
          status: 200,
          html: `<p>Session ${params['id'] ?? ''}</p>`,
        }),
      },
      guard: (request) => (request.path.startsWith('/live/') ? undefined : this.#refuse(request)),
      notFound: () => ({ status: 404, html: '<!DOCTYPE html><h1>404: This page could not be found.</h1>' }),
    });
  }

  /** Starts a session, as a script elsewhere would. */
  add(session: Partial<GatewaySession> = {}): GatewaySession {
    const id = session.id ?? `sess_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
    const added = { status: 'running', persist: false, createdAt: undefined, profileName: undefined, ...session, id };
    this.sessions.set(id, added);
    return added;
  }

  /** Has a session end by itself, and gives its id to another one that begins later. */
  reuse(id: string, session: Partial<GatewaySession> = {}): GatewaySession {
    this.sessions.delete(id);
    return this.add({ createdAt: new Date().toISOString(), ...session, id });
  }

  /** The ids of the sessions that run. */
  get running(): string[] {
    return [...this.sessions.values()].filter(({ status }) => status !== 'stopped').map(({ id }) => id);
  }

  #refuse({ headers, body, query }: ProviderRequest): ProviderAnswer | undefined {
    if (headers['authorization'] !== this.authorization) return failure(401, 'Unauthorized');
    return body === '' && query.size === 0 ? undefined : failure(400, 'Invalid request');
  }

  #list(): ProviderAnswer {
    const all = this.listsNothing ? [] : [...this.sessions.values()];
    const shown = all.filter(({ id }) => !this.hidden.has(id)).map((session) => this.#row(session));
    const sessions = [...shown, ...this.oddRows];
    return { status: 200, json: { sessions, count: all.length + this.oddRows.length } };
  }

  #row({ id, status, createdAt, profileName }: GatewaySession): object {
    const cdpUrl = `wss://browser.anchorbrowser.io/${id}?apiKey=cdp-canary`;
    const liveViewUrl = `${this.url}/live/${encodeURIComponent(id)}`;
    return { id, cdpUrl, liveViewUrl, status, createdAt, profileName };
  }

  #find(id: string | undefined): GatewaySession | undefined {
    return this.findsNothing ? undefined : this.sessions.get(id ?? '');
  }

  #get({ params }: ProviderRequest): ProviderAnswer {
    const session = this.#find(params['id']);
    if (session === undefined) return failure(404, 'Session not found');
    return { status: 200, json: { session: this.tellsNothing ? {} : this.#row(session) } };
  }

  #end({ params }: ProviderRequest): ProviderAnswer {
    const session = this.#find(params['id']);
    if (session === undefined) return failure(404, 'Session not found');
    if (this.vanishing.has(session.id)) {
      this.sessions.delete(session.id);
      return failure(500, 'Failed to terminate session');
    }
    if (!this.immortal.has(session.id)) {
      if (session.persist) this.saved.push(session.id);
      this.sessions.delete(session.id);
    }
    return { status: 200, json: { success: true, message: 'Session terminated' } };
  }
}

/** Starts a strict gateway on a free port. */
export async function startGateway(basePath?: string): Promise<GatewayServer> {
  return new GatewayServer(basePath).start();
}

function failure(status: number, error: string): ProviderAnswer {
  return { status, json: { error } };
}
