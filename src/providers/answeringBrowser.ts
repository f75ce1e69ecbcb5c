import { sleep } from '../core/clock.ts';
import type { SessionId } from '../core/ids.ts';
import { ipv4Port } from '../core/origin.ts';
import type { Link } from '../core/provider.ts';
import { ProviderError } from '../core/providerError.ts';
import type { Session } from '../core/session.ts';
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
/** The most sessions of other browsers that are kept in the list. If there are more, it's a pool, which only its own server can list. */
const mostElsewhere = 1_000;

/** Stands for the ID of the first browser that has none. They are numbered. */
const firstUnnamed = '1';

type Identity = Pick<LocalProcess, 'pid' | 'identity'>;

/** What is known about a browser that has answered. */
interface Known {
  /** Its process; undefined if it isn't certain that it's one of this machine. Never rejects. */
  process: Promise<Identity | undefined> | undefined;
  /** When it answered last, in monotonic milliseconds. */
  answeredAt: number;
  /** The sessions that it had last. */
  sessions: ReadonlySet<SessionId>;
  /** The random IDs that it last had inside, if it has none itself. */
  inside: Set<string>;
  /** Whether any row can be one of its sessions. */
  wasListed: boolean;
}

/** The browser that answers at an address now. */
export interface Answering {
  /** What stands for its default context if it doesn't name that one. */
  readonly unnamedContext: string;
  /**
   * Sessions that other browsers had when they answered, and that may still be running there.
   * @throws ProviderError `unexpectedAnswer` if there are too many of them.
   */
  elsewhere(): ReadonlySet<SessionId>;
  /** Whether a session that this browser doesn't have may be running in another one. */
  mayRunElsewhere(session: Pick<Session, 'id' | 'browserId'>): boolean;
  /** Takes note of the sessions that it has. */
  note(sessions: Iterable<SessionId>): void;
  /** Takes note of something in it that has a random ID. */
  noteInside(id: string): void;
}

/**
 * Follows which browser answers at an address. A forwarded port can lead to another one, and on one machine, two can have the same
 * port: one at 127.0.0.1 and one at ::1. What the one doesn't list may still run in the other. A browser without an ID of its own,
 * such as Chrome on Android, is the same one as long as something that it had before is still in it.
 */
export class AnsweringBrowser {
  readonly #link: Pick<Link, 'origin' | 'clock'>;
  readonly #browsers = new Map<string, Known>();
  /** The browsers that have ended, or have had no session when they last answered. */
  readonly #over = new Set<string>();
  #unnamed = 0;

  constructor(link: Pick<Link, 'origin' | 'clock'>) {
    this.#link = link;
  }

  /**
   * Finds out which browser answers. Another one may still have its sessions: if it has its process on this machine, until that has
   * ended, otherwise for ten minutes.
   * @param inside the random IDs of what is in it now; only used if it has none itself.
   */
  async identify(
    { cdp, id }: Pick<DialedBrowser, 'cdp' | 'id'>,
    inside: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<Answering> {
    const now = this.#link.clock.monotonic();
    const key = id ?? this.#unnamedWith(inside);
    const own = this.#browsers.get(key) ?? {
      process: undefined,
      answeredAt: now,
      sessions: new Set(),
      inside: new Set(),
      wasListed: false,
    };
    this.#browsers.set(key, own);
    own.answeredAt = now;
    own.inside = new Set(inside);
    const port = ipv4Port(this.#link.origin.origin);
    if (id !== undefined && own.process === undefined && port !== undefined) {
      const within = AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
      // If it doesn't say, it's asked again the next time.
      const pid = await pidOf(cdp, within).catch(() => undefined);
      if (pid !== undefined) {
        // If the processes can't be read, they are read again the next time.
        own.process = processOf(pid, Number(port)).catch(() => {
          own.process = undefined;
          return undefined;
        });
        // It may end at any time. Then it isn't found anymore.
        await Promise.race([own.process, sleep(this.#link.clock, answerWithinMs, signal)]);
      }
    }
    const others: Known[] = [];
    for (const [other, known] of this.#browsers) {
      if (other === key) continue;
      if (known.sessions.size === 0 || (await this.#isOver(known))) {
        this.#browsers.delete(other);
        if (known.wasListed) this.#over.add(other);
      } else others.push(known);
    }
    const isElsewhere = (session: SessionId) =>
      !own.sessions.has(session) && others.some(({ sessions }) => sessions.has(session));
    return {
      unnamedContext: key === firstUnnamed ? 'default-context' : `default-context-${key.slice(0, 8)}`,
      elsewhere() {
        const count = others.reduce((total, { sessions }) => total + sessions.size, 0);
        if (others.length > 2 && count > mostElsewhere) {
          const what = 'a different browser answers each time';
          throw new ProviderError({ kind: 'unexpectedAnswer', what }, `${others.length} others have answered lately`);
        }
        return new Set(others.flatMap(({ sessions }) => [...sessions].filter(isElsewhere)));
      },
      mayRunElsewhere: ({ id: session, browserId = key }) =>
        isElsewhere(session) || (browserId !== key && !this.#over.has(browserId)),
      note: (sessions) => {
        own.sessions = new Set(sessions);
        own.wasListed ||= own.sessions.size > 0;
        // Another connection may have reached another browser in the meantime, and forgotten this one.
        this.#browsers.set(key, own);
        this.#over.delete(key);
      },
      noteInside: (its) => own.inside.add(its),
    };
  }

  /** The browser without an ID of its own that has something in common with what is in one now; otherwise, it's a new one. */
  #unnamedWith(inside: ReadonlySet<string>): string {
    for (const [key, known] of this.#browsers) for (const id of known.inside) if (inside.has(id)) return key;
    this.#unnamed++;
    return `${this.#unnamed}`;
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

/**
 * The process of this machine that has a port; undefined if it may be one of another machine or a container.
 * @param pid the process ID that it gives itself. In a namespace, as with Flatpak, it's another one than on this machine.
 * @throws Error if the processes can't be read.
 */
async function processOf(pid: number, port: number): Promise<Identity | undefined> {
  const reader = await openProcessReader();
  // Any program may have a browser inside.
  const { found } = await reader.list(() => true, AbortSignal.timeout(readWithinMs));
  const ports = await readListeningPorts();
  const debugged = found.filter((one) => flagOf(one, '--remote-debugging-port') !== undefined);
  const named = debugged.find((one) => one.pid === pid);
  if (named !== undefined && (await ports?.belongsTo(port, pid)) !== false) return named;
  for (const one of debugged) if ((await ports?.portsOf(one.pid))?.includes(port) === true) return one;
  return undefined;
}
