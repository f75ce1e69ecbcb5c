import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium, quietFlags } from './chromium.ts';
import { start, temporaryFolder } from './processes.ts';

/** A browser whose starter has ended, as agents leave them behind. */
export interface LeftBehind {
  readonly pid: number;
  readonly profile: string;
  /** Ends it for good, also when it's frozen. */
  stop(): void;
}

const left = new Set<number>();

/**
 * Starts a browser from a shell that ends at once.
 * @param profile the name of its profile's folder, by which tools are told apart.
 * @param folder the folder that contains that folder.
 * @param firefox the path of a Firefox, to start that one with `flags` instead of Chromium.
 */
export async function leaveBehind({
  profile = `agent-browser-chrome-${randomUUID()}`,
  url = 'about:blank',
  flags = ['--headless', '--remote-debugging-port=0'],
  folder = temporaryFolder('left'),
  cwd = process.cwd(),
  firefox = undefined,
}: {
  profile?: string;
  url?: string;
  flags?: readonly string[];
  folder?: string;
  cwd?: string;
  firefox?: string | undefined;
} = {}): Promise<LeftBehind> {
  const directory = join(folder, profile);
  const args = [...quietFlags, ...flags, `--user-data-dir=${directory}`, url];
  if (firefox !== undefined) {
    mkdirSync(directory);
    args.splice(0, Number.POSITIVE_INFINITY, '-no-remote', ...flags, '-profile', directory, url);
  }
  // The shell writes the pid and ends. What the browser writes would keep the pipe open.
  const script = '"$0" "$@" >/dev/null 2>&1 </dev/null & echo $!';
  const shell = start('setsid', ['sh', '-c', script, firefox ?? (await ensureChromium()), ...args], { cwd });
  await once(shell.child, 'close');
  const pid = Number(shell.output().trim());
  if (!(pid > 1)) throw new Error(`No browser was started: ${shell.output()}`);
  left.add(pid);
  return {
    pid,
    profile: directory,
    stop: () => {
      left.delete(pid);
      kill(pid);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

process.on('exit', () => {
  for (const pid of left) kill(pid);
});
