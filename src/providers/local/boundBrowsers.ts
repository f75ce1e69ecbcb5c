import type { AutomatedBrowser } from '../../local/browsers.ts';
import type { BoundBrowser } from '../../local/playwrightFiles.ts';
import type { ListeningSockets } from '../../local/socketOwners.ts';
import type { ToolSession } from './localTool.ts';

/** Whether Playwright has bound a browser to which one of its sessions is only attached. */
export function isAttached({ title, workspace }: BoundBrowser, detached: readonly ToolSession[]): boolean {
  const isAttachedTo = (one: ToolSession) =>
    one.tool === 'playwright-cli' && one.name === title && one.workspace === workspace;
  return detached.some(isAttachedTo);
}

/** The browsers at Playwright's sockets as far as the listening processes tell, who each have a single one: it may be frozen. */
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
