import { randomUUID } from 'node:crypto';
import { type ProviderAnswer, type ProviderRequest, ProviderServer } from './providerServer.ts';
import { passSocket } from './relay.ts';

// Browserless v1 according to its source at v1.61.1 (src/routes.ts, src/utils.ts): the token in the query or as the name of
// Basic authentication, 403 without it, a row for each page, 204 for any kill.

/** A browser on the server. */
export interface V1Browser {
  readonly id: string;
  readonly trackingId: string | null;
  readonly pages: readonly { readonly id: string; readonly title: string; readonly url: string }[];
  /** The DevTools address of a real browser behind it; undefined for none. */
  readonly devtools: string | undefined;
}

/** A strict Browserless v1. `browsers` is the truth that tests check, not what the extension reports. */
export class BrowserlessV1Server extends ProviderServer {
  /** Undefined for a server that was started without one. */
  token: string | undefined = 'v1-token-canary-0123';
  readonly browsers = new Map<string, V1Browser>();
  /** Routes that the server was started without; they return 404. */
  readonly disabled = new Set<'sessions' | 'pressure' | 'kill'>();
  /** Browsers that accept a kill but keep running. */
  readonly immortal = new Set<string>();
  maxConcurrent = 10;
  /** The addresses of the WebSockets that were requested. */
  readonly sockets: string[] = [];

  constructor() {
    super({
      routes: {
        'GET /sessions': () => (this.disabled.has('sessions') ? notFound() : this.#sessions()),
        'GET /kill/all': () => this.#kill(this.running),
        'GET /kill/{id}': ({ params }: ProviderRequest) => this.#kill([params['id'] ?? '']),
        'GET /pressure': () => (this.disabled.has('pressure') ? notFound() : this.#pressure()),
        'GET /json/version': () => ({
          status: 200,
          json: { Browser: 'HeadlessChrome/121.0.6167.57', webSocketDebuggerUrl: 'ws://0.0.0.0:3000' },
        }),
        // v1 has no such route: an authorized request gets a 404, and any other is rejected before that.
        'GET /meta': () => notFound(),
      },
      guard: (request) => this.#refuse(request),
      notFound,
      upgrade: (request, socket, head) => {
        const url = new URL(request.url ?? '', 'http://v1');
        this.sockets.push(request.url ?? '');
        const [, id = ''] = /^\/devtools\/browser\/([\w-]+)$/.exec(url.pathname) ?? [];
        const devtools = this.browsers.get(id)?.devtools;
        if (!this.#accepts(url.searchParams, request.headers.authorization)) {
          socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        } else if (devtools === undefined) socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
        else {
          const { origin, pathname } = new URL(devtools.replace(/^ws/, 'http'));
          request.url = pathname;
          passSocket(origin)(request, socket, head);
        }
      },
    });
  }

  /** Starts a browser, as a script elsewhere would. */
  add(browser: Partial<V1Browser> = {}): V1Browser {
    const id = browser.id ?? randomUUID();
    const page = { id: id.replaceAll('-', '').toUpperCase(), title: 'Example Domain', url: 'https://www.example.com' };
    const added = { trackingId: null, pages: [page], devtools: undefined, ...browser, id };
    this.browsers.set(id, added);
    return added;
  }

  /** The ids of the running browsers. */
  get running(): string[] {
    return [...this.browsers.keys()];
  }

  /** Responds with 204 whatever it was asked to kill. */
  #kill(ids: readonly string[]): ProviderAnswer {
    if (this.disabled.has('kill')) return notFound();
    for (const id of ids) if (!this.immortal.has(id)) this.browsers.delete(id);
    return { status: 204 };
  }

  #refuse({ query, headers }: ProviderRequest): ProviderAnswer | undefined {
    return this.#accepts(query, headers['authorization']) ? undefined : { status: 403, text: 'Unauthorized' };
  }

  #accepts(query: URLSearchParams, authorization: string | string[] | undefined): boolean {
    // The last word of the header is read as Base64 of "token:", so that a Bearer token is never the right one.
    const word =
      String(authorization ?? '')
        .split(' ')
        .at(-1) ?? '';
    const given = query.get('token') ?? Buffer.from(word, 'base64').toString().replace(/:$/, '');
    return this.token === undefined || given === this.token;
  }

  #sessions(): ProviderAnswer {
    const rows = [...this.browsers.values()].flatMap(({ id: browserId, trackingId, pages }) =>
      pages.map((page) => ({
        description: '',
        devtoolsFrontendUrl: `/devtools/inspector.html?ws=0.0.0.0:3000/devtools/page/${page.id}`,
        ...page,
        type: 'page',
        webSocketDebuggerUrl: `ws://0.0.0.0:3000/devtools/page/${page.id}?token=${this.token}`,
        port: '41685',
        browserId,
        trackingId,
        browserWSEndpoint: `ws://0.0.0.0:3000/devtools/browser/${browserId}?canary`,
      })),
    );
    return { status: 200, json: rows, headers: { 'set-cookie': `browserless_token=${this.token}; HttpOnly` } };
  }

  #pressure(): ProviderAnswer {
    const { maxConcurrent } = this;
    const running = this.browsers.size;
    const pressure = {
      date: Date.now(),
      reason: '',
      message: '',
      isAvailable: true,
      queued: 0,
      running,
      maxConcurrent,
    };
    return { status: 200, json: { pressure } };
  }
}

/** Starts a strict Browserless v1 on a free port. */
export async function startBrowserlessV1(): Promise<BrowserlessV1Server> {
  return new BrowserlessV1Server().start();
}

function notFound(): ProviderAnswer {
  return { status: 404, text: 'Not Found' };
}
