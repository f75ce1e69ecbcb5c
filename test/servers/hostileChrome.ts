import { WebSocketServer } from 'ws';
import { ProviderServer } from './providerServer.ts';

/** A tab as Chrome reports it. */
export interface HostileTarget {
  readonly targetId: string;
  readonly type: string;
  readonly title: string;
  readonly url: string;
  readonly browserContextId?: string | undefined;
}

/** Listens at a DevTools port, and responds with whatever a test gives it. */
export class HostileChrome extends ProviderServer {
  contexts: unknown[] = [];
  /** The targets that it reports, each as JSON. */
  targets: readonly unknown[] = [];
  written: (target: unknown) => string = JSON.stringify;
  /** Replaces the response to a command with the text of a whole message. */
  say: (method: string, id: number) => string | undefined = () => undefined;
  /** The commands so far, by their names. */
  readonly commands: string[] = [];

  readonly #sockets: WebSocketServer;

  constructor() {
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    super({
      routes: {
        'GET /json/version': () => {
          const webSocketDebuggerUrl = `ws://127.0.0.1:${this.port}/devtools/browser/hostile`;
          return { status: 200, json: { Browser: 'Chrome/156.0.0.0', webSocketDebuggerUrl } };
        },
      },
      notFound: () => ({ status: 404 }),
      upgrade: (request, socket, head) =>
        sockets.handleUpgrade(request, socket, head, (opened) => {
          opened.on('error', () => {});
          opened.on('message', (data) => {
            const { id, method, params } = JSON.parse((data as Buffer).toString());
            this.commands.push(method);
            if (method === 'Target.setDiscoverTargets' && params.discover === true) {
              for (const target of this.targets) {
                opened.send(`{"method":"Target.targetCreated","params":{"targetInfo":${this.written(target)}}}`);
              }
            }
            opened.send(this.say(method, id) ?? JSON.stringify({ id, result: this.#answer(method) }));
          });
        }),
    });
    this.#sockets = sockets;
  }

  /** Sends an event to every client. */
  broadcast(method: string, params: object): void {
    for (const socket of this.#sockets.clients) socket.send(JSON.stringify({ method, params }));
  }

  #answer(method: string): object {
    switch (method) {
      case 'Target.getBrowserContexts':
        return { browserContextIds: this.contexts, defaultBrowserContextId: 'own' };
      default:
        return {};
    }
  }
}

/** A tab of a context. */
export function tabOf(browserContextId: string | undefined, targetId: string, more: object = {}): HostileTarget {
  return { targetId, type: 'page', title: targetId, url: 'https://example.com/', browserContextId, ...more };
}

/** Starts it on a free port. */
export async function startHostileChrome(): Promise<HostileChrome> {
  return new HostileChrome().start();
}
