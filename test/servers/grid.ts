import { ProviderServer } from './providerServer.ts';

/** The server of the example extension's provider. `browsers` is the truth that tests check. */
export class GridServer extends ProviderServer {
  readonly token = 'grid-token-canary-0123';
  /** The name of each browser, by its id. */
  readonly browsers = new Map<string, string>();

  constructor() {
    const unknown = { status: 404, json: { error: 'no such browser' } };
    super({
      routes: {
        'GET /v1/account': () => ({ status: 200, json: { user: 'ada', limit: 9 } }),
        'GET /v1/browsers': () => {
          const started = '2026-01-02T03:04:05Z';
          const all = [...this.browsers].map(([id, name]) => ({ id, name, state: 'busy', started, owner: 'ada' }));
          return { status: 200, json: { browsers: all } };
        },
        'GET /v1/browsers/{id}': ({ params }) =>
          this.browsers.has(params['id'] ?? '') ? { status: 200, json: {} } : unknown,
        'DELETE /v1/browsers/{id}': ({ params }) =>
          this.browsers.delete(params['id'] ?? '') ? { status: 202 } : unknown,
      },
      guard: ({ headers }) => (headers['authorization'] === `Bearer ${this.token}` ? undefined : { status: 401 }),
      notFound: () => ({ status: 404 }),
    });
  }
}

/** Starts the server on a free port. */
export async function startGrid(): Promise<GridServer> {
  return new GridServer().start();
}
