import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Owned, start } from './processes.ts';

/** A Model Context Protocol server that speaks over its standard input and output, as an agent starts it. */
export interface McpServer {
  readonly process: Owned;
  /** Calls a tool. @returns its texts. @throws Error when the server says that it failed. */
  call(tool: string, args?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Starts a server and introduces itself. @param agent the client's name, which servers pass on. */
export async function startMcpServer(
  command: string,
  args: readonly string[],
  { agent = 'claude-code', env = process.env, cwd = process.cwd() } = {},
): Promise<McpServer> {
  const server = start(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env, cwd });
  const { stdin, stdout } = server.child;
  if (stdin === null || stdout === null) throw new Error('the server has no pipes');
  const lines = createInterface({ input: stdout });
  let lastId = 0;
  const write = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const request = async (method: string, params: object): Promise<unknown> => {
    const id = ++lastId;
    write({ id, method, params });
    const stop = AbortSignal.timeout(30_000);
    for (;;) {
      const [line] = await once(lines, 'line', { signal: stop });
      const message = JSON.parse(String(line));
      if (message.id !== id) continue;
      if (message.error !== undefined) throw new Error(JSON.stringify(message.error));
      return message.result;
    }
  };
  await request('initialize', {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: agent, version: '1.0.0' },
  });
  write({ method: 'notifications/initialized' });
  return {
    process: server,
    async call(tool, its = {}) {
      const result = (await request('tools/call', { name: tool, arguments: its })) as {
        readonly content: readonly { readonly text?: string }[];
        readonly isError?: boolean;
      };
      const text = result.content.map((part) => part.text ?? '').join('\n');
      if (result.isError === true) throw new Error(text);
      return text;
    },
  };
}
