import type { AutomatedBrowser } from '../../local/browsers.ts';
import { agentBrowser } from './agentBrowser.ts';
import { browse } from './browse.ts';
import { chromeDevtools } from './chromeDevtools.ts';
import type { MachineView, ToolSession } from './localTool.ts';
import { playwrightCli } from './playwrightCli.ts';

/** The sessions of all tools that keep browsers open between commands. */
export interface LocalTools {
  sessions(machine: MachineView): Promise<readonly ToolSession[]>;
}

/** Opens the readers of all tools. @param env the environment, which says where they keep their files. */
export function openLocalTools(env: NodeJS.ProcessEnv): LocalTools {
  const tools = [playwrightCli(env), agentBrowser(env), chromeDevtools(env), browse(env)];
  return {
    async sessions(machine) {
      const all = (await Promise.all(tools.map((tool) => tool.sessions(machine)))).flat();
      // Two environment variables may point to the same folder.
      return [...new Map(all.map((one) => [`${one.daemon.pid} ${one.name}`, one])).values()];
    },
  };
}

/** The session whose background process started a browser. */
export function sessionOfBrowser(
  { ownerPids }: AutomatedBrowser,
  sessions: readonly ToolSession[],
): ToolSession | undefined {
  return sessions.find(({ daemon, browser }) => browser === 'own' && ownerPids.includes(daemon.pid));
}
