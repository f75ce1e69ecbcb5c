import { join } from 'node:path';
import * as v from 'valibot';
import { idFault, sessionId } from '../../core/ids.ts';
import { askSocket, type SocketRequest } from '../../local/askSocket.ts';
import { temporaryIn } from '../../local/environment.ts';
import { OwnFolders } from '../../local/ownFolders.ts';
import type { LocalProcess } from '../../local/processes.ts';
import { compactMap, type LocalTool, type MachineView, pidIn, type ToolSession, writerOf } from './localTool.ts';

// The command line of Stagehand (npm `browse`), as seen with 0.9.3. Each session has `<session>.pid` and `<session>.sock` in one
// folder. `status` has no effect on the session and starts nothing. `stop` is acknowledged at once, and ends the browser in
// 20 ms, or in 30 s if the browser is frozen. Either way, the socket is gone at once.

const longestPid = 32;
const stopWithinMs = 5_000;
const statusWithinMs = 1_000;

const modes = ['managed-local', 'cdp', 'auto-connect', 'remote'] as const;
const Status = v.object({
  type: v.literal('success'),
  data: v.object({
    pid: v.number(),
    session: v.pipe(v.string(), v.maxLength(256)),
    mode: v.picklist(modes),
    browserbaseSessionId: v.fallback(v.optional(v.string()), undefined),
  }),
});
type Answer = v.InferOutput<typeof Status>['data'];

/** Reads the sessions of `browse`. @param env the environment, which says where it keeps its files. */
export function browse(env: NodeJS.ProcessEnv): LocalTool {
  const user = process.getuid?.();
  const folder =
    env['BROWSE_DAEMON_DIR'] ?? join(temporaryIn(env), user === undefined ? 'browse-driver' : `browse-driver-${user}`);
  const files = new OwnFolders((name) => name.endsWith('.pid'), longestPid, pidIn);
  /** The last answers of the background processes, by pid and identity. */
  let answers: ReadonlyMap<string, Answer> = new Map();
  return {
    async sessions(machine) {
      const known = new Map<string, Answer>();
      const found = (await files.read([folder])).get(folder) ?? [];
      const running = await compactMap(found, machine, (file) => {
        const daemon = writerOf(file.content, file.writtenAt, machine, ({ args }) =>
          /(^|\s)daemon(\s|$)/.test(args.join(' ')),
        );
        return daemon && { daemon, file: file.name.slice(0, -'.pid'.length) };
      });
      const sessions = await Promise.all(
        running.map(async ({ daemon, file }): Promise<ToolSession> => {
          const request = (type: string, withinMs: number): SocketRequest => ({
            path: join(folder, `${file}.sock`),
            message: { id: '1', type },
            end: '\n',
            withinMs,
          });
          const key = `${daemon.pid}-${daemon.identity}`;
          const before = answers.get(key);
          const answer = isFinal(before)
            ? before
            : await statusOf(request('status', statusWithinMs), daemon.pid, machine);
          // It doesn't answer while a page is busy or shows a dialog.
          const last = answer ?? before;
          if (last !== undefined) known.set(key, last);
          const cloud = last?.browserbaseSessionId;
          const mode = last?.mode ?? modeIn(daemon) ?? 'managed-local';
          return {
            tool: 'browse',
            name: last?.session ?? file,
            workspace: undefined,
            daemon,
            browser: mode === 'remote' ? 'cloud' : mode === 'managed-local' ? 'own' : 'foreign',
            drives:
              mode === 'remote' && cloud !== undefined && idFault(cloud) === undefined
                ? { provider: 'browserbase', id: sessionId(cloud) }
                : undefined,
            stop: { request: request('stop', stopWithinMs), graceMs: stopWithinMs },
          };
        }),
      );
      answers = known;
      return sessions;
    },
  };
}

/** The mode in the arguments of a background process, which may also contain an address with a key. */
function modeIn({ args }: LocalProcess): Answer['mode'] | undefined {
  const text = args.join(' ');
  return modes.find((mode) => text.includes(`"kind":"${mode}"`));
}

/** Whether an answer can no longer change. A cloud session may not have started yet, or may be replaced later. */
function isFinal(answer: Answer | undefined): boolean {
  return answer !== undefined && answer.mode !== 'remote';
}

async function statusOf(request: SocketRequest, pid: number, machine: MachineView): Promise<Answer | undefined> {
  const answer = await askSocket(request, machine.clock, machine.signal);
  if (answer.kind !== 'answered') return undefined;
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), Status), answer.text);
  return read.success && read.output.data.pid === pid ? read.output.data : undefined;
}
