import type { WorkspaceConfiguration } from 'vscode';

/**
 * Who may set a setting: `application` only the user, for all windows; `window` also a workspace that the user trusts.
 * What decides where keys travel, how often requests are sent, what is asked before an end or what is kept is
 * `application`: a folder that somebody else wrote must not choose it.
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
      readonly type: 'string';
      readonly default: string;
      /** The only values there are; undefined where any text is one. */
      readonly values: readonly string[] | undefined;
      readonly scope: Scope;
    };

/**
 * Every setting but those of providers, by its name without `browserSessions.`: its default, bounds and scope. package.json
 * says the same to VS Code, which warns about values out of bounds and hands them over all the same.
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
  'liveView.openIn': {
    type: 'string',
    default: 'auto',
    values: ['auto', 'integratedBrowser', 'external'],
    scope: 'application',
  },
  'liveView.keepAliveWhenHidden': { type: 'boolean', default: false, scope: 'application' },
  'network.transport': {
    type: 'string',
    default: 'auto',
    values: ['auto', 'undici', 'editor'],
    scope: 'application',
  },
} as const satisfies Readonly<Record<string, SettingSpec>>;

type Table = typeof settings;

/** The name of a setting, without `browserSessions.`. */
export type SettingKey = keyof Table;

/** What a setting may be. */
export type SettingValue<Key extends SettingKey> = Table[Key] extends { readonly values: readonly (infer Value)[] }
  ? Value
  : Table[Key] extends { readonly type: 'number' }
    ? number
    : Table[Key] extends { readonly type: 'boolean' }
      ? boolean
      : string;

/** Reads a setting as it is now. */
export type ReadSetting = <Key extends SettingKey>(key: Key) => SettingValue<Key>;

/** Longest text that a setting may be, in characters; a longer one counts as not set. */
const longestText = 1_000;

/**
 * What a setting is when this stands in a settings file, where anything may stand. A number out of bounds becomes the
 * nearest that is allowed; what makes no sense at all counts as not set.
 */
export function settingValue<Key extends SettingKey>(key: Key, written: unknown): SettingValue<Key> {
  return checked(settings[key], written) as SettingValue<Key>;
}

function checked(spec: SettingSpec, written: unknown): string | number | boolean {
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
