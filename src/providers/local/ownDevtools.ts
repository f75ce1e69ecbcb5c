import type { CdpConnection } from '../../core/cdp.ts';
import type { Page } from '../../core/page.ts';
import type { Link } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { AutomatedBrowser } from '../../local/browsers.ts';
import type { ListeningPorts } from '../../local/listeningPorts.ts';
import { type DialedBrowser, dialBrowser, listTabs, pidOf } from '../devtools.ts';

// Connects to browsers on this machine by DevTools, and makes sure that the one that answers is the one that was meant.

/** How long a browser may take to say which pages it has, in milliseconds. A frozen one never answers. */
const pagesTimeoutMs = 1_500;

/** A signal that is also aborted once a browser has taken too long. */
export const soon = (signal: AbortSignal): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(pagesTimeoutMs)]);

/**
 * Asks a browser for its pages, and notes them under its process ID.
 * @param isExpected whether it may have an ID. Otherwise, whatever answers could name another browser's row.
 * @returns that ID; undefined if it isn't expected or doesn't answer in time. Never rejects.
 */
export async function pagesOf(
  dial: () => Promise<CdpConnection>,
  inside: Map<number, readonly Page[]>,
  signal: AbortSignal,
  isExpected: (pid: number) => boolean | Promise<boolean>,
): Promise<number | undefined> {
  try {
    const cdp = await dial();
    try {
      const within = soon(signal);
      const [pid, { tabs }] = await Promise.all([pidOf(cdp, within), listTabs(cdp, within)]);
      if (pid === undefined || !(await isExpected(pid))) return undefined;
      const ordered = tabs.map(({ page }) => page).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      inside.set(pid, ordered);
      return pid;
    } finally {
      cdp.dispose();
    }
  } catch {
    return undefined;
  }
}

/**
 * Connects to the DevTools port of a browser. Another browser may answer there, so ask for its process ID first. On Linux, the
 * process that listens must be this browser: any other, even another user's, could claim its process ID.
 */
export async function dialPort(
  link: Link,
  { port, process: { pid } }: AutomatedBrowser,
  readPorts: () => Promise<ListeningPorts | undefined>,
  signal: AbortSignal,
): Promise<DialedBrowser> {
  if (port === undefined) {
    throw new ProviderError({ kind: 'unsupported', reason: { kind: 'sessionLiveView' } }, 'it has no DevTools port');
  }
  const isItsPort = async () => (await (await readPorts())?.belongsTo(port, pid)) !== false;
  const isTaken = () => new ProviderError({ kind: 'otherSession' }, 'another process answers at its DevTools port');
  if (!(await isItsPort())) throw isTaken();
  const dialed = await dialBrowser(link.localPort(port), signal, { timeoutMs: 2_000 });
  // Again: the browser doesn't give up its port before it ends, but it may have ended before we connected.
  if (await isItsPort()) return dialed;
  dialed.cdp.dispose();
  throw isTaken();
}
