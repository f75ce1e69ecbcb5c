import WebSocket, { WebSocketServer } from 'ws';
import type { ProviderServer } from './providerServer.ts';
import { startRelay } from './relay.ts';

/** One message of the Chrome DevTools Protocol, in either direction. */
export interface CdpMessage {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly sessionId?: string;
}

/** Relays messages between a client and a real DevTools endpoint, reads them, and can be made to misbehave. */
export interface CdpRelay {
  readonly server: ProviderServer;
  readonly url: string;
  /** The commands that clients have sent, in order, with their times. */
  readonly commands: (CdpMessage & { readonly at: number })[];
  /** The paths at which sockets were opened, below the relay's own address. */
  readonly addresses: string[];
  /** How many client sockets are open. */
  readonly sockets: number;
  /** Sees each event of the browser before the client does, and may replace it. */
  onEvent: ((message: CdpMessage) => CdpMessage) | undefined;
  /** The same for each response to a command. */
  onAnswer: ((result: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>) | undefined;
  /** Sees each command of a client, and each message of the browser as it arrived. */
  onPass: (command: CdpMessage | undefined, text: string) => void;
  /** What happens to the next command of a name: it is rejected, or delayed by this many milliseconds. */
  readonly next: Map<string, 'refused' | number>;
  /** How many milliseconds each message is delayed, in either direction. */
  lagMs: number;
  /** Passes nothing on any longer, in either direction, and closes nothing. */
  stalled: boolean;
  /** Closes every client's socket. */
  cut(): void;
  stop(): Promise<void>;
}

/** The path of the DevTools of a browser that has no ID of its own, as Chrome on Android. */
export const pathWithoutId = '/devtools/browser';

/**
 * @param target address of the real endpoint, such as `http://127.0.0.1:9222`.
 * @param pathFor the path of its DevTools that it names, instead of its own one.
 */
export async function startCdpRelay(target: string, pathFor?: (own: string) => string): Promise<CdpRelay> {
  const ownPath = pathFor === undefined ? '' : await pathOf(target);
  const named = pathFor?.(ownPath);
  const change = (text: string) => (named === undefined ? text : text.replaceAll(ownPath, named));
  const clients = new Set<WebSocket>();
  const acceptor = new WebSocketServer({ noServer: true });
  const server = await startRelay(
    target,
    (request, socket, head) => {
      acceptor.handleUpgrade(request, socket, head, (client) => {
        clients.add(client);
        relay.addresses.push(request.url ?? '');
        const { authorization } = request.headers;
        const headers = authorization === undefined ? {} : { authorization };
        const path = request.url === named ? ownPath : request.url;
        const onward = new WebSocket(target.replace('http', 'ws') + path, { headers, perMessageDeflate: false });
        const early: string[] = [];
        onward.on('open', () => {
          for (const text of early.splice(0)) onward.send(text);
        });
        client.on('message', (data: Buffer) => {
          const text = data.toString('utf8');
          const command = JSON.parse(text);
          relay.commands.push({ ...command, at: performance.now() });
          relay.onPass(command, text);
          if (relay.stalled) return;
          const fault = relay.next.get(command.method);
          relay.next.delete(command.method);
          if (fault === 'refused') {
            late(() =>
              client.send(JSON.stringify({ id: command.id, error: { code: -32000, message: 'Not allowed' } })),
            );
            return;
          }
          late(() => {
            if (onward.readyState === WebSocket.CONNECTING) early.push(text);
            else onward.send(text);
          }, fault);
        });
        onward.on('message', (data: Buffer) => {
          if (relay.stalled) return;
          const text = data.toString('utf8');
          relay.onPass(undefined, text);
          const isEvent = relay.onEvent !== undefined && /"method":/.test(text.slice(0, 200));
          const passed = isEvent ? JSON.stringify(relay.onEvent?.(JSON.parse(text))) : answered(text);
          late(() => client.send(passed));
        });
        client.on('close', () => {
          clients.delete(client);
          late(() => onward.close());
        });
        onward.on('close', () => late(() => client.close()));
        onward.on('error', () => client.terminate());
        client.on('error', () => onward.terminate());
      });
    },
    change,
  );
  const late = (pass: () => void, more = 0) => {
    const ms = relay.lagMs + more;
    if (ms === 0) pass();
    else setTimeout(pass, ms);
  };
  const answered = (text: string) => {
    const { onAnswer } = relay;
    const answer = onAnswer === undefined ? {} : JSON.parse(text);
    return onAnswer === undefined || !answer.result
      ? text
      : JSON.stringify({ ...answer, result: onAnswer(answer.result) });
  };
  const relay: CdpRelay = {
    server,
    url: server.url,
    commands: [],
    addresses: [],
    get sockets() {
      return clients.size;
    },
    onEvent: undefined,
    onAnswer: undefined,
    onPass: () => {},
    next: new Map(),
    lagMs: 0,
    stalled: false,
    cut() {
      for (const client of clients) client.terminate();
    },
    async stop() {
      for (const client of clients) client.terminate();
      await server.stop();
    },
  };
  return relay;
}

/** The path of a browser's own DevTools. */
async function pathOf(target: string): Promise<string> {
  const answer = await fetch(`${target}/json/version`);
  const { webSocketDebuggerUrl } = (await answer.json()) as { webSocketDebuggerUrl: string };
  return new URL(webSocketDebuggerUrl).pathname;
}
