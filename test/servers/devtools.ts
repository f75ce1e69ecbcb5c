import { once } from 'node:events';
import WebSocket from 'ws';

// A second, independent client of a browser's DevTools: it does what a script elsewhere does, and reads the truth that
// tests check.

/** The tests' own connection to a browser. */
export class Devtools {
  readonly #socket: WebSocket;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  static async open(endpoint: string): Promise<Devtools> {
    const version = (await (await fetch(`${endpoint}/json/version`)).json()) as { webSocketDebuggerUrl: string };
    return Devtools.connect(version.webSocketDebuggerUrl);
  }

  /** Connects to a browser at its WebSocket address. Some servers start one for each connection. */
  static async connect(address: string): Promise<Devtools> {
    const socket = new WebSocket(address);
    await once(socket, 'open');
    return new Devtools(socket);
  }

  close(): void {
    this.#socket.close();
  }

  /**
   * Sends a command and returns its result.
   * @param sessionId of the attached target that it is for.
   */
  send<Result>(method: string, params: object = {}, sessionId?: string): Promise<Result> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const listen = (data: Buffer) => {
        const message = JSON.parse(data.toString('utf8'));
        if (message.id !== id) return;
        this.#socket.off('message', listen);
        if (message.error === undefined) resolve(message.result);
        else reject(new Error(message.error.message));
      };
      this.#socket.on('message', listen);
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  /** Opens an isolated context with a page in it, and returns its id. */
  async openContext(...urls: readonly string[]): Promise<string> {
    const { browserContextId } = await this.send<{ browserContextId: string }>('Target.createBrowserContext');
    for (const url of urls) await this.send('Target.createTarget', { url, browserContextId });
    return browserContextId;
  }

  /** The ids of the existing isolated contexts. */
  async contexts(): Promise<string[]> {
    return (await this.send<{ browserContextIds: string[] }>('Target.getBrowserContexts')).browserContextIds;
  }

  /** The addresses of the pages in the context that existed from the start. */
  async defaultPages(): Promise<string[]> {
    const isolated = new Set(await this.contexts());
    const { targetInfos } = await this.send<{ targetInfos: { type: string; url: string; browserContextId: string }[] }>(
      'Target.getTargets',
    );
    return targetInfos
      .filter(({ type, browserContextId }) => type === 'page' && !isolated.has(browserContextId))
      .map(({ url }) => url);
  }
}
