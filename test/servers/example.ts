import { ProviderServer } from './providerServer.ts';

const perPage = 25;

/** The server of a made-up provider. `rooms` is the truth that tests check. */
export class ExampleServer extends ProviderServer {
  readonly doorKey = 'door-key-canary-0123';
  /** The state of each room. */
  readonly rooms = new Map<string, string>();

  constructor() {
    super({
      routes: {
        'GET /rooms': ({ query }) => {
          const page = Number(query.get('page'));
          const all = [...this.rooms].map(([room, state]) => ({ room, state, title: `Room ${room}` }));
          const next = page * perPage < all.length ? page + 1 : null;
          return { status: 200, json: { rooms: all.slice((page - 1) * perPage, page * perPage), next } };
        },
        'DELETE /rooms': () => {
          this.rooms.clear();
          return { status: 204 };
        },
        'DELETE /rooms/{id}': ({ params }) =>
          this.rooms.delete(params['id'] ?? '') ? { status: 204 } : { status: 404, text: 'No such room' },
        'POST /rooms/{id}/window': ({ params }) => {
          return { status: 200, json: { href: `${this.url}/window/${params['id'] ?? ''}` } };
        },
      },
      guard: ({ headers }) => (headers['door-key'] === this.doorKey ? undefined : { status: 401 }),
      notFound: () => ({ status: 404 }),
    });
  }

  /** Lights rooms, and returns their names. */
  light(count: number): string[] {
    const names = Array.from({ length: count }, (_, index) => `r${this.rooms.size + index + 1}`);
    for (const name of names) this.rooms.set(name, 'lit');
    return names;
  }
}

/** Starts the server on a free port. */
export async function startExample(): Promise<ExampleServer> {
  return new ExampleServer().start();
}
