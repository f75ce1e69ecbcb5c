import { readdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import { type OwnFile, OwnFolders } from '../../local/ownFolders.ts';
import { playwrightCache } from '../../local/playwrightFiles.ts';
import type { LocalProcess } from '../../local/processes.ts';
import { compactMap, type LocalTool, type MachineView, startedBefore, type ToolSession } from './localTool.ts';

// playwright-cli (https://github.com/microsoft/playwright-cli), as seen with Playwright 1.64 and 1.65. Each session has a
// file `<hash of its folder>/<session>.session` with the path of its socket, but no process ID. The process is the one that
// listens on the socket, and its second argument is the session's name. The file contains everything the browser was launched
// with, including keys, so only the fields below are taken from it. It stays if the session crashes or has its own profile.
//
// `stop` is answered 20 ms after the browser is gone. If the browser is frozen, the socket closes and all are gone in 0.5 s.

const File = v.object({
  name: v.optional(v.pipe(v.string(), v.maxLength(256))),
  socketPath: v.pipe(v.string(), v.check(isAbsolute)),
  workspaceDir: v.fallback(v.optional(v.string()), undefined),
  attached: v.fallback(v.optional(v.boolean(), false), false),
});
type SessionFile = v.InferOutput<typeof File>;

const ending = '.session';
const mostBytes = 64 * 1_024;
const mostFolders = 2_000;
const stopWithinMs = 3_000;

/** Reads the sessions of playwright-cli. @param env the environment, which says where it keeps its files. */
export function playwrightCli(env: NodeJS.ProcessEnv): LocalTool {
  const base = env['PWTEST_DAEMON_SESSION_DIR'] ?? join(playwrightCache(env), 'daemon');
  const files = new OwnFolders((name) => name.endsWith(ending), mostBytes, sessionIn);
  const daemons = new DaemonFinder();
  return {
    async sessions(machine) {
      const folders = (await readdir(base).catch(() => [])).slice(0, mostFolders).map((name) => join(base, name));
      const all = [...(await files.read(folders)).values()].flat();
      const live = all.filter(({ content }) => machine.sockets?.has(content.socketPath) ?? true);
      const found = await daemons.find(live, machine);
      return compactMap(live, machine, (file): ToolSession | undefined => {
        const daemon = found.get(file);
        if (daemon === undefined) return undefined;
        const { socketPath, workspaceDir, attached } = file.content;
        return {
          tool: 'playwright-cli',
          name: nameOf(file),
          workspace: workspaceDir,
          daemon,
          browser: attached ? 'foreign' : 'own',
          drives: undefined,
          stop: {
            request: {
              path: socketPath,
              message: { id: 1, method: 'stop', params: {} },
              end: '\n',
              withinMs: stopWithinMs,
            },
            graceMs: stopWithinMs,
          },
        };
      });
    },
  };
}

function sessionIn(text: string): SessionFile | undefined {
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), File), text);
  return read.success ? read.output : undefined;
}

function nameOf({ name, content }: OwnFile<SessionFile>): string {
  return content.name ?? name.slice(0, -ending.length);
}

/** Finds the background processes of sessions. */
class DaemonFinder {
  /** Which process listened on each socket at the last list; undefined if none of this user's did. */
  #lastOwners: ReadonlyMap<string, number | undefined> = new Map();

  async find(
    files: readonly OwnFile<SessionFile>[],
    machine: MachineView,
  ): Promise<ReadonlyMap<OwnFile<SessionFile>, LocalProcess>> {
    const parents = [
      ...new Set(machine.browsers.flatMap(({ ownerPids: [parent] }) => (parent === undefined ? [] : [parent]))),
    ];
    const owners = machine.sockets === undefined ? undefined : await this.#owners(files, parents, machine.sockets);
    const found = new Map<OwnFile<SessionFile>, LocalProcess>();
    for (const file of files) {
      const pids = owners === undefined ? parents : [owners.get(file.content.socketPath)];
      const daemons = pids.flatMap((pid) => (pid === undefined ? [] : (machine.processes.processWith(pid) ?? [])));
      const [daemon, ...others] = daemons.filter((one) => isDaemonOf(one, file));
      // If the sockets' owners are unknown, sessions with the same name in two folders can't be told apart.
      if (daemon !== undefined && others.length === 0) found.set(file, daemon);
    }
    return found;
  }

  async #owners(
    files: readonly OwnFile<SessionFile>[],
    parents: readonly number[],
    sockets: NonNullable<MachineView['sockets']>,
  ): Promise<ReadonlyMap<string, number>> {
    const paths = files.map(({ content }) => content.socketPath);
    const before = paths.flatMap((path) => this.#lastOwners.get(path) ?? []);
    const owners = new Map(await sockets.owners(paths, [...parents, ...before]));
    const rest = paths.filter((path) => !owners.has(path));
    const unknown = rest.filter((path) => !this.#lastOwners.has(path) || this.#lastOwners.get(path) !== undefined);
    const more = unknown.length === 0 ? new Map<string, number>() : await sockets.owners(unknown);
    for (const [path, pid] of more) owners.set(path, pid);
    this.#lastOwners = new Map(paths.map((path) => [path, owners.get(path)]));
    return owners;
  }
}

/** Whether a process is the background process of a session: `cliDaemon.js <name>`. */
function isDaemonOf(daemon: LocalProcess, file: OwnFile<SessionFile>): boolean {
  // Only Linux says where an argument ends.
  const [, rest = ''] = /[/\\]cliDaemon\.js (.*)$/.exec(daemon.args.join(' ')) ?? [];
  const name = nameOf(file);
  return (rest === name || rest.startsWith(`${name} --`)) && startedBefore(daemon, file.writtenAt);
}
