import { join } from 'node:path';
import * as v from 'valibot';
import type { Clock } from '../../core/clock.ts';
import { hasTooManyValues } from '../../core/messageSize.ts';
import type { Screenshot } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { Turns } from '../../core/turns.ts';
import { askSocket } from '../../local/askSocket.ts';
import { temporaryIn } from '../../local/environment.ts';
import { namesIn } from '../../local/namesIn.ts';
import { isOwnFolder } from '../../local/ownFile.ts';
import { OwnFolders } from '../../local/ownFolders.ts';
import { flagOf, type LocalProcess } from '../../local/processes.ts';
import { compactMap, type LocalTool, pidIn, type ToolSession, writerOf } from './localTool.ts';

// The command line of chrome-devtools-mcp (https://github.com/ChromeDevTools/chrome-devtools-mcp), as seen with
// 1.11.0. Its background process has a folder of its own with `daemon.pid` and `server.sock`. Its answers don't say whether it
// has a browser, and asking for the pages starts one, so we look for a browser among its child processes instead. `stop` is
// acknowledged at once, and ends the browser in 70 ms, or in 5 s if the browser is frozen.

const longestPid = 32;
const stopWithinMs = 6_000;
const screenshotWithinMs = 10_000;
const longestScreenshot = 32 * 2 ** 20;

const Pages = v.object({
  structuredContent: v.object({
    pages: v.array(v.object({ id: v.number(), selected: v.fallback(v.boolean(), false) })),
  }),
});
const Picture = v.object({
  content: v.array(
    v.object({
      type: v.string(),
      data: v.optional(v.string()),
      mimeType: v.fallback(v.optional(v.picklist(['image/png', 'image/jpeg'])), undefined),
    }),
  ),
});

/** The most folders that are looked at, and the most that are read: on Linux, anyone can create folders with such names. */
const mostNames = 10_000;
const mostHomes = 200;

/** With one of these flags, it controls a browser that something else started. */
const attaching = ['--browser-url', '--browserUrl', '--ws-endpoint', '--wsEndpoint', '--auto-connect', '--autoConnect'];

/** Reads the sessions of `chrome-devtools`. @param env the environment, which says where it keeps its files. */
export function chromeDevtools(env: NodeJS.ProcessEnv): LocalTool {
  const files = new OwnFolders((name) => name === 'daemon.pid', longestPid, pidIn);
  return {
    async sessions(machine) {
      const homes = await homesIn(env);
      const read = await files.read([...homes.keys()]);
      return compactMap(homes, machine, ([home, name]): ToolSession | undefined => {
        const [file] = read.get(home) ?? [];
        const daemon = file && writerOf(file.content, file.writtenAt, machine, isDaemon);
        if (daemon === undefined) return undefined;
        return {
          tool: 'chrome-devtools',
          name,
          workspace: undefined,
          daemon,
          browser: attaching.some((flag) => flagOf(daemon, flag) !== undefined) ? 'foreign' : 'own',
          drives: undefined,
          screenshot: (clock, signal) => screenshotFrom(join(home, 'server.sock'), clock, signal),
          stop: {
            request: {
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

/** The folders of its background processes, and the session name of each. */
async function homesIn(env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, string>> {
  const runtime = env['XDG_RUNTIME_DIR'];
  const user = process.getuid?.();
  // Without a runtime folder, it uses `/tmp`, whatever TMPDIR says.
  const shared = process.platform === 'win32' ? temporaryIn(env) : '/tmp';
  const places = [
    ...(runtime === undefined || runtime === '' ? [] : [[runtime, ''] as const]),
    [shared, user === undefined ? '' : `-${user}`] as const,
  ];
  const homes = new Map<string, string>();
  for (const [folder, suffix] of places) {
    const pattern = new RegExp(`^chrome-devtools-mcp(?:-([a-fA-F0-9-]+))?${suffix}$`);
    const turns = new Turns();
    let matching = 0;
    for await (const name of namesIn(folder)) {
      if (!pattern.test(name)) continue;
      if (++matching > mostNames || homes.size >= mostHomes) break;
      if (turns.isOver) await turns.pass();
      const home = join(folder, name);
      if (isOwnFolder(home)) homes.set(home, pattern.exec(name)?.[1] ?? 'default');
    }
  }
  return homes;
}

/**
 * Takes a screenshot of the selected page. @throws ProviderError `notFound` if there is no page, `unexpectedAnswer`.
 */
async function screenshotFrom(path: string, clock: Clock, signal: AbortSignal): Promise<Screenshot> {
  const invoke = async <T>(tool: string, args: object, schema: v.GenericSchema<unknown, T>): Promise<T> => {
    const message = { method: 'invoke_tool', tool, args };
    const limits = { withinMs: screenshotWithinMs, mostBytes: longestScreenshot };
    const answer = await askSocket({ path, message, end: '\0', ...limits }, clock, signal);
    if (answer.kind === 'answered' && hasTooManyValues(Buffer.from(answer.text)))
      throw new ProviderError({ kind: 'unexpectedAnswer', what: 'its answer is too large' }, `too large: ${tool}`);
    const Answer = v.object({ success: v.literal(true), result: v.pipe(v.string(), v.parseJson(), schema) });
    const read = v.safeParse(v.pipe(v.string(), v.parseJson(), Answer), answer.kind === 'answered' ? answer.text : '');
    if (read.success) return read.output.result;
    throw new ProviderError(
      { kind: 'unexpectedAnswer', what: "it didn't take a screenshot" },
      `no valid answer to ${tool}`,
    );
  };
  const { pages } = (await invoke('list_pages', {}, Pages)).structuredContent;
  const page = pages.find(({ selected }) => selected) ?? pages.at(-1);
  if (page === undefined) throw new ProviderError({ kind: 'notFound' }, 'it has no page');
  const { content } = await invoke('take_screenshot', { pageId: page.id }, Picture);
  const picture = content.find(({ type, data }) => type === 'image' && data !== undefined);
  const { data, mimeType } = picture ?? {};
  if (data === undefined || mimeType === undefined)
    throw new ProviderError(
      { kind: 'unexpectedAnswer', what: "it didn't take a screenshot" },
      'there is no image in its answer',
    );
  return { bytes: Buffer.from(data, 'base64'), type: mimeType };
}
