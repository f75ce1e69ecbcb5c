import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryIn } from '../../local/environment.ts';
import { OwnFolders } from '../../local/ownFolders.ts';
import { flagOf, type LocalProcess } from '../../local/processes.ts';
import { compactMap, type LocalTool, pidIn, type ToolSession, writerOf } from './localTool.ts';

// The command line of chrome-devtools-mcp (https://github.com/ChromeDevTools/chrome-devtools-mcp), seen with 1.11.0. Its
// background process has a folder of its own with `daemon.pid` and `server.sock`. Its answers don't say whether it has a
// browser, and asking for the pages starts one: it has one where a browser is among its child processes. `stop` is
// acknowledged at once, and ends the browser in 70 ms, or in 5 s where that is frozen.

const longestPid = 32;
const stopWithinMs = 6_000;

/** With one of these it controls a browser that something else started. */
const attaching = ['--browser-url', '--browserUrl', '--ws-endpoint', '--wsEndpoint', '--auto-connect', '--autoConnect'];

/** Reads the sessions of `chrome-devtools`. @param env the environment, which says where it keeps its files. */
export function chromeDevtools(env: NodeJS.ProcessEnv): LocalTool {
  const files = new OwnFolders((name) => name === 'daemon.pid', longestPid, pidIn);
  return {
    async sessions(on) {
      const homes = await homesIn(env);
      const read = await files.read([...homes.keys()]);
      return compactMap(homes, on, ([home, name]): ToolSession | undefined => {
        const [file] = read.get(home) ?? [];
        const daemon = file && writerOf(file.content, file.writtenAt, on, isDaemon);
        if (daemon === undefined) return undefined;
        return {
          tool: 'chrome-devtools',
          name,
          workspace: undefined,
          daemon,
          browser: attaching.some((flag) => flagOf(daemon, flag) !== undefined) ? 'foreign' : 'own',
          drives: undefined,
          stop: {
            question: {
              path: join(home, 'server.sock'),
              message: { method: 'stop' },
              end: '\0',
              withinMs: stopWithinMs,
            },
            graceMs: stopWithinMs,
          },
        };
      });
    },
  };
}

function isDaemon({ args }: LocalProcess): boolean {
  return args.some((arg) => /[/\\]daemon[/\\]daemon\.js$/.test(arg));
}

/** The folders of its background processes, and the name of the session that each has. */
async function homesIn(env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, string>> {
  const runtime = env['XDG_RUNTIME_DIR'];
  const user = process.getuid?.();
  // Without a runtime folder it uses `/tmp`, whatever TMPDIR says.
  const shared = process.platform === 'win32' ? temporaryIn(env) : '/tmp';
  const places = [
    ...(runtime === undefined || runtime === '' ? [] : [[runtime, ''] as const]),
    [shared, user === undefined ? '' : `-${user}`] as const,
  ];
  const homes = new Map<string, string>();
  for (const [folder, suffix] of places) {
    const pattern = new RegExp(`^chrome-devtools-mcp(?:-([a-fA-F0-9-]+))?${suffix}$`);
    for (const entry of await readdir(folder).catch(() => [])) {
      const match = pattern.exec(entry);
      if (match !== null) homes.set(join(folder, entry), match[1] ?? 'default');
    }
  }
  return homes;
}
