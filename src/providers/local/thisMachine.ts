import { createHash } from 'node:crypto';
import type { AccountFacts } from '../../core/account.ts';
import type { SessionDevtools } from '../../core/cdp.ts';
import type { Group } from '../../core/group.ts';
import { groupId, idFault, type SessionId, sessionId } from '../../core/ids.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import { newSession } from '../../core/newSession.ts';
import { isEmptyTab, type Page } from '../../core/page.ts';
import type { Link, Provider, ProviderKind } from '../../core/provider.ts';
import { canceled, ProviderError, unaddressable } from '../../core/providerError.ts';
import { same } from '../../core/same.ts';
import type { Session } from '../../core/session.ts';
import { sharedWithin } from '../../core/sharedWithin.ts';
import { translatable } from '../../core/translatable.ts';
import type { AutomatedBrowser } from '../../local/browsers.ts';
import { readListeningPorts } from '../../local/listeningPorts.ts';
import { openProcessReader } from '../../local/openProcessReader.ts';
import { type BoundBrowser, BoundBrowsers } from '../../local/playwrightFiles.ts';
import { dialPlaywright } from '../../local/playwrightWire.ts';
import { isStillRunning, type LocalProcess, type ProcessReader, programName } from '../../local/processes.ts';
import { pidOf } from '../devtools.ts';
import { browsersOfOwners, isAttached, isOfOwner } from './boundBrowsers.ts';
import { CpuMeter } from './cpuMeter.ts';
import { endSession } from './endSession.ts';
import { browsersOfServers, clientsOfBrowsers, findSessions, isElsewhere } from './findSessions.ts';
import { type KnownBrowser, localFacts } from './localFacts.ts';
import type { ToolSession } from './localTool.ts';
import { openLocalTools } from './localTools.ts';
import { dialPort, pagesOf, soon } from './ownDevtools.ts';

// Browsers that automation started on this machine: by Playwright, Puppeteer, agent-browser and others. They are found among
// the processes, by the profile folders that these tools give their browsers, and joined to the sessions that the tools' own
// files name. For a list, nothing is sent to the tools that starts a browser, deletes files, or restarts an idle timeout.
//
// A session is a browser process, or the background process of a tool that controls a browser elsewhere. Its end is confirmed
// when no process has its pid and its start time anymore. A tool with a session of its own is asked to end it first, and its
// background process ends with it. MCP servers are left alone: they open a new browser with their next call.

/** Ends within this many milliseconds share one search for their browsers. */
const sharedMs = 500;
/** Most browsers that are asked at once. */
const mostAsked = 8;

const noFacts: AccountFacts = { identity: undefined, sessionLimit: undefined, note: undefined };

/** Browsers that automation started on this machine. */
export const thisMachine: ProviderKind = {
  id: 'thisMachine',
  label: 'This Machine',
  icon: 'vm',
  isAutomatic: true,
  address: {
    preset: 'http://localhost',
    ask: false,
    prompt: 'This machine',
    placeholder: '',
  },
  fields: [],
  settings: [],
  furtherAddresses: () => [],
  can: ['devtools', 'screenshot'],
  wording: {
    session: 'A browser on this machine that a tool or script started. Your own browser is never listed.',
    ending:
      "The browser ends. Unsaved work in its pages is lost, and a script that uses it is disconnected. A tool's own session ends with it. A tool that is still running may start another browser.",
    endEverything: undefined,
    deleteGroup: undefined,
    watching: undefined,
  },
  connect: (link) => connectTo(link, () => openProcessReader()),
};

/**
 * The provider.
 * @param openReader opens the reader of this machine's processes.
 * @param env the environment, which says where tools keep their files.
 */
export function connectTo(link: Link, openReader: () => Promise<ProcessReader>, env = process.env): Provider {
  const tools = openLocalTools(env);
  const files = new BoundBrowsers(env);

  const find = async (signal: AbortSignal) => {
    const reader = await openReader();
    try {
      return { reader, ...(await findSessions(reader, tools, link.clock, signal)) };
    } catch (error) {
      if (signal.aborted) throw canceled('reading the processes of this machine');
      const what = "the processes of this machine can't be read";
      throw new ProviderError({ kind: 'unexpectedAnswer', what }, `${what}: ${String(error)}`);
    }
  };

  const findOne = async (id: SessionId, signal: AbortSignal) => {
    const { reader, browsers } = await find(signal);
    const browser = browserWith(id, browsers);
    if (browser === undefined) throw new ProviderError({ kind: 'notFound' }, 'there is no such browser');
    return { reader, browser };
  };

  // Sharing is safe, because a signal is sent only after checking that the process is still the same.
  const findForEnds = sharedWithin(sharedMs, link.clock, () => find(neverAborted));

  /** Which browser answered at each of Playwright's sockets, when it last did. */
  const boundTo = new Map<string, { readonly pid: number; readonly bound: BoundBrowser }>();
  /** The ID that each browser has in DevTools, once it has answered there. */
  const devtoolsIds = new Map<SessionId, string>();
  const cpu = new CpuMeter();
  /** What each browser last said about its pages. It may be busy now, or about to end. */
  let pagesBefore: ReadonlyMap<SessionId, readonly Page[]> = new Map();

  return {
    // A list is what could be read about processes at one moment. Only a process ID and start time tell whether one is gone.
    ending: { lists: 'unreliable', mostInFlight: 64, startsAtMost: true, withinMs: 10_000 },

    async check(signal) {
      await find(signal);
      return noFacts;
    },

    async *list(signal) {
      const [{ browsers: all, detached, sockets, processes }, offered] = await Promise.all([
        find(signal),
        files.read(),
      ]);
      // A browser is listed only once. An account that the user added for it shows more.
      const ports = sharedWithin(sharedMs, link.clock, () => readListeningPorts());
      const elsewhere = new Set<AutomatedBrowser>();
      for (const one of all) if (await isElsewhere(one, link.isShownElsewhere, ports)) elsewhere.add(one);
      const browsers = all.filter((one) => !elsewhere.has(one));
      const bound = offered.filter((one) => (sockets?.has(one.socket) ?? true) && !isAttached(one, detached));
      // Before we connect to them.
      const daemons = detached.map(({ daemon }) => daemon.pid);
      const clients = await clientsOfBrowsers(browsers, processes, ports, daemons);
      const served = await browsersOfServers(browsers, link.hasAccountAt, ports);
      const inside = new Map<number, readonly Page[]>();
      const asked = [
        ...bound.map((one) => async () => {
          const dial = () => dialPlaywright(one.socket, link.clock, soon(signal));
          const isExpected = (its: number) => isOfOwner(one.socket, its, browsers, sockets);
          const pid = await pagesOf(dial, inside, signal, isExpected);
          if (pid !== undefined) boundTo.set(one.socket, { pid, bound: one });
        }),
        ...browsers.flatMap((one) => {
          let devtoolsId: string | undefined;
          const dial = async () => {
            const dialed = await dialPort(link, one, ports, soon(signal));
            devtoolsId = dialed.id;
            return dialed.cdp;
          };
          const isExpected = (pid: number) => pid === one.process.pid;
          const ask = async () => {
            const pid = await pagesOf(dial, inside, signal, isExpected);
            if (pid !== undefined && devtoolsId !== undefined) devtoolsIds.set(idOf(one.process), devtoolsId);
          };
          return one.port === undefined ? [] : [ask];
        }),
      ];
      const next = async () => {
        for (let ask = asked.shift(); ask !== undefined; ask = asked.shift()) await ask();
      };
      await Promise.all(Array.from({ length: mostAsked }, next));
      if (signal.aborted) throw canceled('listing');
      const current = new Set(bound.map(({ socket }) => socket));
      for (const socket of boundTo.keys()) if (!current.has(socket)) boundTo.delete(socket);
      // Only those based on Chromium are bound with DevTools.
      const bindable = browsers.filter(({ engine }) => engine === undefined);
      for (const [one, pid] of await browsersOfOwners(bound, bindable, sockets))
        if (!boundTo.has(one.socket)) boundTo.set(one.socket, { pid, bound: one });
      const there = new Set(all.map(({ process }) => idOf(process)));
      for (const id of devtoolsIds.keys()) if (!there.has(id)) devtoolsIds.delete(id);
      const boundBy = new Map([...boundTo.values()].map((one) => [one.pid, one.bound]));
      const used = cpu.measure(cpuTimes(browsers), link.clock.monotonic());
      const known = browsers.map((one) => {
        const { pid } = one.process;
        return {
          ...one,
          bound: boundBy.get(pid),
          cpu: used.get(idOf(one.process)),
          client: clients.get(pid),
          isServed: served.has(pid),
          devtoolsId: devtoolsIds.get(idOf(one.process)),
        };
      });
      const pages = new Map<SessionId, readonly Page[]>();
      for (const { process: root } of browsers) {
        const its = inside.get(root.pid) ?? pagesBefore.get(idOf(root));
        if (its !== undefined) pages.set(idOf(root), its);
      }
      pagesBefore = pages;
      const groups = new Map([...known.map(groupOf), ...detached.map(groupOfTool)].map((group) => [group.id, group]));
      yield {
        sessions: [
          ...known.map((one) => sessionOf(one, pages.get(idOf(one.process)))),
          ...detached.map(detachedSession),
        ],
        groups: [...groups.values()],
        faults: [],
        account: noFacts,
        shownElsewhere: new Map([
          ...[...elsewhere].map((one) => [idOf(one.process), one.port] as const),
          ...all.flatMap((one) => one.launchers.map((launcher) => [idOf(launcher), undefined] as const)),
        ]),
      };
    },

    async end({ id, local, ends, drives }, signal) {
      const fault = idFault(id);
      if (fault !== undefined) throw unaddressable('ending a process', fault);
      const meantIn = ({ browsers, detached }: Awaited<ReturnType<typeof find>>) => {
        const browser = browserWith(id, browsers);
        return { browser, session: browser?.session ?? detached.find(({ daemon }) => idOf(daemon) === id) };
      };
      let found = await findForEnds();
      if (signal.aborted) throw canceled('ending a process');
      if (meantIn(found).browser === undefined) found = await find(signal);
      const { reader, browsers } = found;
      const { browser, session } = meantIn(found);
      if (browser === undefined && session === undefined) {
        if (!(await isThere(reader, id))) return { outcome: 'alreadyGone', how: undefined };
        throw new ProviderError({ kind: 'otherSession' }, 'the process is no longer a browser that automation started');
      }
      // A process that has become another program keeps its ID.
      if (browser !== undefined && local !== undefined && local.profile?.folder !== browser.profile)
        throw new ProviderError({ kind: 'otherSession' }, 'the process has become another browser');
      // A tool's stop ends all of its browsers, so it's used only if this is its only one.
      const itsBrowsers = browsers.filter(
        ({ ownerPids }) => session !== undefined && ownerPids.includes(session.daemon.pid),
      );
      const isAlone = itsBrowsers.every(({ process }) => process.pid === browser?.process.pid);
      if (browser === undefined && !isAlone)
        throw new ProviderError({ kind: 'otherSession' }, 'it has a browser by now');
      // A tool's background process may control another browser than the one that was confirmed.
      if (browser === undefined && session !== undefined) {
        const now = detachedSession(session);
        if (now.ends !== ends || !same(now.drives, drives))
          throw new ProviderError({ kind: 'otherSession' }, 'it controls another browser by now');
      }
      const tool = isAlone ? session : undefined;
      const processes = {
        browser: browser?.process,
        children: browser?.children ?? [],
        daemon: tool?.daemon,
        stop: tool?.stop,
      };
      const outcome = await endSession(processes, reader, link.clock, signal);
      if (outcome === 'gone') return { outcome: 'alreadyGone', how: undefined };
      if (outcome === 'stillRuns') return { outcome: 'accepted', how: undefined };
      const how = outcome === 'killed' ? translatable("It didn't end in time, so it was killed.") : undefined;
      return { outcome: 'ended', how: session?.browser === 'cloud' ? checkCloud : how };
    },

    async probe({ id }) {
      return (await isThere(await openReader(), id)) ? 'running' : 'gone';
    },

    async screenshot(id, signal) {
      const { reader, browser } = await findOne(id, signal);
      const take = browser.session?.screenshot;
      if (take === undefined)
        throw new ProviderError({ kind: 'unsupported', reason: { kind: 'noRequest' } }, 'no call');
      // Asking a tool whose browser has ended would start another one.
      if (!(await isThere(reader, id))) throw new ProviderError({ kind: 'notFound' }, 'the browser has ended');
      return take(link.clock, signal);
    },

    async devtools(id, signal): Promise<SessionDevtools> {
      const { browser } = await findOne(id, signal);
      const { pid } = browser.process;
      const socket = [...boundTo].find(([, its]) => its.pid === pid)?.[0];
      const connection =
        socket === undefined
          ? (await dialPort(link, browser, readListeningPorts, signal)).cdp
          : await dialPlaywright(socket, link.clock, signal);
      try {
        const isOther = socket !== undefined && !(await isOfOwner(socket, pid, [browser]));
        if (isOther || (await pidOf(connection, signal)) !== pid)
          throw new ProviderError({ kind: 'otherSession' }, 'another browser answers');
        return { connection, owns: () => true };
      } catch (error) {
        connection.dispose();
        throw error;
      }
    },
  };
}

/**
 * The IDs of processes include what tells them from others with the same process ID. Start times can't be compared: Linux counts
 * them from a boot time that moves whenever the machine's clock is set (`btime`, proc(5)).
 */
const hasUniqueId = true;

/** The process ID alone isn't enough, because it is given to another process one day. */
function idOf({ pid, identity }: LocalProcess): SessionId {
  return sessionId(`${pid}-${identity}`);
}

function browserWith<Browser extends AutomatedBrowser>(
  id: SessionId,
  browsers: readonly Browser[],
): Browser | undefined {
  return browsers.find(({ process }) => idOf(process) === id);
}

function cpuTimes(browsers: readonly AutomatedBrowser[]): ReadonlyMap<SessionId, number> {
  return new Map(browsers.flatMap((one) => (one.cpuMs === undefined ? [] : [[idOf(one.process), one.cpuMs] as const])));
}

async function isThere(reader: ProcessReader, id: SessionId): Promise<boolean> {
  const [, pid, identity] = /^(\d+)-(.*)$/.exec(id) ?? [];
  return pid !== undefined && identity !== undefined && isStillRunning(reader, { pid: Number(pid), identity });
}

function sessionOf(browser: KnownBrowser, pages: readonly Page[] | undefined): Session {
  const { process: root, owners, port, bound, session, isServed } = browser;
  const tool = session?.tool ?? browser.tool;
  const title = pages?.find((page) => !isEmptyTab(page) && page.title !== '')?.title;
  return newSession(idOf(root), {
    hasUniqueId,
    name: title ?? session?.name ?? bound?.title ?? tool ?? programName(root.program),
    startedAt: root.startedAt,
    groupId: groupOf(browser).id,
    metadata: new Map([...(tool === undefined ? [] : [['tool', tool] as const]), ['owner', owners[0] ?? 'none']]),
    pages,
    canWatch: port !== undefined || bound !== undefined,
    canTakeScreenshot: session?.screenshot !== undefined,
    bulkEndExclusion: isServed
      ? translatable('It belongs to a server on this machine that has an account of its own.')
      : undefined,
    ...localFacts(browser),
  });
}

const checkCloud = translatable('Its browser runs at a cloud provider. Check there whether it has ended.');

/** A session without a browser of its own on this machine. Ending it ends the tool's background process. */
function detachedSession(session: ToolSession): Session {
  const { tool, name, workspace, daemon, browser, drives } = session;
  const isInCloud = browser === 'cloud';
  return newSession(idOf(daemon), {
    hasUniqueId,
    name,
    startedAt: daemon.startedAt,
    groupId: groupOfTool(session).id,
    metadata: new Map([['tool', tool]]),
    traits: [isInCloud ? translatable('in a cloud') : translatable('attached')],
    canWatch: false,
    // A tool ends its own browser in a cloud when it's asked to end the session.
    ends: isInCloud ? 'session' : 'connection',
    drives,
    bulkEndExclusion: isInCloud
      ? translatable(
          "Its browser runs in a cloud. The tool usually ends it there too, which can't be confirmed from here.",
        )
      : translatable("It's attached to a browser that it didn't start itself."),
    facts: [
      [translatable('Session'), name],
      [translatable('Browser'), isInCloud ? translatable('In a cloud') : translatable('Attached')],
      [translatable('Process ID'), `${daemon.pid}`],
      ...(workspace === undefined ? [] : [[translatable('Started in'), workspace] as const]),
    ],
  });
}

/** `Playwright MCP · claude-code`: the MCP server's title is the agent that it serves. */
function groupOf({ tool, owners, isLeftBehind, bound, session }: KnownBrowser): Group {
  if (session !== undefined) return groupOfTool(session);
  const owner = tool === 'Playwright MCP' && bound !== undefined && bound.title !== '' ? bound.title : owners[0];
  return groupCalled(isLeftBehind ? 'Left behind' : [tool, owner].filter((part) => part !== undefined).join(' · '));
}

/** `agent-browser · checkout` */
function groupOfTool({ tool, name }: ToolSession): Group {
  return groupCalled(`${tool} · ${name}`);
}

/** In characters. More isn't shown. */
const longestGroupName = 200;

function groupCalled(name: string): Group {
  // Names come from other programs and can't be IDs as they are. The hash tells apart two that become the same text.
  const readable = name.replaceAll(/[^\w.-]/g, '-').slice(0, 60) || 'other';
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12);
  // No ID may be "all", which a program may be called.
  const id = groupId(/^[a-z ]{1,60}$/i.test(name) ? `by-${readable}` : `by-${readable}-${hash}`);
  return {
    id,
    kind: 'metadata',
    name: name.slice(0, longestGroupName) || 'Other',
    status: undefined,
    createdAt: undefined,
  };
}
