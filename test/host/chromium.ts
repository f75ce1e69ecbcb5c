import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Owned, run, start, temporaryFolder, until } from './processes.ts';
import { Advice, step } from './steps.ts';

const startTimeoutMs = 30_000;

/** Flags without which Chromium doesn't start as root, asks its first-run questions, or contacts Google's hosts. */
export const quietFlags: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--no-default-browser-check',
];

/** Where Chrome, Chromium and Edge are usually installed. */
function usualPlaces(): string[] {
  switch (process.platform) {
    case 'darwin':
      return [
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
        '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
      ];
    case 'win32':
      return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => {
        const base = process.env[name];
        if (base === undefined) return [];
        return [
          join(base, 'Google', 'Chrome', 'Application', 'chrome.exe'),
          join(base, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
        ];
      });
    default: {
      const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'microsoft-edge'];
      const folders = (process.env['PATH'] ?? '').split(delimiter);
      return folders.flatMap((folder) => names.map((name) => join(folder, name)));
    }
  }
}

/**
 * Finds a Chromium: `CHROME_PATH`, else an installed one, else Debian's package if there is apt-get and we are root.
 */
export async function ensureChromium(): Promise<string> {
  const given = process.env['CHROME_PATH'];
  if (given) {
    if (existsSync(given)) return given;
    throw new Advice(`CHROME_PATH is ${given}, but there is no such file.`);
  }
  const installed = () => usualPlaces().find((path) => existsSync(path));
  const found = installed();
  if (found !== undefined) return found;
  if (existsSync('/usr/bin/apt-get') && process.getuid?.() === 0) {
    await step("Install Chromium (Debian's package, once for this machine)", async () => {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      await run('apt-get', ['update'], { env });
      await run('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], { env });
    });
    const added = installed();
    if (added !== undefined) return added;
  }
  throw new Advice('No Chrome, Edge or Chromium was found. Install one, or set CHROME_PATH to the path of one.');
}

/** A headless Chromium with a DevTools endpoint. */
export interface RunningChromium {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly process: Owned;
  stop(): Promise<void>;
}

/** Starts a headless Chromium with a new profile that listens for DevTools on a free port of 127.0.0.1. */
export async function startChromium(): Promise<RunningChromium> {
  const executable = await ensureChromium();
  const profile = temporaryFolder('chromium');
  const args = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`, ...quietFlags];
  const process_ = start(executable, args);
  const actual = await until(process_, 'Chromium', startTimeoutMs, async () => {
    const [line] = (await readFile(join(profile, 'DevToolsActivePort'), 'utf8')).split('\n');
    const answer = await fetch(`http://127.0.0.1:${line}/json/version`);
    return answer.ok ? Number(line) : undefined;
  });
  return {
    port: actual,
    endpoint: `http://127.0.0.1:${actual}`,
    process: process_,
    stop: () => process_.stop(),
  };
}
