import { flagOf, type LocalProcess, programName } from './processes.ts';

/** What the processes of one kind of browser look like. */
export interface BrowserKind {
  /** Its name, if it isn't based on Chromium. */
  readonly name: 'Firefox' | 'WebKit' | undefined;
  /** Whether a process is a child process of a browser, such as a renderer. */
  isChild(process: LocalProcess): boolean;
  /** The folder of its profile in its arguments; undefined if they name none. */
  profileOf(process: LocalProcess): string | undefined;
  /** The tool that starts it without a profile; undefined if only users do. */
  readonly toolWithoutProfile: 'Playwright' | undefined;
  isHeadless(process: LocalProcess): boolean;
  /** The DevTools port in its arguments: 0 if the browser chose one itself. */
  portOf(process: LocalProcess): number | undefined;
  /** Whether a program can control it. */
  isControllable(process: LocalProcess): boolean;
  /** Whether only programs start it like this: users debug their own browsers, too. */
  isAutomated(process: LocalProcess): boolean;
  /** Whether its parent is a shell script that only starts it and waits for it to end. */
  isWrapper(parent: LocalProcess): boolean;
}

/** Flags that Chrome and WebKit have in common. */
const flagsInCommon = {
  profileOf: (process: LocalProcess) => flagOf(process, '--user-data-dir'),
  isHeadless: (process: LocalProcess) => flagOf(process, '--headless') !== undefined,
};

/** Chrome and the browsers that are based on it. Their child processes have all their arguments in one string. */
const chromium: BrowserKind = {
  ...flagsInCommon,
  name: undefined,
  isChild: ({ args }) => args.some((arg) => /(^|\s)--type=/.test(arg)),
  toolWithoutProfile: undefined,
  portOf: (process) => portIn(flagOf(process, '--remote-debugging-port')),
  isControllable: (process) =>
    chromium.portOf(process) !== undefined || flagOf(process, '--remote-debugging-pipe') !== undefined,
  isAutomated: (process) => flagOf(process, '--enable-automation') !== undefined || chromium.isHeadless(process),
  isWrapper: () => false,
};

/** Only programs start Firefox with one of these. */
const automationFlags = ['juggler-pipe', 'juggler', 'marionette'];

/**
 * Firefox and browsers that are made from it. They take flags with one or two dashes, and a value after a space. All child processes
 * have `-contentproc` as their first argument; on Linux, most of them are children of one of those, the fork server (Firefox 153).
 * Playwright starts its own build with `-juggler-pipe`, geckodriver with `--marionette`, and Puppeteer with a port that only
 * understands WebDriver BiDi.
 */
const firefox: BrowserKind = {
  name: 'Firefox',
  isChild: ({ args: [first = '', ...others], program }) =>
    programName(program) === 'plugin-container' ||
    (others.length === 0 ? / -contentproc( |$)/.test(first) : /^-contentproc( |$)/.test(others[0] ?? '')),
  profileOf: (process) => mozillaFlagOf(process, 'profile'),
  toolWithoutProfile: undefined,
  isHeadless: (process) => hasMozillaFlag(process, 'headless'),
  // Its DevTools speak another protocol.
  portOf: () => undefined,
  isControllable: (process) => hasMozillaFlag(process, ...automationFlags, 'remote-debugging-port'),
  isAutomated: (process) => hasMozillaFlag(process, ...automationFlags, 'headless'),
  isWrapper: () => false,
};

/**
 * Playwright's build of WebKit. It has a profile only if its script asks for one. On macOS, its child processes aren't its
 * children. On macOS and Linux, a shell script starts it and waits (`browser_patches/webkit/pw_run.sh` in Playwright's repository).
 */
const webkit: BrowserKind = {
  ...flagsInCommon,
  name: 'WebKit',
  isChild: ({ program }) => /^(WPE|WebKit)(Web|Network|GPU)Process$/.test(programName(program)),
  toolWithoutProfile: 'Playwright',
  portOf: () => undefined,
  isControllable: (process) => flagOf(process, '--inspector-pipe') !== undefined,
  isAutomated: (process) => webkit.isControllable(process),
  isWrapper: ({ args }) => args.slice(0, 2).some((arg) => /[/\\]pw_run\.sh$/.test(arg)),
};

const kinds: ReadonlyMap<string, BrowserKind> = new Map([
  ...[
    'chrome',
    'chromium',
    'chromium-browser',
    'Google Chrome',
    'Google Chrome for Testing',
    'Chromium',
    'msedge',
    'Microsoft Edge',
    'headless_shell',
    'headless-shell',
    'chrome-headless-shell',
    'Brave Browser',
    'brave',
    'Vivaldi',
    'vivaldi-bin',
    'Opera',
    'opera',
    'thorium',
  ].map((name) => [name, chromium] as const),
  ...['firefox', 'firefox-bin', 'firefox-esr', 'camoufox', 'camoufox-bin', 'plugin-container'].map(
    (name) => [name, firefox] as const,
  ),
  ...[
    'MiniBrowser',
    'Playwright',
    'WPEWebProcess',
    'WPENetworkProcess',
    'WPEGPUProcess',
    'WebKitWebProcess',
    'WebKitNetworkProcess',
    'WebKitGPUProcess',
  ].map((name) => [name, webkit] as const),
]);

/** Whether a program of this name may be a browser or one of its child processes. */
export function isBrowserName(name: string): boolean {
  return kinds.has(name);
}

/** Whether a program's flags may have one dash only. */
export function takesOneDash(program: string): boolean {
  return kinds.get(programName(program)) === firefox;
}

/** The kind of browser that a process with a browser's name belongs to. */
export function kindOf({ program }: Pick<LocalProcess, 'program'>): BrowserKind {
  return kinds.get(programName(program)) ?? chromium;
}

function portIn(flag: string | undefined): number | undefined {
  const port = flag === undefined || !/^\d{1,5}$/.test(flag) ? undefined : Number(flag);
  return port !== undefined && port <= 65_535 ? port : undefined;
}

/**
 * The value of one of Firefox's flags, such as `-profile <folder>` or `--profile=<folder>`; empty if it has none, undefined if the
 * flag is missing. As in Firefox, the first one counts. On macOS, a flag and its value are one argument here.
 */
function mozillaFlagOf({ args }: Pick<LocalProcess, 'args'>, name: string): string | undefined {
  for (const [at, arg] of args.entries()) {
    const flag = arg.replace(/^--?/, '');
    if (flag === arg || !flag.toLowerCase().startsWith(name)) continue;
    const rest = flag.slice(name.length);
    const next = args[at + 1] ?? '';
    if (rest === '') return next.startsWith('-') ? '' : next;
    if (!/^[= ]/.test(rest)) continue;
    const address = rest.search(/ (about|https?|file):/);
    return rest.slice(1, address < 0 ? undefined : address);
  }
  return undefined;
}

function hasMozillaFlag(process: LocalProcess, ...names: readonly string[]): boolean {
  return names.some((name) => mozillaFlagOf(process, name) !== undefined);
}
