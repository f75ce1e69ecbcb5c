import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';

/** A proxy that passes nothing on, and records everything it receives: requests, tunnels, and SOCKS greetings alike. */
export class ForwardProxy {
  /** What reached it, as `METHOD target`, with the headers. */
  readonly seen: { readonly what: string; readonly headers: Readonly<Record<string, unknown>> }[] = [];
  /** How many connections were opened to it, whatever came over them. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor() {
    const note = ({ method, url, headers }: IncomingMessage) => this.seen.push({ what: `${method} ${url}`, headers });
    this.#server = createServer((request, response) => {
      note(request);
      response.writeHead(502).end();
    });
    this.#server.on('connect', (request, socket) => {
      note(request);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  /** `127.0.0.1:port`. */
  get host(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
