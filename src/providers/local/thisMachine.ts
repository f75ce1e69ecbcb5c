import * as v from 'valibot';
import type { AccountFacts } from '../../core/account.ts';
import type { CdpConnection, SessionDevtools } from '../../core/cdp.ts';
import type { Group } from '../../core/group.ts';
import { groupId, idFault, type SessionId, sessionId } from '../../core/ids.ts';
import { newSession } from '../../core/newSession.ts';
import { isEmptyTab, type Page } from '../../core/page.ts';
import type { Link, Provider, ProviderKind } from '../../core/provider.ts';
import { cancelled, ProviderError, unaddressable } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import { decodeValue } from '../../http/decode.ts';
import { type AutomatedBrowser, findBrowsers } from '../../local/browsers.ts';
import { portOfProfile } from '../../local/devtoolsPort.ts';
import { endProcess } from '../../local/endProcess.ts';
import { type BoundBrowser, readBound } from '../../local/playwrightFiles.ts';
import { dialPlaywright } from '../../local/playwrightWire.ts';
import { openProcessReader, type ProcessReader, programName } from '../../local/processes.ts';
import { dialBrowser, tabsIn } from '../devtools.ts';
import { CpuMeter } from './cpuMeter.ts';
import { type KnownBrowser, localFacts } from './localFacts.ts';

// Browsers that automation started on this machine: by Playwright, Puppeteer, agent-browser and others. They are found among
// the processes, by the profile folders that these tools give their browsers. Nothing is asked of the tools, because some of
// their answers start a browser, delete files or put off a timeout.
//
// A session is a browser process. What confirms an end: no process has its pid and its start time any more.
// Whoever started it is left alone: a Playwright MCP or Chrome DevTools MCP server opens a new browser with its next call.

const Processes = v.object({ processInfo: v.array(v.object({ type: v.string(), id: v.number() })) });

/** How long a browser may take to say which pages it has, in milliseconds. A frozen one never answers. */
const pagesTimeoutMs = 1_500;
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
  can: ['devtools'],
  wording: {
    session: 'A browser on this machine that a tool or script started. Your own browser is never listed.',
    ending:
      'The browser process ends. Unsaved work in its pages is lost, and a script that uses it is disconnected. A tool that is still running may start another browser.',
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
  const find = async (signal: AbortSignal) => {
    const reader = await openReader();
    try {
      return { reader, browsers: await Promise.all((await findBrowsers(reader, signal)).map(withLivePort)) };
    } catch (error) {
      if (signal.aborted) throw cancelled('reading the processes of this machine');
      const what = "the processes of this machine can't be read";
      throw new ProviderError({ kind: 'unexpectedAnswer', what }, `${what}: ${String(error)}`);
    }
  };

  /** Which browser answered at each of Playwright's sockets, when it last did. */
  const boundTo = new Map<string, { readonly pid: number; readonly bound: BoundBrowser }>();
  const cpu = new CpuMeter();

  return {
    // A list shows what is read of processes at one moment. Whether one is gone, only its process ID and start tell.
    ending: { lists: 'unreliable', mostInFlight: 16, withinMs: 10_000 },

    async check(signal) {
      await find(signal);
      return noFacts;
    },

    async *list(signal) {
      const [{ browsers: all }, bound] = await Promise.all([find(signal), readBound(env)]);
      // The same browser is one row: an account that the user added for it shows more.
      const isElsewhere = ({ port }: AutomatedBrowser) => port !== undefined && link.isShownElsewhere(port);
      const browsers = all.filter((one) => !isElsewhere(one));
      const inside = new Map<number, readonly Page[]>();
      const asked = [
        ...bound.map((one) => async () => {
          const pid = await insideOf(() => dialPlaywright(one.socket, link.clock, soon(signal)), inside, signal);
          if (pid !== undefined) boundTo.set(one.socket, { pid, bound: one });
        }),
        ...browsers.flatMap((one) =>
          one.port === undefined
            ? []
            : [() => insideOf(() => dialPort(link, one, soon(signal)), inside, signal, one.process.pid)],
        ),
      ];
      const next = async () => {
        for (let ask = asked.shift(); ask !== undefined; ask = asked.shift()) await ask();
      };
      await Promise.all(Array.from({ length: mostAsked }, next));
      if (signal.aborted) throw cancelled('listing');
      const offered = new Set(bound.map(({ socket }) => socket));
      for (const socket of boundTo.keys()) if (!offered.has(socket)) boundTo.delete(socket);
      const boundBy = new Map([...boundTo.values()].map((one) => [one.pid, one.bound]));
      const used = cpu.measure(cpuTimes(browsers), link.clock.monotonic());
      const known = browsers.map((one) => ({ ...one, bound: boundBy.get(one.process.pid), cpu: used.get(idOf(one)) }));
      const groups = new Map(known.map(groupOf).map((group) => [group.id, group]));
      yield {
        sessions: known.map((one) => sessionOf(one, inside.get(one.process.pid))),
        groups: [...groups.values()],
        faults: [],
        account: noFacts,
        shownElsewhere: all.filter(isElsewhere).map(idOf),
      };
    },

    async end({ id }, signal) {
      const fault = idFault(id);
      if (fault !== undefined) throw unaddressable('ending a process', fault);
      const { reader, browsers } = await find(signal);
      const browser = browsers.find((one) => idOf(one) === id);
      if (browser === undefined) {
        if (!(await isThere(reader, id))) return { outcome: 'alreadyGone', how: undefined };
        throw new ProviderError({ kind: 'conflict' }, 'the process is no longer a browser that automation started');
      }
      const outcome = await endProcess(browser.process, reader, link.clock, signal);
      if (outcome === 'gone') return { outcome: 'alreadyGone', how: undefined };
      if (outcome === 'stillRuns') return { outcome: 'accepted', how: undefined };
      const how = outcome === 'killed' ? "It was killed, because it didn't end by itself within 3 seconds." : undefined;
      return { outcome: 'ended', how };
    },

    async probe({ id }) {
      return (await isThere(await openReader(), id)) ? 'running' : 'gone';
    },

    async devtools(id, signal): Promise<SessionDevtools> {
      const { browsers } = await find(signal);
      const browser = browsers.find((one) => idOf(one) === id);
      if (browser === undefined) throw new ProviderError({ kind: 'notFound' }, 'there is no such browser');
      const { pid } = browser.process;
      const socket = [...boundTo].find(([, its]) => its.pid === pid)?.[0];
      const connection =
        socket === undefined ? await dialPort(link, browser, signal) : await dialPlaywright(socket, link.clock, signal);
      try {
        if ((await pidOf(connection, signal)) !== pid)
          throw new ProviderError({ kind: 'conflict' }, 'another browser answers');
        return { connection, owns: () => true };
      } catch (error) {
        connection.dispose();
        throw error;
      }
    },
  };
}

/** The process ID alone isn't enough, because it is given to another process one day. */
function idOf({ process: { pid, identity } }: AutomatedBrowser): SessionId {
  return sessionId(`${pid}-${identity}`);
}

function cpuTimes(browsers: readonly AutomatedBrowser[]): ReadonlyMap<SessionId, number> {
  return new Map(browsers.flatMap((one) => (one.cpuMs === undefined ? [] : [[idOf(one), one.cpuMs] as const])));
}

async function isThere(reader: ProcessReader, id: SessionId): Promise<boolean> {
  const [, pid, identity] = /^(\d+)-(.*)$/.exec(id) ?? [];
  return pid !== undefined && (await reader.identityOf(Number(pid))) === identity;
}

function sessionOf(browser: KnownBrowser, pages: readonly Page[] | undefined): Session {
  const { process: root, tool, owners, port, bound } = browser;
  const title = pages?.find((page) => !isEmptyTab(page) && page.title !== '')?.title;
  return newSession(idOf(browser), {
    name: title ?? bound?.title ?? tool ?? programName(root.program),
    startedAt: root.startedAt,
    groupId: groupOf(browser).id,
    metadata: new Map([...(tool === undefined ? [] : [['tool', tool] as const]), ['owner', owners[0] ?? 'none']]),
    pages,
    canWatch: port !== undefined || bound !== undefined,
    ...localFacts(browser),
  });
}

/** `Playwright MCP · claude-code`: the MCP server's title is the agent that it serves. */
function groupOf({ tool, owners, isLeftBehind, bound }: KnownBrowser): Group {
  const owner = tool === 'Playwright MCP' && bound !== undefined && bound.title !== '' ? bound.title : owners[0];
  const name = isLeftBehind ? 'Left behind' : [tool, owner].filter((part) => part !== undefined).join(' · ');
  const id = groupId(name.replaceAll(/[^\w.-]/g, '-') || 'other');
  return { id, kind: 'metadata', name: name || 'Other', status: undefined, createdAt: undefined };
}

const soon = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(pagesTimeoutMs)]);

/**
 * Asks a browser for its pages, and notes them under its process ID.
 * @param expected the ID that it must have: whatever answers at a port could otherwise give another browser's row a name.
 * @returns that ID; undefined where it doesn't answer in time. Never rejects.
 */
async function insideOf(
  dial: () => Promise<CdpConnection>,
  inside: Map<number, readonly Page[]>,
  signal: AbortSignal,
  expected?: number,
): Promise<number | undefined> {
  try {
    const cdp = await dial();
    try {
      const within = soon(signal);
      const [pid, answer] = await Promise.all([pidOf(cdp, within), cdp.send('Target.getTargets', {}, within)]);
      const pages = (await tabsIn(answer)).tabs.map(({ page }) => page);
      if (pid !== undefined && (expected === undefined || pid === expected))
        inside.set(
          pid,
          pages.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
        );
      return pid;
    } finally {
      cdp.dispose();
    }
  } catch {
    return undefined;
  }
}

/** The process ID of the browser at the other end of a connection. */
async function pidOf(cdp: CdpConnection, signal: AbortSignal): Promise<number | undefined> {
  const { processInfo } = decodeValue(Processes, await cdp.send('SystemInfo.getProcessInfo', {}, signal));
  return processInfo.find(({ type }) => type === 'browser')?.id;
}

/** The same browser with the port that it chose itself, as far as it has. */
async function withLivePort(browser: AutomatedBrowser): Promise<AutomatedBrowser> {
  return browser.port === 0 ? { ...browser, port: (await portOfProfile(browser.profile))?.port } : browser;
}

/** Connects to the DevTools port of a browser. Another browser may answer there: ask for its process ID first. */
async function dialPort(link: Link, { port }: AutomatedBrowser, signal: AbortSignal): Promise<CdpConnection> {
  if (port === undefined) {
    throw new ProviderError({ kind: 'unsupported', reason: { kind: 'sessionLiveView' } }, 'it has no DevTools port');
  }
  return (await dialBrowser(link.localPort(port), signal, { timeoutMs: 2_000 })).cdp;
}
