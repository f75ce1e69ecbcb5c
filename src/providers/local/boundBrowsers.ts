import type { AutomatedBrowser } from '../../local/browsers.ts';
import type { BoundBrowser } from '../../local/playwrightFiles.ts';
import { type ListeningSockets, readListeningSockets } from '../../local/socketOwners.ts';
import type { ToolSession } from './localTool.ts';

/** Whether a bound browser is one that a playwright-cli session is only attached to. */
export function isAttached({ title, workspace }: BoundBrowser, detached: readonly ToolSession[]): boolean {
  const isAttachedTo = (one: ToolSession) =>
    one.tool === 'playwright-cli' && one.name === title && one.workspace === workspace;
  return detached.some(isAttachedTo);
}

/**
 * Whether the process that listens on a socket is one that started the browser with a process ID. Any other could claim that
 * ID, or have a browser with the same one in a container. Also true if the operating system doesn't say who listens.
 */
export async function isOfOwner(
  socket: string,
  pid: number,
  browsers: readonly AutomatedBrowser[],
  known?: ListeningSockets,
): Promise<boolean> {
  const sockets = known ?? (await readListeningSockets());
  const ownerPids = browsers.find(({ process }) => process.pid === pid)?.ownerPids ?? [];
  return sockets === undefined || (await sockets.owners([socket], ownerPids)).has(socket);
}

/**
 * The pids of the browsers behind Playwright's sockets, where the process that listens has only one socket and one browser.
 * Works for frozen browsers, too.
 */
export async function browsersOfOwners(
  bound: readonly BoundBrowser[],
  browsers: readonly AutomatedBrowser[],
  sockets: ListeningSockets | undefined,
): Promise<ReadonlyMap<BoundBrowser, number>> {
  const parents = browsers.flatMap(({ ownerPids: [parent] }) => parent ?? []);
  const owners = await sockets?.owners(
    bound.map(({ socket }) => socket),
    parents,
  );
  const found = new Map<BoundBrowser, number>();
  for (const one of bound) {
    const owner = owners?.get(one.socket);
    const [browser, ...others] = browsers.filter(({ ownerPids }) => owner !== undefined && ownerPids[0] === owner);
    const isOnly = bound.every((other) => other === one || owners?.get(other.socket) !== owner);
    if (browser !== undefined && others.length === 0 && isOnly) found.set(one, browser.process.pid);
  }
  return found;
}
