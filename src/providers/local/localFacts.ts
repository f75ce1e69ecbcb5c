import type { LocalBrowser, LocalProfile } from '../../core/localBrowser.ts';
import type { KnownFacts } from '../../core/newSession.ts';
import { translatable } from '../../core/translatable.ts';
import type { AutomatedBrowser } from '../../local/browsers.ts';
import type { BoundBrowser } from '../../local/playwrightFiles.ts';
import type { ToolSession } from './localTool.ts';

/** A browser with what else is known about it. */
export interface KnownBrowser extends AutomatedBrowser {
  /** What Playwright says about it, if Playwright has bound it. */
  readonly bound: BoundBrowser | undefined;
  /** The session of the tool that started it, if that tool has sessions. */
  readonly session: ToolSession | undefined;
  /** Its CPU usage in percent of one core, if known. */
  readonly cpu: number | undefined;
  /** The name of a program that is connected to it now and hasn't started it. */
  readonly client: string | undefined;
  /** Whether a server on this machine runs it that has an account of its own. */
  readonly isServed: boolean;
  /** The random ID that it has in DevTools, if it has answered there. */
  readonly devtoolsId: string | undefined;
}

/** Memory is rounded to this many bytes, so that a row isn't redrawn whenever it changes a little. */
const memoryStep = 50e6;
/** A row shows CPU usage from this percentage of one core. */
const busyCpu = 25;

/** Agents that people give work to. Other programs, such as servers and shells, run between them and the browser. */
const agents = /^(claude|codex|cursor|gemini|copilot|opencode|goose|aider|windsurf|amp|cline)\b/i;

/**
 * What may be using a browser: a program that is connected to it, the agent that a Playwright MCP server serves, an agent among its
 * owners, or the nearest owner.
 */
export function userOf({ tool, owners, bound, isLeftBehind, client }: KnownBrowser): string | undefined {
  if (isLeftBehind || client !== undefined) return client;
  if (tool === 'Playwright MCP' && bound !== undefined && bound.title !== '') return bound.title;
  return owners.find((name) => agents.test(name)) ?? owners[0];
}

/** What is known about a session because its browser runs on this machine. */
export function localFacts(
  browser: KnownBrowser,
): Required<Pick<KnownFacts, 'inUseBy' | 'local' | 'traits' | 'facts'>> {
  const { process, owners, isLeftBehind, isHeadless, cpu, session, engine } = browser;
  const local: LocalBrowser = {
    isLeftBehind,
    startedIn: browser.session?.workspace ?? browser.bound?.workspace ?? browser.startedIn,
    profile: browser.profile === undefined ? undefined : { folder: browser.profile, afterEnd: afterEnd(browser) },
    port: browser.port,
    devtoolsId: browser.devtoolsId,
    memory: roundedMemory(browser.memory),
    cpu,
  };
  const { startedIn, memory, profile } = local;
  return {
    inUseBy: userOf(browser),
    local,
    traits: [
      ...(isLeftBehind ? [translatable('left behind')] : []),
      ...(engine === undefined ? [] : [engine]),
      ...(isHeadless ? [translatable('headless')] : []),
      ...(cpu !== undefined && cpu >= busyCpu ? [`${cpu}% CPU`] : []),
    ],
    facts: [
      ...(session === undefined ? [] : [[translatable('Session'), session.name] as const]),
      ...(engine === undefined ? [] : [[translatable('Browser'), engine] as const]),
      [translatable('Started by'), isLeftBehind ? translatable('A program that has ended') : owners.join(' ← ')],
      [translatable('Process ID'), `${process.pid}`],
      ...(startedIn === undefined ? [] : [[translatable('Started in'), startedIn] as const]),
      ...(memory === undefined ? [] : [[translatable('Memory'), `${memory / 1e6} MB`] as const]),
      ...(cpu === undefined ? [] : [[translatable('CPU'), `${cpu}%`] as const]),
      [translatable('Window'), isHeadless ? translatable('None (headless)') : translatable('Visible')],
      [translatable('Profile'), profile === undefined ? translatable('No profile') : profileFact[profile.afterEnd]],
    ],
  };
}

const profileFact: Readonly<Record<LocalProfile['afterEnd'], string>> = {
  kept: translatable('Kept when the browser ends'),
  deleted: translatable('Temporary, deleted by its tool'),
  left: translatable('Temporary, stays on disk'),
};

function afterEnd({ keepsProfile, isLeftBehind }: KnownBrowser): LocalProfile['afterEnd'] {
  if (keepsProfile) return 'kept';
  return isLeftBehind ? 'left' : 'deleted';
}

function roundedMemory(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : memoryStep * Math.max(1, Math.round(bytes / memoryStep));
}
