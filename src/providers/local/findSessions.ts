import { type Clock, systemClock } from '../../core/clock.ts';
import { lazy } from '../../core/lazy.ts';
import { translatable } from '../../core/translatable.ts';
import { type AutomatedBrowser, browsersAmong, listBrowserProcesses, withLivePort } from '../../local/browsers.ts';
import { type ListeningPorts, readListeningPorts } from '../../local/listeningPorts.ts';
import { openProcessReader } from '../../local/openProcessReader.ts';
import type { LocalProcess, ProcessList, ProcessReader } from '../../local/processes.ts';
import { processName } from '../../local/scriptOf.ts';
import { type ListeningSockets, readListeningSockets } from '../../local/socketOwners.ts';
import type { ToolSession } from './localTool.ts';
import { type LocalTools, openLocalTools, sessionOfBrowser } from './localTools.ts';

/** The sessions of this machine at one moment. */
export interface FoundSessions {
  /** The browsers that automation started, and the session of a tool that each belongs to, if any. */
  readonly browsers: readonly (AutomatedBrowser & { readonly session: ToolSession | undefined })[];
  /** The sessions of tools whose browser isn't their own: it's in a cloud, or something else started it. */
  readonly detached: readonly ToolSession[];
  /** Undefined if the operating system doesn't say which sockets have listeners. */
  readonly sockets: ListeningSockets | undefined;
  readonly processes: ProcessList;
}

/** Finds all sessions of this machine. @throws Error if the operating system can't list the processes. */
export async function findSessions(
  reader: ProcessReader,
  tools: LocalTools,
  clock: Clock,
  signal: AbortSignal,
): Promise<FoundSessions> {
  const processes = await listBrowserProcesses(reader, signal);
  const found = await Promise.all(browsersAmong(processes).map(withLivePort));
  const sockets = await readListeningSockets();
  const sessions = await tools.sessions({ processes, browsers: found, sockets, clock, signal });
  const browsers = found.map((one) => ({ ...one, session: sessionOfBrowser(one, sessions) }));
  return { browsers, detached: sessions.filter(({ browser }) => browser !== 'own'), sockets, processes };
}

/**
 * Whether another account shows a browser, because its address is the DevTools port in the browser's arguments. The browser
 * must listen at that port: another program may have it, or the browser may be in a container.
 * @param ports what processes listen on; undefined if the operating system doesn't say.
 */
export async function isElsewhere(
  { port, process }: AutomatedBrowser,
  isShownElsewhere: (port: number) => boolean,
  ports: () => Promise<ListeningPorts | undefined>,
): Promise<boolean> {
  return (
    port !== undefined && isShownElsewhere(port) && (await (await ports())?.belongsTo(port, process.pid)) !== false
  );
}

/**
 * Finds the programs that are connected to browsers, to control them, and haven't started them. This editor's own windows aren't among
 * them. A program can begin to use a browser that was left behind, or that another one has started.
 * @param likely where they are looked for if a browser wasn't left behind: among all processes, that would take too long.
 * @returns the name of one for each browser that has any, by the browser's process ID.
 */
export async function clientsOfBrowsers(
  browsers: readonly AutomatedBrowser[],
  processes: ProcessList,
  readPorts: () => Promise<ListeningPorts | undefined>,
  likely: readonly number[] = [],
): Promise<ReadonlyMap<number, string>> {
  const controlled = browsers.filter(({ port, engine }) => (port ?? engine) !== undefined);
  const ports = controlled.length === 0 ? undefined : await readPorts();
  if (ports === undefined) return new Map();
  // Firefox's arguments may not name the port at which it's controlled.
  const portsOf = async ({ port, process }: AutomatedBrowser) =>
    port === undefined ? ports.portsOf(process.pid) : [port];
  const portsByBrowser = new Map<AutomatedBrowser, readonly number[]>();
  for (const one of controlled) portsByBrowser.set(one, await portsOf(one));
  const portsIf = (isLeftBehind: boolean) =>
    controlled.filter((one) => one.isLeftBehind === isLeftBehind).flatMap((one) => portsByBrowser.get(one) ?? []);
  const found = new Map([
    ...(await ports.clientsOf(portsIf(false), likely)),
    ...(await ports.clientsOf(portsIf(true))),
  ]);
  const own = processes.processWith(process.pid);
  // The extension hosts of all windows are the same program and have the same parent.
  const isOwn = (client: LocalProcess | undefined) =>
    client !== undefined && client.program === own?.program && client.parentPid === own.parentPid;
  return new Map(
    [...portsByBrowser].flatMap(([{ process: browser, children, ownerPids }, its]) => {
      const known = new Set([browser.pid, ...children.map(({ pid }) => pid), ...ownerPids]);
      const pids = its.flatMap((port) => [...(found.get(port) ?? [])]).filter((pid) => !known.has(pid ?? 0));
      const others = pids.map((pid) => processes.processWith(pid ?? 0)).filter((client) => !isOwn(client));
      if (others.length === 0) return [];
      const named = others.find((client) => client !== undefined);
      return [[browser.pid, named === undefined ? translatable('another program') : processName(named)] as const];
    }),
  );
}

/**
 * Finds the browsers that a server on this machine runs whose address is another account's: that account has them, too, but only
 * the server knows which sessions they are.
 * @returns their process IDs.
 */
export async function browsersOfServers(
  browsers: readonly AutomatedBrowser[],
  hasAccountAt: (port: number) => boolean,
  readPorts: () => Promise<ListeningPorts | undefined>,
): Promise<ReadonlySet<number>> {
  const owned = browsers.filter(({ ownerPids }) => ownerPids.length > 0);
  const ports = owned.length === 0 ? undefined : await readPorts();
  const servers = new Set<number>();
  for (const port of ports?.all.filter(hasAccountAt) ?? []) {
    for (const pid of new Set(owned.flatMap(({ ownerPids }) => ownerPids)))
      if (await ports?.belongsTo(port, pid)) servers.add(pid);
  }
  const isServed = ({ ownerPids }: AutomatedBrowser) => ownerPids.some((pid) => servers.has(pid));
  return new Set(owned.filter(isServed).map(({ process }) => process.pid));
}

/** Whether there is any session on this machine, apart from browsers whose port another account shows. */
export type HasSessions = (signal: AbortSignal, isShownElsewhere: (port: number) => boolean) => Promise<boolean>;

/** Opens a search that reads the tools' files again only where they have changed. It throws as {@link findSessions} does. */
export function openSessionSearch(
  openReader: () => Promise<ProcessReader> = openProcessReader,
  env = process.env,
): HasSessions {
  const tools = openLocalTools(env);
  return async (signal, isShownElsewhere) => {
    const { browsers, detached } = await findSessions(await openReader(), tools, systemClock, signal);
    if (detached.length > 0) return true;
    const ports = lazy(() => readListeningPorts());
    const areElsewhere = await Promise.all(browsers.map((one) => isElsewhere(one, isShownElsewhere, ports)));
    return areElsewhere.includes(false);
  };
}
