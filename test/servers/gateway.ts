import { randomUUID } from 'node:crypto';
import { type ProviderAnswer, type ProviderRequest, ProviderServer } from './providerServer.ts';

// The session gateway, GET|DELETE /api/browser-automation/sessions/[sessionId], according to its own document, with the
// bugs that its source contains, each behind a switch.

/** A session on the server. A stopped one stays for a while. */
export interface GatewaySession {
  readonly id: string;
  status: string;
  /** Whether ending it saves its state to a profile. */
  readonly persist: boolean;
  /** Fields that its document doesn't promise; undefined when this gateway doesn't return them. */
  readonly createdAt: string | undefined;
  readonly profileName: string | undefined;
  readonly currentUrl: string | undefined;
}

const collection = '/api/browser-automation/sessions';

/** A strict gateway. `sessions` is the truth that tests check, not what the extension reports. */
export class GatewayServer extends ProviderServer {
  /** The required Authorization header; the gateway itself requires none. */
  authorization = 'Bearer gateway-canary-0123';
  readonly sessions = new Map<string, GatewaySession>();
  /** The ids whose state was saved. */
  readonly saved: string[] = [];
  /** Lists no session whatever is running, because it reads a field that its provider doesn't send. */
  listsNothing = false;
  /** Sessions that it counts but doesn't list. */
  readonly hidden = new Set<string>();
  /** Additional rows in its list, whatever they are. */
  readonly oddRows: unknown[] = [];
  /** Finds no session whatever is running, because it calls its provider at a path that doesn't exist. */
  findsNothing = false;
  /** Returns a session without any of its fields. */
  tellsNothing = false;
  /** Sessions that end by themselves between the gateway's lookup and its end request. */
  readonly vanishing = new Set<string>();
  /** Sessions that accept an end but keep running. */
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
    const unpromised = { createdAt: undefined, profileName: undefined, currentUrl: undefined };
    const added = { status: 'running', persist: false, ...unpromised, ...session, id };
    this.sessions.set(id, added);
    return added;
  }

  /** Ends a session as if by itself, and gives its id to another one that starts later. */
  reuse(id: string, session: Partial<GatewaySession> = {}): GatewaySession {
    this.sessions.delete(id);
    return this.add({ createdAt: new Date().toISOString(), ...session, id });
  }

  /** The ids of the running sessions. */
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

  #row({ id, status, createdAt, profileName, currentUrl }: GatewaySession): object {
    const cdpUrl = `wss://browser.anchorbrowser.io/${id}?apiKey=cdp-canary`;
    const liveViewUrl = `${this.url}/live/${encodeURIComponent(id)}`;
    return { id, cdpUrl, liveViewUrl, status, createdAt, profileName, currentUrl };
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
