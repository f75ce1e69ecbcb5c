import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { readOwnFile } from './ownFile.ts';

const answerWithinMs = 1_000;
const longestAnswer = 10_000;
/** In bytes. */
const longestPortFile = 1_024;

/** Where a browser's DevTools listen, as the browser writes it to its profile. */
export interface DevtoolsPort {
  readonly port: number;
  /** `/devtools/browser/<id>`. The id is random and changes with each start of a browser. */
  readonly path: string;
}

/**
 * The port that a profile's browser has opened; undefined until it has. The file that contains it stays after a crash, so
 * check which browser answers at the port.
 */
export async function portOfProfile(profile: string): Promise<DevtoolsPort | undefined> {
  const text = await readOwnFile(join(profile, 'DevToolsActivePort'), longestPortFile);
  const [line = '', path = ''] = text?.split('\n') ?? [];
  const port = /^\d{1,5}$/.test(line) ? Number(line) : 0;
  return port > 0 && port <= 65_535 && path.startsWith('/') ? { port, path: path.trim() } : undefined;
}

/**
 * The path of the browser whose DevTools answer at a port of this machine; undefined if none does. Never goes through a
 * proxy.
 */
export function browserAt(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(answerWithinMs);
    // Node's own agent uses the environment's proxy if NODE_USE_ENV_PROXY is set.
    const options = { host: '127.0.0.1', port, path: '/json/version', signal, agent: new Agent() };
    const request = get(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > longestAnswer) request.destroy();
      });
      response.on('end', () => resolve(pathIn(text)));
      response.on('error', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}

function pathIn(answer: string): string | undefined {
  try {
    const { webSocketDebuggerUrl } = JSON.parse(answer);
    return URL.parse(String(webSocketDebuggerUrl))?.pathname;
  } catch {
    return undefined;
  }
}
