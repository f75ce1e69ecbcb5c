import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { homeIn, temporaryIn } from '../../local/environment.ts';
import { type OwnFile, OwnFolders } from '../../local/ownFolders.ts';
import { programName } from '../../local/processes.ts';
import { compactMap, type LocalTool, pidIn, startedBefore, type ToolSession, writerOf } from './localTool.ts';

// agent-browser (https://github.com/vercel-labs/agent-browser), as seen with 0.41.2. Each session has files called
// `<session>.pid`, `.sock`, `.engine`, `.target` and `.provider` in one folder. `.engine` exists if it started a browser,
// `.provider` if a cloud did. `.target` is written with the first page and stays when the session ends.
//
// `close` is the only request that is sent to its socket: every command restarts the idle timeout, and `tab_list` starts a
// browser if there is none. `close` ends the browser in 70 ms, or in 35 s if the browser is frozen.

const longestText = 1_024;
const stopWithinMs = 5_000;
const mostNamespaces = 200;

/** The name of a cloud provider, such as `browserbase`. */
const Cloud = v.pipe(v.string(), v.trim(), v.regex(/^[\w:.-]{1,64}$/));

const parts = /^(.+)\.(pid|engine|provider|target)$/;

/** Reads the sessions of agent-browser. @param env the environment, which says where it keeps its files. */
export function agentBrowser(env: NodeJS.ProcessEnv): LocalTool {
  const files = new OwnFolders(
    (name) => parts.test(name),
    longestText,
    (text) => text.trim(),
  );
  return {
    async sessions(machine) {
      const folders = await foldersIn(env);
      const read = await files.read([...folders.keys()]);
      const all = await Promise.all(
        [...folders].map(([folder, namespace]) => {
          const byName = new Map((read.get(folder) ?? []).map((file) => [file.name, file]));
          return compactMap(byName.values(), machine, (file): ToolSession | undefined => {
            const [, session = '', kind] = parts.exec(file.name) ?? [];
            const pid = kind === 'pid' ? pidIn(file.content) : undefined;
            if (pid === undefined) return undefined;
            const daemon = writerOf(pid, file.writtenAt, machine, ({ program }) =>
              /^agent-browser/.test(programName(program)),
            );
            if (daemon === undefined) return undefined;
            const newer = (ending: string): OwnFile<string> | undefined => {
              const found = byName.get(`${session}.${ending}`);
              return found !== undefined && startedBefore(daemon, found.writtenAt) ? found : undefined;
            };
            const isInCloud = v.is(Cloud, newer('provider')?.content);
            // A session that is about to start its browser has no page yet.
            if (!isInCloud && newer('engine') === undefined && newer('target') === undefined) return undefined;
            return {
              tool: 'agent-browser',
              name: namespace === undefined ? session : `${namespace}/${session}`,
              workspace: undefined,
              daemon,
              browser: isInCloud ? 'cloud' : newer('engine') === undefined ? 'foreign' : 'own',
              // Asking which of the cloud's sessions it is may start another one.
              drives: undefined,
              stop: {
                request: {
                  path: join(folder, `${session}.sock`),
                  message: { id: '1', action: 'close' },
                  end: '\n',
                  withinMs: stopWithinMs,
                },
                graceMs: stopWithinMs,
              },
            };
          });
        }),
      );
      return all.flat();
    },
  };
}

/** The folders that contain its files, and the namespace of each. */
async function foldersIn(env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, string | undefined>> {
  const runtime = env['XDG_RUNTIME_DIR'];
  const bases = [
    env['AGENT_BROWSER_SOCKET_DIR'],
    runtime === undefined || runtime === '' ? undefined : join(runtime, 'agent-browser'),
    join(homeIn(env), '.agent-browser'),
    join(temporaryIn(env), 'agent-browser'),
  ];
  const folders = new Map<string, string | undefined>();
  for (const base of bases) {
    if (base === undefined || base === '') continue;
    folders.set(base, undefined);
    const namespaces = await readdir(join(base, 'namespaces')).catch(() => []);
    for (const name of namespaces.slice(0, mostNamespaces)) folders.set(join(base, 'namespaces', name, 'run'), name);
  }
  return folders;
}
