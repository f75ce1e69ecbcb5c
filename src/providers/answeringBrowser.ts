import type { SessionId } from '../core/ids.ts';
import { loopbackPort } from '../core/origin.ts';
import type { Link } from '../core/provider.ts';
import { listBrowserProcesses } from '../local/browsers.ts';
import { readListeningPorts } from '../local/listeningPorts.ts';
import { openProcessReader } from '../local/openProcessReader.ts';
import { flagOf, isStillRunning, type LocalProcess } from '../local/processes.ts';
import { type DialedBrowser, pidOf } from './devtools.ts';

/** How long a browser may take to say which process it is, in milliseconds. A frozen one never answers. */
const answerWithinMs = 2_000;
/** How long reading the processes of this machine may take, in milliseconds. */
const readWithinMs = 10_000;
/**
 * How long the sessions of a browser that no longer answers may still be running, in milliseconds, if it isn't known which process
 * it was: it may run in a container or on another machine.
 */
const forgottenAfterMs = 600_000;

type Identity = Pick<LocalProcess, 'pid' | 'identity'>;

/** What is known about a browser that has answered. */
interface Known {
  /** Its process; undefined if it isn't certain that it's one of this machine. Never rejects. */
  process: Promise<Identity | undefined> | undefined;
  /** When it answered last, in monotonic milliseconds. */
  answeredAt: number;
  /** The sessions that it had last. */
  sessions: ReadonlySet<SessionId>;
}

/**
 * Follows which browser answers at an address. A forwarded port can lead to another one, and on one machine, two can have the same
 * port: one at 127.0.0.1 and one at ::1. What the one doesn't list may still run in the other.
 */
export class AnsweringBrowser {
  readonly #link: Pick<Link, 'origin' | 'clock'>;
  readonly #browsers = new Map<string, Known>();

  constructor(link: Pick<Link, 'origin' | 'clock'>) {
    this.#link = link;
  }

  /**
   * The sessions of browsers that answered before and may still be running. One that has its process on this machine is followed
   * until that has ended, any other one for ten minutes.
   */
  async elsewhere({ cdp, id }: DialedBrowser, signal: AbortSignal): Promise<ReadonlySet<SessionId>> {
    if (id === undefined) return new Set();
    const now = this.#link.clock.monotonic();
    const own = this.#browsers.get(id) ?? { process: undefined, answeredAt: now, sessions: new Set() };
    this.#browsers.set(id, own);
    own.answeredAt = now;
    const port = loopbackPort(this.#link.origin.origin);
    if (own.process === undefined && port !== undefined) {
      const within = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
      // If it doesn't say, it's asked again the next time.
      const pid = await pidOf(cdp, within).catch(() => undefined);
      if (pid !== undefined) own.process = processOf(pid, Number(port));
    }
    const found = new Set<SessionId>();
    for (const [other, known] of this.#browsers) {
      if (other === id) continue;
      if (known.sessions.size === 0 || (await this.#isOver(known))) this.#browsers.delete(other);
      else for (const session of known.sessions) if (!own.sessions.has(session)) found.add(session);
    }
    return found;
  }

  /** Takes note of the sessions that a browser has. */
  note({ id }: Pick<DialedBrowser, 'id'>, sessions: Iterable<SessionId>): void {
    const known = this.#browsers.get(id ?? '');
    if (known !== undefined) known.sessions = new Set(sessions);
  }

  async #isOver({ process, answeredAt }: Known): Promise<boolean> {
    const its = await process;
    if (its === undefined) return this.#link.clock.monotonic() - answeredAt >= forgottenAfterMs;
    try {
      return !(await isStillRunning(await openProcessReader(), its));
    } catch {
      return false;
    }
  }
}

/** The process of this machine that has an ID and a port; undefined if it may be one of another machine or a container. */
async function processOf(pid: number, port: number): Promise<Identity | undefined> {
  try {
    const { found } = await listBrowserProcesses(await openProcessReader(), AbortSignal.timeout(readWithinMs));
    const process = found.find((one) => one.pid === pid && flagOf(one, '--remote-debugging-port') !== undefined);
    if (process === undefined) return undefined;
    return (await (await readListeningPorts())?.belongsTo(port, pid)) === false ? undefined : process;
  } catch {
    return undefined;
  }
}
