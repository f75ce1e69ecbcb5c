import { type ProviderAnswer, type ProviderRequest, ProviderServer } from './providerServer.ts';
import { forward, passSocket } from './relay.ts';

// A load balancer in front of several servers at one address, as a Browserless cluster is commonly run
// (https://docs.browserless.io/enterprise/hosted-service/load-balancers: workers are balanced by least connections).

/** How the server for a request is chosen. The same `seed` makes the same choices. */
export type Balancing = 'roundRobin' | 'leastConnections' | { readonly seed: number };

/** What was passed on, and to which server, counted from 0. */
export interface Passed {
  readonly method: string;
  readonly path: string;
  readonly to: number;
}

/** A load balancer for HTTP and WebSockets. It responds with 404 itself while it has no server left. */
export class BalancerServer extends ProviderServer {
  /** Everything that was passed on, in order; WebSockets are `WS`. */
  readonly passed: Passed[] = [];
  /** Servers that no longer get requests. */
  readonly down = new Set<number>();
  /** Runs before a request is passed on. */
  onRequest: (method: string, path: string) => void = () => {};
  /** Connections to servers that aren't requests to this balancer but count as load, by server, such as those of browsers' clients. */
  readonly clients = new Map<number, number>();
  readonly #targets: readonly string[];
  readonly #balancing: Balancing;
  readonly #busy: number[];
  #turn = -1;
  #random: number;

  /** @param targets addresses of the servers, without paths. */
  constructor(targets: readonly string[], balancing: Balancing) {
    super({
      routes: {},
      notFound: (request) => this.#pass(request),
      upgrade: (request, socket, head) => this.#passSocket(request, socket, head),
    });
    this.#targets = targets;
    this.#balancing = balancing;
    this.#busy = targets.map(() => 0);
    this.#random = typeof balancing === 'object' ? balancing.seed : 0;
  }

  /** How many requests for a path each server got. */
  shares(path: RegExp): number[] {
    return this.#targets.map((_, index) => this.passed.filter((one) => one.to === index && path.test(one.path)).length);
  }

  async #pass(request: ProviderRequest): Promise<ProviderAnswer> {
    const to = this.#choose(request.method, request.path);
    if (to === undefined) return { status: 404, text: 'default backend - 404' };
    try {
      return await forward(this.#targets[to] ?? '', request);
    } catch {
      return { status: 502, html: '<h1>502 Bad Gateway</h1>' };
    } finally {
      this.#free(to);
    }
  }

  #passSocket(...[request, socket, head]: Parameters<ReturnType<typeof passSocket>>): void {
    const to = this.#choose('WS', new URL(request.url ?? '', 'http://balancer').pathname);
    if (to === undefined) return void socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    socket.once('close', () => this.#free(to));
    passSocket(this.#targets[to] ?? '')(request, socket, head);
  }

  #choose(method: string, path: string): number | undefined {
    this.onRequest(method, path);
    const up = this.#targets.map((_, index) => index).filter((index) => !this.down.has(index));
    if (up.length === 0) return undefined;
    const to = this.#next(up);
    this.passed.push({ method, path, to });
    this.#busy[to] = (this.#busy[to] ?? 0) + 1;
    return to;
  }

  #free(index: number): void {
    this.#busy[index] = (this.#busy[index] ?? 1) - 1;
  }

  #next(up: readonly number[]): number {
    const from = (index: number) => up[index % up.length] ?? 0;
    if (typeof this.#balancing === 'object') return from(Math.floor(this.#chance() * up.length));
    this.#turn += 1;
    if (this.#balancing === 'roundRobin') return from(this.#turn);
    // Servers with equal load take turns, as in nginx.
    const load = (index: number) => (this.#busy[index] ?? 0) + (this.clients.get(index) ?? 0);
    const least = Math.min(...up.map(load));
    const idle = up.filter((index) => load(index) === least);
    return idle[this.#turn % idle.length] ?? 0;
  }

  /** Numbers from 0 up to 1: mulberry32, so that a seed identifies a run. */
  #chance(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Starts a load balancer on a free port. */
export async function startBalancer(
  targets: readonly string[],
  balancing: Balancing = 'roundRobin',
): Promise<BalancerServer> {
  return new BalancerServer(targets, balancing).start();
}
