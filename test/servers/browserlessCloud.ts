import { randomUUID } from 'node:crypto';
import { type ProviderAnswer, type ProviderRequest, ProviderServer } from './providerServer.ts';

// Browserless's shared cloud according to its OpenAPI document (2.49.0), its pages and its own MCP server (1.22.1). It
// has no /sessions; the account API lists, and reports errors with HTTP 200. Region and account API are one server
// here.

/** A browser on the server. */
export interface CloudBrowser {
  readonly id: string;
  readonly startTime: string;
  readonly browserName: string;
  /** Where it is running: another region than this one lists it, but can't end it. */
  readonly here: boolean;
}

const mostRows = 50;

/** A strict Browserless cloud. `browsers` is the truth that tests check, not what the extension reports. */
export class BrowserlessCloudServer extends ProviderServer {
  readonly token = 'cloud-token-canary-0123';
  /** Whether requests about a browser may have the token in a header, which isn't documented for each of them. */
  takesHeader = true;
  /** Whether it refuses requests about a browser, whatever the token is. */
  forbids = false;
  readonly browsers = new Map<string, CloudBrowser>();
  /** Bodies of the requests for a live view. */
  readonly liveRequests: unknown[] = [];
  /** How many requests there were to kill everything in a cloud that others use too. */
  killsOfAll = 0;
  /** The number of sessions that it reports, which isn't documented; undefined for the true one. */
  count: number | undefined;
  /** The links that can be opened, and the browser of each. */
  readonly links = new Map<string, string>();

  constructor() {
    super({
      routes: {
        'GET /meta': () => ({ status: 200, json: { version: '2.49.0' } }),
        'DELETE /browser/{id}': (request: ProviderRequest) => this.#end(request),
        'POST /browser/{id}/live': (request: ProviderRequest) => this.#liveUrl(request),
        'DELETE /browser/{id}/live/{link}': (request: ProviderRequest) => this.#closeLink(request),
        'POST /graphql': (request: ProviderRequest) => this.#query(request),
        'GET /kill/all': () => {
          this.killsOfAll += 1;
          return { status: 204 };
        },
        'GET /live/index.html': ({ query }: ProviderRequest) =>
          this.links.has(query.get('i') ?? '')
            ? { status: 200, html: '<!DOCTYPE html><title>Live</title><p>View only</p>' }
            : { status: 404, html: '<h1>Not found</h1>' },
      },
      guard: (request) => this.#refuse(request),
      notFound: () => ({ status: 404, text: 'Not Found' }),
    });
  }

  /** Starts a browser, as a script elsewhere would. */
  add(browser: Partial<CloudBrowser> = {}): CloudBrowser {
    const id = browser.id ?? randomUUID();
    const added = { startTime: new Date().toISOString(), browserName: 'chromium', here: true, ...browser, id };
    this.browsers.set(id, added);
    return added;
  }

  #refuse({ path, query, headers }: ProviderRequest): ProviderAnswer | undefined {
    // The account API takes its token in the body, and the page of a live view needs none.
    if (path === '/graphql' || path.startsWith('/live/')) return undefined;
    const [, scheme, sent = ''] = /^(\w+) (.*)$/.exec(String(headers['authorization'] ?? '')) ?? [];
    const inHeader = scheme === 'Basic' ? Buffer.from(sent, 'base64').toString().replace(/:$/, '') : sent;
    if (path.startsWith('/browser/') && this.forbids) return { status: 403, text: 'Not included in your plan.' };
    const given = query.get('token') ?? (this.takesHeader || !path.startsWith('/browser/') ? inHeader : '');
    return given === this.token ? undefined : { status: 401, text: 'Bad or missing authentication.' };
  }

  #end({ params, body }: ProviderRequest): ProviderAnswer {
    const browser = this.browsers.get(params['id'] ?? '');
    if (body !== '') return { status: 400, text: 'No body expected' };
    if (browser === undefined || !browser.here) return { status: 404, text: "Resource couldn't be found." };
    this.browsers.delete(browser.id);
    return { status: 204 };
  }

  #liveUrl({ params, body }: ProviderRequest): ProviderAnswer {
    const id = params['id'] ?? '';
    if (this.browsers.get(id)?.here !== true) return { status: 404, text: "Resource couldn't be found." };
    const options = JSON.parse(body === '' ? '{}' : body);
    this.liveRequests.push(options);
    const liveURLId = randomUUID();
    this.links.set(liveURLId, id);
    return { status: 200, json: { liveURL: `${this.url}/live/index.html?i=${liveURLId}&t=600000`, liveURLId } };
  }

  #closeLink({ params }: ProviderRequest): ProviderAnswer {
    const { id = '', link = '' } = params;
    if (this.links.get(link) !== id) return { status: 404, text: "Resource couldn't be found." };
    this.links.delete(link);
    return { status: 204 };
  }

  #query({ headers, body }: ProviderRequest): ProviderAnswer {
    if (headers['content-type'] !== 'application/json') return { status: 400, text: 'JSON expected' };
    const { query, variables } = JSON.parse(body);
    if (!String(query).includes('getActiveSession(')) return refused(`Cannot query field`);
    if (variables.apiToken !== this.token) return refused('Invalid API token');
    const { limit, skip } = variables;
    if (!(limit >= 1 && limit <= mostRows)) return refused('limit must not be greater than 50');
    const all = [...this.browsers.values()];
    const sessions = all.slice(skip, skip + limit).map(({ id, startTime, browserName }) => {
      return { browserId: id, startTime, browserName, type: null };
    });
    return { status: 200, json: { data: { getActiveSession: { sessions, count: this.count ?? all.length } } } };
  }
}

/** Starts a strict Browserless cloud on a free port. */
export async function startBrowserlessCloud(): Promise<BrowserlessCloudServer> {
  return new BrowserlessCloudServer().start();
}

function refused(message: string): ProviderAnswer {
  return { status: 200, json: { errors: [{ message }], data: { getActiveSession: null } } };
}
