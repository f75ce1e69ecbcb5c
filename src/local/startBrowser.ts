import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import type { BrowserStart, NoteProfile, StartedBrowser } from '../core/thisMachine.ts';
import { findBrowsers } from './browsers.ts';
import { browserAt, portOfProfile } from './devtoolsPort.ts';
import { installedBrowsers } from './installedBrowsers.ts';
import { openProcessReader } from './openProcessReader.ts';
import { removeFolder } from './removeFolder.ts';

const startWithinMs = 20_000;
const exitWithinMs = 5_000;
const pollEveryMs = 50;
const answerWithinMs = 10_000;
const titleWithinMs = 2_000;
/** Profile folders begin with this, so that no other folder is ever deleted. */
const profilePrefix = 'browser-sessions-trial-';

const Target = v.object({ targetId: v.string() });
const TargetInfo = v.object({ targetInfo: v.object({ title: v.string() }) });

/** No prompts, no requests to any host, not even by the browser itself, and no sound. */
const flags = [
  '--headless=new',
  '--remote-debugging-port=0',
  // The browser exits as soon as the other end of this pipe is closed, even if the editor is killed.
  '--remote-debugging-pipe',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--no-proxy-server',
  '--disable-sync',
  '--mute-audio',
  '--window-size=1280,800',
];

/** Chromium refuses to run as root in its sandbox. */
function flagsForUser(): readonly string[] {
  return process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox', '--disable-dev-shm-usage'] : [];
}

/**
 * Starts the first installed browser that works.
 * @param note is told of each profile before a browser is started with it.
 * @param paths the programs to try.
 */
export async function startBrowser(note: NoteProfile, paths?: readonly string[]): Promise<BrowserStart> {
  let failure: BrowserStart = { kind: 'notInstalled' };
  for (const path of paths ?? (await installedBrowsers())) {
    const start = await startAt(path, note);
    if (start.kind === 'started') return start;
    failure = start;
  }
  return failure;
}

async function startAt(path: string, note: NoteProfile): Promise<BrowserStart> {
  const profile = await mkdtemp(join(tmpdir(), profilePrefix));
  await note(profile);
  const child = spawn(path, [...flags, ...flagsForUser(), `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-2_000);
  });
  const exited = exitOf(child, profile);
  const pipe = new BrowserPipe(child);
  const close = async () => {
    pipe.send('Browser.close');
    const forced = AbortSignal.timeout(exitWithinMs);
    forced.addEventListener('abort', () => child.kill('SIGKILL'));
    await exited;
  };
  const port = await portOnceOpen(child, profile);
  if (port === undefined) {
    child.kill('SIGKILL');
    await exited;
    return { kind: 'failed', path, said: said.trim().split('\n').at(-1) ?? '' };
  }
  const browser: StartedBrowser = {
    address: `http://127.0.0.1:${port}`,
    profile,
    pid: child.pid ?? 0,
    exited,
    close,
    openPage: async (url) => {
      const created = await pipe.ask('Target.createBrowserContext', {});
      const { browserContextId } = v.parse(v.object({ browserContextId: v.string() }), created);
      const target = v.parse(Target, await pipe.ask('Target.createTarget', { url, browserContextId }));
      // A page has no title at first, and a list would show it without a name.
      for (const deadline = Date.now() + titleWithinMs; Date.now() < deadline; await sleep(pollEveryMs)) {
        const info = v.safeParse(TargetInfo, await pipe.ask('Target.getTargetInfo', target));
        if (info.success && !url.startsWith(info.output.targetInfo.title)) return;
      }
    },
  };
  return { kind: 'started', browser };
}

/** Settles when the process has exited or couldn't be started, and its profile is deleted. */
async function exitOf(child: ChildProcess, profile: string): Promise<void> {
  await once(child, 'exit').catch(() => {});
  await removeProfile(profile);
}

async function portOnceOpen(child: ChildProcess, profile: string): Promise<number | undefined> {
  const isUp = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  for (const deadline = Date.now() + startWithinMs; isUp() && Date.now() < deadline; ) {
    const port = await portOfProfile(profile);
    if (port !== undefined && (await browserAt(port.port)) === port.path) return port.port;
    await sleep(pollEveryMs);
  }
  return undefined;
}

/** Whether the browser that was started with this profile is still running. If that can't be determined, it counts as running. */
export async function isRunning(profile: string): Promise<boolean> {
  const port = await portOfProfile(profile);
  if (port !== undefined && (await browserAt(port.port)) === port.path) return true;
  // A browser that is frozen or on a busy machine may not answer, but must not lose its profile.
  try {
    const all = await findBrowsers(await openProcessReader(), AbortSignal.timeout(answerWithinMs));
    return all.some((one) => one.profile === profile);
  } catch {
    return true;
  }
}

/** Deletes a profile that {@link startBrowser} created. Never deletes any other folder. */
export async function removeProfile(profile: string): Promise<void> {
  const isOurs = basename(profile).startsWith(profilePrefix);
  const parents = await Promise.all([realpath(dirname(profile)), realpath(tmpdir())]).catch(() => undefined);
  if (!isOurs || parents === undefined || parents[0] !== parents[1]) return;
  // A browser's other processes may write for a moment after it has exited.
  await removeFolder(profile).catch(() => {});
}

const Answer = v.object({ id: v.number(), result: v.optional(v.unknown()) });

/** Chrome's DevTools over its pipe: each message is JSON, followed by a zero byte. */
class BrowserPipe {
  readonly #out: Writable;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;
  #rest = '';

  constructor(child: ChildProcess) {
    this.#out = child.stdio[3] as Writable;
    const input = child.stdio[4] as Readable;
    for (const stream of [this.#out, input]) stream.on('error', () => {});
    input.setEncoding('utf8');
    input.on('data', (data: string) => this.#read(data));
  }

  send(method: string, params: object = {}): number {
    this.#last += 1;
    if (this.#out.writable) this.#out.write(`${JSON.stringify({ id: this.#last, method, params })}\0`);
    return this.#last;
  }

  /** @throws Error if there is no answer in time. */
  async ask(method: string, params: object): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    const id = this.send(method, params);
    this.#waiting.set(id, answer.resolve);
    const timer = setTimeout(() => answer.reject(new Error(`The browser didn't answer ${method}.`)), answerWithinMs);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  #read(data: string): void {
    const texts = (this.#rest + data).split('\0');
    this.#rest = texts.pop() ?? '';
    for (const text of texts) {
      const answer = v.safeParse(v.pipe(v.string(), v.parseJson(), Answer), text);
      if (answer.success) this.#waiting.get(answer.output.id)?.(answer.output.result);
    }
  }
}
