import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One of our processes with everything that it starts. */
export interface Owned {
  readonly child: ChildProcess;
  /** Its output so far, for error messages. */
  readonly output: () => string;
  /** Ends it and its children, and waits until it is gone. */
  stop(): Promise<void>;
}

const killAfterMs = 3_000;
const owned = new Set<Owned>();

/** Starts a process in a group of its own, so that ending it leaves no child behind. It never outlives this process. */
export function start(command: string, args: readonly string[], options: SpawnOptions = {}): Owned {
  const grouped = process.platform !== 'win32';
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, detached: grouped });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      output = (output + data.toString()).slice(-20_000);
    });
  }
  const gone = once(child, 'exit').catch((error: unknown) => {
    output += String(error);
  });
  const signal = (name: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      if (grouped) process.kill(-child.pid, name);
      else child.kill(name);
    } catch {
      // The group is already gone.
    }
  };
  const process_: Owned = {
    child,
    output: () => output,
    async stop() {
      owned.delete(process_);
      signal('SIGTERM');
      const hard = setTimeout(() => signal('SIGKILL'), killAfterMs);
      await gone;
      clearTimeout(hard);
      signal('SIGKILL');
    },
  };
  owned.add(process_);
  return process_;
}

const folders = new Set<string>();

/** Creates an empty folder that is removed when this process exits. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `browser-sessions-${name}-`));
  folders.add(folder);
  return folder;
}

process.on('exit', () => {
  for (const { child } of owned) {
    try {
      if (child.pid !== undefined) process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(128));

/**
 * Runs a command until it exits.
 * @throws Error with its output when it fails.
 */
export async function run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<void> {
  const { child, output } = start(command, args, options);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${String(code)}\n${output()}`);
}

/** Calls `probe` until it resolves to something, and gives up when the process exits or the time is up. */
export async function until<T>(
  process_: Owned,
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline && process_.child.exitCode === null && process_.child.signalCode === null) {
    const found = await probe().catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await process_.stop();
  throw new Error(`${what} did not come up. It wrote:\n${process_.output()}`);
}

/** Whether a process is running, on Linux. One that has ended stays as a zombie until the process that inherited it looks. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** From this port on, systems assign ports to connections and to servers that ask for any port (ip(7)). */
const firstAssignedPort = 32_768;
const firstOwnPort = 20_000;

/** A port on 127.0.0.1 that is currently free, and that the system won't assign to another program in the meantime. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(firstOwnPort, firstAssignedPort);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
