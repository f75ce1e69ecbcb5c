// Writes the commands, menus, keys and titles of the command table, and the settings of the providers, into package.json
// and package.nls.json (`npm run manifest`). test/unit/manifest.test.ts holds that they agree.
import { readFileSync, writeFileSync } from 'node:fs';
import type { ProviderKind } from '../src/core/provider.ts';
import { providerKinds } from '../src/providers/index.ts';
import { type CommandEntry, commandPrefix, commandTable, keybindings } from '../src/ui/commands/table.ts';

const packageFile = new URL('../package.json', import.meta.url);
const wordsFile = new URL('../package.nls.json', import.meta.url);

/** What package.json has under `contributes`, and package.nls.json under `command.*`, going by the table. */
export function manifestOf(table: Readonly<Record<string, CommandEntry>>) {
  const commands = Object.entries(table).map(([name, { icon }]) => ({
    command: commandPrefix + name,
    title: `%command.${name}%`,
    category: '%displayName%',
    ...(icon === undefined ? {} : { icon: `$(${icon})` }),
  }));
  const menus: Record<string, object[]> = { 'view/title': [], 'view/item/context': [], commandPalette: [] };
  for (const [name, { palette, menus: entries }] of Object.entries(table)) {
    const command = commandPrefix + name;
    for (const { menu, when, group } of entries) menus[menu]?.push({ command, when, group });
    if (palette !== 'always') menus['commandPalette']?.push({ command, when: palette === 'never' ? 'false' : palette });
  }
  const titles = Object.fromEntries(Object.entries(table).map(([name, { title }]) => [`command.${name}`, title]));
  return { commands, menus, keybindings, titles };
}

/** The settings of providers, as package.json has them under `configuration`, and their words. */
export function settingsOf(kinds: readonly ProviderKind[]) {
  const all = kinds.flatMap(({ id: kind, settings }) => settings.map((setting) => ({ ...setting, kind })));
  const properties = all.map(({ kind, id }) => {
    const property = {
      type: 'boolean',
      default: false,
      scope: 'application',
      tags: ['usesOnlineServices', 'experimental'],
      description: `%setting.${kind}.${id}%`,
    };
    return [`browserSessions.${kind}.${id}`, property] as const;
  });
  const words = all.map(({ kind, id, description }) => [`setting.${kind}.${id}`, description] as const);
  return { properties: Object.fromEntries(properties), words: Object.fromEntries(words) };
}

/** Whether a setting, or the key of its words, is a provider's. */
export function isOfProvider(key: string): boolean {
  return providerKinds.some(({ id }) => key.startsWith(`browserSessions.${id}.`) || key.startsWith(`setting.${id}.`));
}

/** The manifest and its words as they are on disk. */
export function readManifest() {
  return {
    manifest: JSON.parse(readFileSync(packageFile, 'utf8')),
    words: JSON.parse(readFileSync(wordsFile, 'utf8')) as Record<string, string>,
  };
}

if (import.meta.main) {
  const { manifest, words } = readManifest();
  const { commands, menus, keybindings: keys, titles } = manifestOf(commandTable);
  const settings = settingsOf(providerKinds);
  const { configuration } = manifest.contributes;
  const own = Object.entries(configuration.properties).filter(([key]) => !isOfProvider(key));
  configuration.properties = { ...Object.fromEntries(own), ...settings.properties };
  Object.assign(manifest.contributes, { commands, menus, keybindings: keys });
  const kept = Object.entries(words).filter(([key]) => !key.startsWith('command.') && !isOfProvider(key));
  writeFileSync(packageFile, `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(
    wordsFile,
    `${JSON.stringify({ ...Object.fromEntries(kept), ...settings.words, ...titles }, null, 2)}\n`,
  );
}
