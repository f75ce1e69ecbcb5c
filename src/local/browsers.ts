import { type BrowserKind, isBrowserName, kindOf } from './browserKinds.ts';
import { portOfProfile } from './devtoolsPort.ts';
import { isInterpreter, type LocalProcess, type ProcessList, type ProcessReader, programName } from './processes.ts';
import { processName, scriptOf } from './scriptOf.ts';

/** A tool that starts browsers. */
export type BrowserTool =
  | 'Playwright'
  | 'Playwright MCP'
  | 'playwright-cli'
  | 'agent-browser'
  | 'Chrome DevTools MCP'
  | 'chrome-devtools'
  | 'browse'
  | 'Puppeteer'
  | 'Stagehand'
  | 'browser-use'
  | 'ChromeDriver'
  | 'geckodriver'
  | 'Browser Sessions';

/** A browser on this machine that automation started. */
export interface AutomatedBrowser {
  readonly process: LocalProcess;
  /** Undefined if it's Chrome or based on Chromium. */
  readonly engine: BrowserKind['name'];
  /**
   * Programs with a browser's name that started it with their own arguments and wait for it to end, its parent first. Usually
   * none: a launcher normally becomes the browser.
   */
  readonly launchers: readonly LocalProcess[];
  /** Its renderers and other processes of its own. */
  readonly children: readonly LocalProcess[];
  /** Undefined if its profile folder doesn't show which one. */
  readonly tool: BrowserTool | undefined;
  /** The names of its ancestors that are still running, its parent first: `node`, `claude`. Empty for an orphan. */
  readonly owners: readonly string[];
  /** The pids of its ancestors, its parent first. */
  readonly ownerPids: readonly number[];
  /** Whether the program that started it has ended. */
  readonly isLeftBehind: boolean;
  readonly isHeadless: boolean;
  /** Whether its profile stays when it ends. Tools delete temporary profiles. */
  readonly keepsProfile: boolean;
  /** The working folder of its parent, or its own if it was left behind; undefined if unknown. */
  readonly startedIn: string | undefined;
  /** The folder of its profile; undefined if it has none. */
  readonly profile: string | undefined;
  /** The DevTools port in its arguments: 0 if the browser chose one itself. */
  readonly port: number | undefined;
  /** The total of the browser and its child processes, in bytes. */
  readonly memory: number | undefined;
  readonly cpuMs: number | undefined;
}

/** Where each tool keeps its browsers' profiles, found by running each. Chrome DevTools MCP uses Puppeteer's. */
const profiles: readonly (readonly [BrowserTool, RegExp])[] = [
  ['Playwright MCP', /ms-playwright-mcp[/\\]/],
  ['playwright-cli', /ms-playwright[/\\]daemon[/\\]|[/\\]ud-[^/\\]+-(chromium|firefox|webkit)$/],
  ['Playwright', /playwright_\w*dev_profile-/],
  ['agent-browser', /agent-browser-chrome-/],
  ['Chrome DevTools MCP', /chrome-devtools-mcp/],
  ['Puppeteer', /puppeteer_dev_((chrome|firefox)_)?profile-/],
  ['Stagehand', /stagehand-v3[/\\]profile-|stagehand-chrome-/],
  ['browser-use', /browser-use-user-data-dir-|browseruse-tmp-/],
  ['ChromeDriver', /(^|[/\\.])(org\.chromium\.Chromium\.)?scoped_dir/],
  ['geckodriver', /(^|[/\\])rust_mozprofile/],
];

/** Temporary profiles. The tool that made one deletes it. */
const temporary =
  /[/\\](playwright_\w*dev_profile-|agent-browser-chrome-|puppeteer_dev_|profile-|browseruse-tmp-|[^/\\]*scoped_dir|rust_mozprofile)[^/\\]*$/;

/** In characters. No operating system opens a longer path, but an argument may be much longer. */
const longestPath = 4_096;

/**
 * Finds the browsers that automation started, without connecting to them. The user's own browsers are left out: those
 * with the user's own profile, and those without any sign of automation.
 */
export async function findBrowsers(reader: ProcessReader, signal: AbortSignal): Promise<readonly AutomatedBrowser[]> {
  return browsersAmong(await listBrowserProcesses(reader, signal));
}

/** Reads the processes of all browsers, including the user's own. @throws Error if the operating system can't list them. */
export function listBrowserProcesses(reader: ProcessReader, signal: AbortSignal): Promise<ProcessList> {
  return reader.list(isBrowserName, signal);
}

/** The browsers that automation started, among the processes of {@link listBrowserProcesses}. */
export function browsersAmong(list: ProcessList): readonly AutomatedBrowser[] {
  const children = new Map<number, LocalProcess[]>();
  for (const one of list.found) {
    const siblings = children.get(one.parentPid);
    if (siblings === undefined) children.set(one.parentPid, [one]);
    else siblings.push(one);
  }
  const byPid = new Map(list.found.map((one) => [one.pid, one]));
  const parentOf = ({ parentPid }: LocalProcess) => byPid.get(parentPid);
  // Only a browser has child processes of the kinds that browsers have.
  const withChildren = new Set(list.found.flatMap((one) => (isChild(one) ? [one.parentPid] : [])));
  const isBrowser = ({ pid }: LocalProcess) => withChildren.has(pid);
  const launchersOf = (one: LocalProcess): readonly LocalProcess[] => {
    const launchers = new Set<LocalProcess>();
    if (!isBrowser(one)) return [];
    for (
      let [child, above] = [one, parentOf(one)];
      hasArgumentsOf(child, above) && !isBrowser(above) && !launchers.has(above);
    ) {
      launchers.add(above);
      [child, above] = [above, parentOf(above)];
    }
    return [...launchers];
  };
  const withLaunchers = list.found.filter((one) => !isChild(one)).map((one) => [one, launchersOf(one)] as const);
  const allLaunchers = new Set(withLaunchers.flatMap(([, launchers]) => launchers));
  return withLaunchers.flatMap(([one, launchers]) => {
    // A browser has just forked a process that has its arguments and isn't a browser. It will run its own program.
    const isFork = hasArgumentsOf(one, parentOf(one)) && !isBrowser(one);
    if (isFork || allLaunchers.has(one)) return [];
    const browser = automated(one, launchers, list);
    if (browser === undefined) return [];
    const tree = treeOf(one, children);
    return [{ ...browser, children: tree.slice(1), memory: sum(tree, 'memory'), cpuMs: sum(tree, 'cpuMs') }];
  });
}

/** The same browser with the DevTools port that it chose itself, if it has opened one. */
export async function withLivePort(browser: AutomatedBrowser): Promise<AutomatedBrowser> {
  return browser.port === 0 && browser.profile !== undefined
    ? { ...browser, port: (await portOfProfile(browser.profile))?.port }
    : browser;
}

/** Whether it's a child process of a browser, such as a renderer. */
function isChild(process: LocalProcess): boolean {
  return kindOf(process).isChild(process);
}

/** Whether a process was started with the arguments of its parent, which has a browser's name. */
function hasArgumentsOf(process: LocalProcess, parent: LocalProcess | undefined): parent is LocalProcess {
  const mark = markOf(process);
  return parent !== undefined && mark !== undefined && markOf(parent) === mark;
}

/** What only a browser and what it starts with its own arguments have in common; undefined if it isn't automation's. */
function markOf(process: LocalProcess): string | undefined {
  const kind = kindOf(process);
  const all = kind.toolWithoutProfile === undefined ? undefined : process.args.slice(1).join(' ');
  return kind.profileOf(process) ?? all;
}

function automated(
  process: LocalProcess,
  launchers: readonly LocalProcess[],
  list: ProcessList,
): Omit<AutomatedBrowser, 'children' | 'memory' | 'cpuMs'> | undefined {
  const kind = kindOf(process);
  const profile = kind.profileOf(process);
  if (profile === '' || (profile?.length ?? 0) > longestPath) return undefined;
  if (profile === undefined && kind.toolWithoutProfile === undefined) return undefined;
  const outermost = launchers.at(-1) ?? process;
  const ancestors = list.ancestorsOf(outermost);
  const [parent] = ancestors;
  const wrapper = parent !== undefined && kind.isWrapper(parent) ? parent : undefined;
  const started = wrapper ?? outermost;
  const above = wrapper === undefined ? ancestors : ancestors.slice(1);
  const tool = toolOf(profile === undefined ? kind.toolWithoutProfile : toolWith(profile), above);
  // If nothing can control a browser, a user opened it, perhaps with a tool's profile to sign in there.
  if (!kind.isControllable(process)) return undefined;
  if (tool === undefined && !kind.isAutomated(process)) return undefined;
  // A service's parent is the service manager, as an orphan's is.
  const hasNoStarter = isOrphan(started, above, list.keepsDeadParents);
  const isService = hasNoStarter && list.isService(started);
  const isLeftBehind = hasNoStarter && !isService;
  return {
    process,
    engine: kind.name,
    launchers,
    tool,
    owners: isLeftBehind ? [] : isService && above.length === 0 ? ['systemd'] : above.map(processName),
    ownerPids: above.map(({ pid }) => pid),
    isLeftBehind,
    isHeadless: kind.isHeadless(process),
    keepsProfile: profile !== undefined && !temporary.test(profile),
    startedIn: folderOf(isLeftBehind ? started : (above[0] ?? started), list),
    profile,
    port: kind.portOf(process),
  };
}

/** Daemons often work in the root folder, which doesn't show where they were started. */
function folderOf(process: LocalProcess, list: ProcessList): string | undefined {
  const folder = list.folderOf(process)?.replace(/ \(deleted\)$/, '');
  return folder === '/' ? undefined : folder;
}

/** The tool whose profiles have a folder like this one. */
function toolWith(profile: string): BrowserTool | undefined {
  return profiles.find(([, pattern]) => pattern.test(profile))?.[0];
}

/** Some tools use another tool's profiles. The browser's parent process then shows which tool it is. */
function toolOf(tool: BrowserTool | undefined, [parent]: readonly LocalProcess[]): BrowserTool | undefined {
  const script = parent === undefined ? '' : scriptOf(parent);
  if (tool === 'Playwright' && /@playwright[/\\]mcp\b/.test(script)) return 'Playwright MCP';
  if (tool === 'Playwright' && /\bplaywright/.test(script) && parent?.args.includes('mcp')) return 'Playwright MCP';
  if (tool === 'Playwright' && /cliDaemon\.js$|@playwright[/\\]cli\b/.test(script)) return 'playwright-cli';
  if (tool === 'Puppeteer' && /chrome-devtools/.test(script)) return 'Chrome DevTools MCP';
  return tool;
}

/** Whether its parent has ended, so that its parent is now the first process of the machine, container, or login. */
function isOrphan({ parentPid }: LocalProcess, [parent]: readonly LocalProcess[], keepsDeadParents: boolean): boolean {
  if (keepsDeadParents) return parent === undefined;
  // An interpreter that is the first process of a container may have started the browser.
  if (parentPid <= 1) return !(parent !== undefined && isInterpreter(parent.program));
  return parent !== undefined && /^(systemd|launchd|init)$/.test(programName(parent.program));
}

/** A browser and its own child processes, without those of another browser that it has started. */
function treeOf(root: LocalProcess, children: ReadonlyMap<number, readonly LocalProcess[]>): readonly LocalProcess[] {
  const tree = new Set([root]);
  for (const one of tree) for (const child of children.get(one.pid) ?? []) if (isChild(child)) tree.add(child);
  return [...tree];
}

function sum(tree: readonly LocalProcess[], field: 'memory' | 'cpuMs'): number | undefined {
  return tree.every((one) => one[field] === undefined)
    ? undefined
    : tree.reduce((total, one) => total + (one[field] ?? 0), 0);
}
