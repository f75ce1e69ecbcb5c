import type { WorkspaceConfiguration } from 'vscode';

/**
 * Who may set a setting: `application` only the user, for all windows; `window` also a workspace that the user trusts.
 * What decides where keys travel, how often requests are sent, what is asked before an end or what is kept is
 * `application`: a folder from someone else must not choose it.
 */
type Scope = 'application' | 'window';

type SettingSpec =
  | {
      readonly type: 'number';
      readonly default: number;
      readonly min: number;
      readonly max: number;
      /** Whether 0 is allowed besides `min` to `max`, because it turns the thing off. */
      readonly allowsZero: boolean;
      readonly scope: Scope;
    }
  | { readonly type: 'boolean'; readonly default: boolean; readonly scope: Scope }
  | {
      /** Names and numbers. A name whose value isn't one of the allowed numbers is left out. */
      readonly type: 'object';
      readonly default: Readonly<Record<string, number>>;
      readonly min: number;
      readonly max: number;
      readonly scope: Scope;
    }
  | {
      readonly type: 'string';
      readonly default: string;
      /** The only values there are; undefined where any text is one. */
      readonly values: readonly string[] | undefined;
      readonly scope: Scope;
    }
  | {
      readonly type: 'array';
      readonly default: readonly string[];
      /** A regular expression that each item matches as a whole; others are dropped, as are duplicates. */
      readonly items: string;
      readonly scope: Scope;
    };

/**
 * Every setting but those of providers, by its name without `browserSessions.`: its type, default, bounds and scope.
 * package.json is written from it (`npm run manifest`) so that VS Code can warn about other values, which it hands over all
 * the same. How the settings read is in {@link settingTexts}.
 */
export const settings = {
  /** In seconds; 0 refreshes only when asked. */
  'refresh.interval': {
    type: 'number',
    default: 10,
    min: 2,
    max: 600,
    allowsZero: true,
    scope: 'application',
  },
  /** In minutes; 0 for no requests in the background. */
  'refresh.background': {
    type: 'number',
    default: 5,
    min: 1,
    max: 1_440,
    allowsZero: true,
    scope: 'application',
  },
  'confirm.endSession': { type: 'string', default: 'always', values: ['always', 'never'], scope: 'application' },
  'confirm.endAll': { type: 'string', default: 'button', values: ['button', 'typeCount'], scope: 'application' },
  mine: { type: 'string', default: '', values: undefined, scope: 'application' },
  'history.enabled': { type: 'boolean', default: true, scope: 'application' },
  groupByMetadataKey: { type: 'string', default: '', values: undefined, scope: 'window' },
  clickAction: {
    type: 'string',
    default: 'liveView',
    values: ['liveView', 'details', 'none'],
    scope: 'application',
  },
  'statusBar.show': {
    type: 'string',
    default: 'whenRunning',
    values: ['whenRunning', 'always', 'never'],
    scope: 'application',
  },
  badge: { type: 'string', default: 'attention', values: ['attention', 'count', 'off'], scope: 'application' },
  'warnings.show': { type: 'boolean', default: true, scope: 'application' },
  /** After so many minutes a session needs attention; 0 for never. */
  'warnings.ageMinutes': {
    type: 'number',
    default: 60,
    min: 1,
    max: 43_200,
    allowsZero: true,
    scope: 'application',
  },
  'warnings.idleMinutes': {
    type: 'number',
    default: 30,
    min: 1,
    max: 43_200,
    allowsZero: true,
    scope: 'application',
  },
  'row.details': {
    type: 'array',
    default: ['age', 'page', 'region', 'tags', 'traits'],
    items: '^(age|page|region|tags|traits|cost|memory|cpu|accountLimit|metadata:.{1,100})$',
    scope: 'application',
  },
  'liveView.openIn': {
    type: 'string',
    default: 'auto',
    values: ['auto', 'integratedBrowser', 'external'],
    scope: 'application',
  },
  'liveView.keepAliveWhenHidden': { type: 'boolean', default: false, scope: 'application' },
  /** By provider; in the user's own currency. */
  'cost.ratePerHour': { type: 'object', default: {}, min: 0, max: 1_000_000, scope: 'application' },
  'cost.currency': { type: 'string', default: 'USD', values: undefined, scope: 'application' },
  'thisMachine.enabled': { type: 'boolean', default: true, scope: 'application' },
  'network.transport': {
    type: 'string',
    default: 'auto',
    values: ['auto', 'undici', 'editor'],
    scope: 'application',
  },
} as const satisfies Readonly<Record<string, SettingSpec>>;

/** How the settings page and the README present a setting, in English. */
export interface SettingText {
  /** Sentences that begin with "Controls" or "Specifies", as VS Code's own do. May hold Markdown. */
  readonly description: string;
  /** The choices, where there are only some. */
  readonly choices?: Readonly<Record<string, { readonly label: string; readonly description: string }>>;
  /** Tags that VS Code's settings page can be filtered by. */
  readonly tags?: readonly string[];
}

/**
 * The texts of the same settings. Apart from {@link settings} because nothing reads them at run time: the bundler leaves
 * them out of what VS Code loads at its start.
 */
export const settingTexts: { readonly [Key in SettingKey]: SettingText & Choices<Table[Key]> } = {
  'refresh.interval': {
    description:
      'Controls how often, in seconds, sessions are refreshed while the view is visible. The shortest interval is 2 seconds. While nothing changes, refreshing slows to once a minute, or to every few minutes if a list takes several requests. Set to `0` to refresh manually.',
    tags: ['usesOnlineServices'],
  },
  'refresh.background': {
    description:
      "Controls how often, in minutes, sessions are refreshed while the view is hidden, for the status bar, the badge, and warnings. Nothing is requested while the window isn't focused, if all three are turned off, or if `browserSessions.refresh.interval` is `0`. Set to `0` to turn background refreshing off.",
    tags: ['usesOnlineServices'],
  },
  'confirm.endSession': {
    description:
      'Controls whether ending a session from its live view asks for confirmation. Ending a session from the list, with the keyboard, or with a command always asks for confirmation. So does ending a protected session.',
    choices: {
      always: { label: 'Always', description: 'Always ask for confirmation.' },
      never: {
        label: 'Never',
        description:
          'End the session without asking. Takes effect only after you choose "End and Don\'t Ask Again" in a live view on this machine.',
      },
    },
  },
  'confirm.endAll': {
    description:
      'Controls how you confirm ending all sessions: in one account, in all accounts, all of yours, or all browsers that were left behind.',
    choices: {
      button: { label: 'Button', description: "Confirm with the dialog's button." },
      typeCount: {
        label: 'Button and Count',
        description:
          "Confirm with the dialog's button, then type the number of sessions. To end everything in an account, type its name.",
      },
    },
  },
  mine: {
    description:
      "Specifies which sessions are yours, as a metadata key and its value, for example `owner=anna`. Use `tag=anna` to match a tag. An asterisk at the end matches any text, for example `trackingId=anna-*`. Other people's sessions are dimmed, and dialogs list them separately. Browsers on this machine that were started in a workspace folder are always yours.",
  },
  'history.enabled': {
    description:
      'Controls whether ended sessions are kept on this machine and shown in the Recently Ended view. Turning this off deletes the sessions that were kept.',
  },
  groupByMetadataKey: {
    description:
      'Specifies the metadata key to group sessions by, for example `job`. You can also set it with "Group By" > "Metadata Key…". Sessions with the same value for this key are shown as a group. Until you choose how to group, this applies to sessions that aren\'t in a batch. Browserbase calls this metadata `userMetadata`.',
  },
  clickAction: {
    description: 'Controls what happens when you click a session.',
    choices: {
      liveView: {
        label: 'Open Live View',
        description: "Open its live view, or its details if it can't be shown live.",
      },
      details: { label: 'Show Details', description: 'Show its details.' },
      none: { label: 'Select', description: 'Only select it.' },
    },
  },
  'statusBar.show': {
    description: 'Controls whether the status bar shows how many browsers are running, and for how long.',
    choices: {
      whenRunning: { label: 'When Running', description: 'Show it while sessions are running.' },
      always: { label: 'Always', description: 'Always show it.' },
      never: { label: 'Never', description: 'Never show it.' },
    },
  },
  badge: {
    description: "Controls what the badge on the view's icon counts.",
    choices: {
      attention: {
        label: 'Needs Attention',
        description: "Sessions that are over the age or idle limit, and accounts that couldn't be refreshed.",
      },
      count: { label: 'Running Sessions', description: 'All running sessions.' },
      off: { label: 'Off', description: 'Show no badge.' },
    },
  },
  'warnings.show': {
    description:
      'Controls whether a notification warns you about sessions that are over the age or idle limit. It appears every 30 minutes at most, and mentions each session only once.',
  },
  'warnings.ageMinutes': {
    description:
      "Specifies the age limit of running sessions, in minutes. It doesn't apply to protected sessions, other people's sessions, or sessions that are skipped when you end several at once. Set to `0` for no limit.",
  },
  'warnings.idleMinutes': {
    description:
      'Specifies the idle limit of sessions, in minutes. It applies only if the provider reports when a session is idle. Set to `0` for no limit.',
  },
  'row.details': {
    description:
      "Specifies what each session's row shows after the name, in the order you list them: `age`, `page` (the host of its page and the number of pages), `region` (unless sessions are grouped by it), `tags`, `traits` (such as headless or proxy), `cost` (so far, if known), `memory` and `cpu` (of browsers on this machine), `accountLimit` (how many sessions the account is running and its limit), and `metadata:` followed by a key, for example `metadata:job`.",
  },
  'liveView.openIn': {
    description: 'Controls where live views open.',
    choices: {
      auto: {
        label: 'Editor',
        description: "Open in an editor tab. If a page can't be shown there, the tab offers to open it in a browser.",
      },
      integratedBrowser: {
        label: 'Integrated Browser',
        description:
          "Open in a tab of VS Code's integrated browser if it's available, otherwise in your default browser. Sessions whose provider has no live view page open in an editor tab. VS Code stores the addresses of its browser tabs, and anyone with such an address can watch the session.",
      },
      external: {
        label: 'External Browser',
        description:
          'Open in your default browser. Sessions whose provider has no live view page open in an editor tab.',
      },
    },
  },
  'liveView.keepAliveWhenHidden': {
    description:
      "Controls whether live views stay connected while they're hidden behind other editors. This uses memory and, with some providers, keeps sessions from timing out.",
    tags: ['usesOnlineServices'],
  },
  'cost.ratePerHour': {
    description:
      "Specifies what an hour of a session costs you, by provider, for example `{ \"gateway\": 1.5 }`. It's used to estimate the cost of sessions whose provider doesn't report usage. The extension itself doesn't know any prices.",
  },
  'cost.currency': {
    description: 'Specifies the currency of the rates per hour, as a code such as `EUR` or as your own symbol or word.',
  },
  'thisMachine.enabled': {
    description:
      'Controls whether browsers that agents, scripts, and tests started on this machine are shown. While the view is visible, the extension looks for them among your processes and in the files of tools such as agent-browser. Your own browser is never shown.',
  },
  'network.transport': {
    description: 'Controls how requests are sent.',
    choices: {
      auto: {
        label: 'Automatic',
        description:
          "Use undici with VS Code's proxy and certificates. Use VS Code's own fetch if undici can't connect.",
      },
      undici: { label: 'undici', description: 'Use only undici.' },
      editor: { label: 'VS Code', description: "Use only VS Code's own fetch." },
    },
    tags: ['advanced'],
  },
};

type Table = typeof settings;

/** A setting that has only some values has a text for each of them. */
type Choices<Spec> = Spec extends { readonly values: readonly (infer Value extends string)[] }
  ? { readonly choices: Readonly<Record<Value, { readonly label: string; readonly description: string }>> }
  : { readonly choices?: undefined };

/** The name of a setting, without `browserSessions.`. */
export type SettingKey = keyof Table;

/** The type of a setting's value. */
export type SettingValue<Key extends SettingKey> = Table[Key] extends { readonly values: readonly (infer Value)[] }
  ? Value
  : Table[Key] extends { readonly type: 'number' }
    ? number
    : Table[Key] extends { readonly type: 'boolean' }
      ? boolean
      : Table[Key] extends { readonly type: 'object' }
        ? ReadonlyMap<string, number>
        : Table[Key] extends { readonly type: 'array' }
          ? readonly string[]
          : string;

/** Reads a setting's current value. */
export type ReadSetting = <Key extends SettingKey>(key: Key) => SettingValue<Key>;

/** Whether a workspace may set a setting, too. */
export function isForWorkspaces(key: string): boolean {
  return Object.entries(settings).some(([name, { scope }]) => name === key && scope === 'window');
}

/** Longest text of a setting, in characters; a longer one counts as not set. */
const longestText = 1_000;

/**
 * The value of a setting, given what a settings file says, which may be anything. A number out of bounds becomes the
 * nearest that is allowed; what makes no sense at all counts as not set.
 */
export function settingValue<Key extends SettingKey>(key: Key, written: unknown): SettingValue<Key> {
  return checked(settings[key], written) as SettingValue<Key>;
}

/** Most items of a setting that are read. */
const mostItems = 50;

function checked(
  spec: SettingSpec,
  written: unknown,
): string | number | boolean | ReadonlyMap<string, number> | readonly string[] {
  if (spec.type === 'object') return numbersIn(spec, written);
  if (spec.type === 'array') {
    if (!Array.isArray(written)) return spec.default;
    const isItem = new RegExp(spec.items, 'su');
    const items = written.slice(0, mostItems).filter((item) => typeof item === 'string' && isItem.test(item));
    return [...new Set<string>(items)];
  }
  if (typeof written !== spec.type) return spec.default;
  switch (spec.type) {
    case 'number': {
      const number = Number(written);
      if (Number.isNaN(number)) return spec.default;
      if (spec.allowsZero && number <= 0) return 0;
      return Math.min(Math.max(number, spec.min), spec.max);
    }
    case 'boolean':
      return written === true;
    case 'string': {
      const text = String(written);
      if (spec.values === undefined) return text.length > longestText ? spec.default : text;
      return spec.values.includes(text) ? text : spec.default;
    }
  }
}

/** Most names in a setting that has names and numbers; each is read whenever rows are drawn. */
const mostNames = 100;

function numbersIn(spec: SettingSpec & { readonly type: 'object' }, written: unknown): ReadonlyMap<string, number> {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return new Map();
  const entries = Object.entries(written).slice(0, mostNames);
  return new Map(
    entries.flatMap(([name, value]): [string, number][] =>
      typeof value === 'number' && value >= spec.min && value <= spec.max ? [[name, value]] : [],
    ),
  );
}

/**
 * What was written for a setting where its scope lets it be written. VS Code leaves out by itself what a workspace may not
 * set; that this does not rely on it is for settings on which keys depend.
 * @param configuration the section `browserSessions`.
 */
export function written(configuration: WorkspaceConfiguration, key: string, scope: Scope): unknown {
  return scope === 'window' ? configuration.get(key) : configuration.inspect(key)?.globalValue;
}

/** Reads settings from VS Code. @param configuration gives the section `browserSessions` as it is now. */
export function settingsReader(configuration: () => WorkspaceConfiguration): ReadSetting {
  return (key) => settingValue(key, written(configuration(), key, settings[key].scope));
}
