// Writes the commands, menus, keys and titles of the command table, and the settings of the settings table and of the
// providers, into package.json and package.nls.json (`npm run manifest`). test/unit/manifest.test.ts checks that they
// agree.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ProviderKind } from '../src/core/provider.ts';
import { providerKinds } from '../src/providers/index.ts';
import { keybindings } from '../src/ui/commands/keybindings.ts';
import { type CommandEntry, submenus } from '../src/ui/commands/menus.ts';
import { commandPrefix, commandTable } from '../src/ui/commands/table.ts';
import { type SettingKey, type SettingText, settings, settingTexts } from '../src/ui/settings.ts';

const packageFile = new URL('../package.json', import.meta.url);
const wordsFile = new URL('../package.nls.json', import.meta.url);

/** What package.json has under `contributes`, and package.nls.json under `command.*`, according to the table. */
export function manifestOf(table: Readonly<Record<string, CommandEntry>>) {
  const commands = Object.entries(table).map(([name, { icon }]) => ({
    command: commandPrefix + name,
    title: `%command.${name}%`,
    category: '%displayName%',
    ...(icon === undefined ? {} : { icon: `$(${icon})` }),
  }));
  const menus: Record<string, object[]> = {
    'view/title': [],
    'view/item/context': [],
    ...Object.fromEntries(Object.keys(submenus).map((id) => [id, []])),
    commandPalette: [],
  };
  for (const [name, { palette, menus: entries }] of Object.entries(table)) {
    const command = commandPrefix + name;
    for (const { menu, when, group } of entries) menus[menu]?.push({ command, when, group });
    if (palette !== 'always') menus['commandPalette']?.push({ command, when: palette === 'never' ? 'false' : palette });
  }
  for (const [submenu, { menu, group }] of Object.entries(submenus)) {
    menus[menu]?.push({ submenu, when: 'view == browserSessions.sessions && browserSessions.hasAccounts', group });
  }
  const labels = Object.entries(submenus).map(
    ([id, { title }]) => [id, `submenu.${id.replace(/^.*\./, '')}`, title] as const,
  );
  const titles = Object.fromEntries([
    ...Object.entries(table).map(([name, { title }]) => [`command.${name}`, title] as const),
    ...labels.map(([, word, title]) => [word, title] as const),
  ]);
  return {
    commands,
    submenus: labels.map(([id, word]) => ({ id, label: `%${word}%` })),
    menus,
    keybindings,
    titles,
  };
}

/** A setting as the table has it: every member that any has. */
interface SettingRow {
  readonly type: string;
  readonly default: unknown;
  readonly scope: string;
  readonly min?: number;
  readonly max?: number;
  readonly allowsZero?: boolean;
  readonly values?: readonly string[] | undefined;
  readonly items?: string;
}

/**
 * The settings as package.json has them under `configuration`, their texts as package.nls.json has them under
 * `setting.*`, and which of them VS Code must ignore in a folder that the user doesn't trust.
 */
export function settingsOf(kinds: readonly ProviderKind[]) {
  const rows = [
    ...(Object.keys(settings) as SettingKey[]).map((key) => rowOf(key, settings[key], settingTexts[key], kinds)),
    ...kinds.flatMap(({ id: kind, settings: its }) =>
      its.map(({ id, description }) =>
        rowOf(`${kind}.${id}`, providerSetting, { description, tags: ['usesOnlineServices', 'experimental'] }),
      ),
    ),
  ];
  return {
    properties: Object.fromEntries(rows.map(({ name, property }) => [name, property])),
    words: Object.fromEntries(rows.flatMap(({ words }) => words)) as Record<string, string>,
    restricted: rows.filter(({ property }) => property.scope === 'window').map(({ name }) => name),
  };
}

/** What all settings of providers have in common; see `ProviderSetting`. */
const providerSetting: SettingRow = { type: 'boolean', default: false, scope: 'application' };

/** A setting as package.json has it; texts are placeholders. */
interface SettingProperty {
  readonly type: string;
  readonly properties?: object;
  readonly additionalProperties?: object;
  readonly default: unknown;
  readonly scope: string;
  readonly items?: { readonly type: 'string'; readonly pattern: string };
  readonly uniqueItems?: boolean;
  readonly enum?: readonly string[] | undefined;
  readonly enumItemLabels?: readonly string[] | undefined;
  readonly enumDescriptions?: readonly string[] | undefined;
  readonly description?: string;
  readonly markdownDescription?: string;
}

/** The numbers that a setting takes. One for each provider offers the providers there are. */
function boundsOf({ type, min, max, allowsZero }: SettingRow, kinds: readonly ProviderKind[]) {
  if (max === undefined) return {};
  if (type !== 'object') return { minimum: allowsZero ? 0 : min, maximum: max };
  const number = { type: 'number', minimum: min, maximum: max };
  return {
    properties: Object.fromEntries(kinds.map(({ id, label }) => [id, { ...number, description: label }])),
    additionalProperties: number,
  };
}

function rowOf(
  key: string,
  spec: SettingRow,
  { description, choices, tags }: SettingText,
  kinds: readonly ProviderKind[] = [],
) {
  const name = `browserSessions.${key}`;
  const text = `setting.${key}`;
  const property: SettingProperty = {
    type: spec.type,
    default: spec.default,
    ...boundsOf(spec, kinds),
    ...(choices === undefined
      ? {}
      : {
          enum: spec.values,
          enumItemLabels: spec.values?.map((value) => `%${text}.${value}.label%`),
          enumDescriptions: spec.values?.map((value) => `%${text}.${value}%`),
        }),
    ...(spec.items === undefined ? {} : { items: { type: 'string', pattern: spec.items } as const, uniqueItems: true }),
    scope: spec.scope,
    ...(tags === undefined ? {} : { tags }),
    [description.includes('`') ? 'markdownDescription' : 'description']: `%${text}%`,
  };
  const words: [string, string][] = [
    [text, description],
    ...Object.entries(choices ?? {}).flatMap(([value, { label, description: what }]): [string, string][] => [
      [`${text}.${value}.label`, label],
      [`${text}.${value}`, what],
    ]),
  ];
  return { name, property, words };
}

/** The manifest and its texts as they are on disk. */
export function readManifest() {
  return {
    manifest: JSON.parse(readFileSync(packageFile, 'utf8')),
    words: JSON.parse(readFileSync(wordsFile, 'utf8')) as Record<string, string>,
  };
}

/** The manifest and its texts as they should be. */
export function currentManifest() {
  const { manifest, words } = readManifest();
  const { keybindings: keys, titles, ...contributed } = manifestOf(commandTable);
  const { properties, words: texts, restricted } = settingsOf(providerKinds);
  manifest.contributes.configuration.properties = properties;
  manifest.capabilities.untrustedWorkspaces.restrictedConfigurations = restricted;
  Object.assign(manifest.contributes, { ...contributed, keybindings: keys });
  const others = Object.entries(words).filter(([key]) => !/^(command|submenu|setting)\./.test(key));
  return { manifest, words: { ...Object.fromEntries(others), ...texts, ...titles } };
}

if (import.meta.main) {
  const { manifest, words } = currentManifest();
  writeFileSync(packageFile, `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(wordsFile, `${JSON.stringify(words, null, 2)}\n`);
}
