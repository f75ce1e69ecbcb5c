import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A proxy of ours that opens no tunnel: what it does instead of an answer is up to the test. */
export class SilentProxy {
  /** How many connections it has accepted. */
  connections = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  /** @param say is called when a request has arrived. */
  constructor(say: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.once('data', () => say(socket));
    });
  }

  /** How many connections are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** @returns its address. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
