// Writes l10n/bundle.l10n.json, the list of sentences for translators (`npm run l10n`): those that src/ passes to
// `l10n.t` or `translatable`, and those that providers hold as data. test/unit/l10n.test.ts checks that it is current.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getL10nJson } from '@vscode/l10n-dev';
import { providerKinds } from '../src/providers/index.ts';

/** Where the list is kept. */
export const bundleFile = join('l10n', 'bundle.l10n.json');

/** The list as it should be. */
export async function currentBundle(): Promise<string> {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort();
  const files = sources.map((file) => ({ extension: '.ts', contents: readFileSync(join('src', file), 'utf8') }));
  const spoken = providerKinds.flatMap(({ fields, wording, address, summary }) => [
    ...fields.flatMap(({ label, prompt }) => [label, prompt]),
    ...Object.values(wording),
    address.prompt,
    summary,
  ]);
  const marked = files.flatMap(({ contents }) => markedIn(contents));
  const held = [...spoken, ...marked].flatMap((text) => (text === undefined ? [] : [[text, text] as const]));
  const bundle = { ...(await getL10nJson(files)), ...Object.fromEntries(held) };
  return `${JSON.stringify(bundle, null, 2)}\n`;
}

/** The literals that a source passes to `translatable`. */
function markedIn(source: string): readonly string[] {
  const calls = source.matchAll(/\btranslatable\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*,?\s*\)/g);
  return [...calls].map(([, single, double = '']) => (single ?? double).replaceAll(/\\(.)/g, '$1'));
}

if (import.meta.main) writeFileSync(bundleFile, await currentBundle());
