import type { CdpConnection } from '../core/cdp.ts';
import type { SessionId } from '../core/ids.ts';
import { loopbackPort } from '../core/origin.ts';
import { listBrowserProcesses } from '../local/browsers.ts';
import { readListeningPorts } from '../local/listeningPorts.ts';
import { openProcessReader } from '../local/openProcessReader.ts';
import { flagOf, isStillRunning, type LocalProcess } from '../local/processes.ts';
import { type DialedBrowser, pidOf } from './devtools.ts';

/** How long a browser may take to say which process it is, in milliseconds. A frozen one never answers. */
const answerWithinMs = 2_000;

type Identity = Pick<LocalProcess, 'pid' | 'identity'>;

/** What is known about a browser that has answered. */
interface Known {
  /** Its process; `none` if it isn't certain that it's one of this machine, undefined if it hasn't said yet. */
  process: Identity | 'none' | undefined;
  /** The sessions that it had last. */
  sessions: ReadonlySet<SessionId>;
}

/**
 * Follows which browser answers at an address. A forwarded port can lead to another one, and on one machine, two can have the same
 * port: one at 127.0.0.1 and one at ::1. What the one doesn't list may still run in the other.
 */
export class AnsweringBrowser {
  readonly #origin: URL;
  readonly #browsers = new Map<string, Known>();

  /** @param origin the address. */
  constructor(origin: URL) {
    this.#origin = origin;
  }

  /**
   * The sessions of browsers that answered before and may still be running. One that has its process on this machine is followed
   * until that has ended.
   */
  async elsewhere({ cdp, id }: DialedBrowser, signal: AbortSignal): Promise<ReadonlySet<SessionId>> {
    if (id === undefined) return new Set();
    const own = this.#browsers.get(id) ?? { process: undefined, sessions: new Set() };
    this.#browsers.set(id, own);
    own.process ??= await this.#processOf(cdp, signal);
    const found = new Set<SessionId>();
    for (const [other, { process, sessions }] of this.#browsers) {
      if (other === id) continue;
      if (sessions.size === 0 || (await hasEnded(process))) this.#browsers.delete(other);
      else for (const session of sessions) if (!own.sessions.has(session)) found.add(session);
    }
    return found;
  }

  /** Takes note of the sessions that a browser has. */
  note({ id }: Pick<DialedBrowser, 'id'>, sessions: Iterable<SessionId>): void {
    const known = this.#browsers.get(id ?? '');
    if (known !== undefined) known.sessions = new Set(sessions);
  }

  async #processOf(cdp: CdpConnection, signal: AbortSignal): Promise<Known['process']> {
    const port = loopbackPort(this.#origin.origin);
    if (port === undefined) return 'none';
    const within = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
    try {
      const pid = await pidOf(cdp, within);
      const { found } = await listBrowserProcesses(await openProcessReader(), within);
      // The ID may be one of another machine, or of a container.
      const process = found.find((one) => one.pid === pid && flagOf(one, '--remote-debugging-port') !== undefined);
      const isIts = process && (await (await readListeningPorts())?.belongsTo(Number(port), process.pid)) !== false;
      return isIts === true ? process : 'none';
    } catch {
      // It's asked again the next time.
      return undefined;
    }
  }
}

async function hasEnded(process: Known['process']): Promise<boolean> {
  if (process === undefined || process === 'none') return false;
  try {
    return !(await isStillRunning(await openProcessReader(), process));
  } catch {
    return false;
  }
}
