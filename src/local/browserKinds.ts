import { flagOf, type LocalProcess, programName } from './processes.ts';

/** What the processes of one kind of browser look like. */
export interface BrowserKind {
  /** Whether a process is a child process of a browser, such as a renderer. */
  isChild(process: LocalProcess): boolean;
  /** The folder of its profile in the arguments; undefined if there is none, so that it has the user's profile or none. */
  profileOf(process: LocalProcess): string | undefined;
  isHeadless(process: LocalProcess): boolean;
  /** The DevTools port in its arguments: 0 if the browser chose one itself. */
  portOf(process: LocalProcess): number | undefined;
  /** Whether a program can control it. */
  isControllable(process: LocalProcess): boolean;
  /** Whether only a program starts it like this. Users debug their own browsers, too. */
  isAutomated(process: LocalProcess): boolean;
}

/** Chrome and the browsers that are based on it. Their child processes have all their arguments in one string. */
const chromium: BrowserKind = {
  isChild: ({ args }) => args.some((arg) => /(^|\s)--type=/.test(arg)),
  profileOf: (process) => flagOf(process, '--user-data-dir'),
  isHeadless: (process) => flagOf(process, '--headless') !== undefined,
  portOf: (process) => portIn(flagOf(process, '--remote-debugging-port')),
  isControllable: (process) =>
    chromium.portOf(process) !== undefined || flagOf(process, '--remote-debugging-pipe') !== undefined,
  isAutomated: (process) => flagOf(process, '--enable-automation') !== undefined || chromium.isHeadless(process),
};

const kinds: ReadonlyMap<string, BrowserKind> = new Map(
  [
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
);

/** Whether a program of this name may be a browser or one of its child processes. */
export function isBrowserName(name: string): boolean {
  return kinds.has(name);
}

/** The kind of browser that a process with a browser's name belongs to. */
export function kindOf({ program }: Pick<LocalProcess, 'program'>): BrowserKind {
  return kinds.get(programName(program)) ?? chromium;
}

function portIn(flag: string | undefined): number | undefined {
  const port = flag === undefined || !/^\d{1,5}$/.test(flag) ? undefined : Number(flag);
  return port !== undefined && port <= 65_535 ? port : undefined;
}
