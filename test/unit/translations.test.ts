import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { bundleFile } from '../l10n.ts';

/** A file of texts: an entry of the bundle may be an object with the text and comments for translators. */
type Texts = Readonly<Record<string, string | { readonly message: string }>>;

const read = (file: string): Texts => JSON.parse(readFileSync(file, 'utf8'));
const textIn = (value: Texts[string] | undefined) => (typeof value === 'object' ? value.message : (value ?? ''));

/** What a translation must have in common with the English text: placeholders, commands, and names in backticks. */
function fixedParts(text: string): string[] {
  return [...new Set(text.match(/\{\d+\}|command:[\w.]+|`[^`]+`/g) ?? [])].sort();
}

/** What is wrong with a translation, one line for each text. */
function faultsOf(english: Texts, translated: Texts): string[] {
  const faults = Object.entries(english).flatMap(([key, value]) => {
    if (!(key in translated)) return [`not translated: "${key}"`];
    const text = textIn(translated[key]);
    if (text.trim() === '') return [`translated by nothing: "${key}"`];
    const [wanted, found] = [fixedParts(textIn(value)), fixedParts(text)];
    const missing = wanted.filter((part) => !found.includes(part));
    const strange = found.filter((part) => !wanted.includes(part));
    return [
      ...missing.map((part) => `the translation of "${key}" is missing ${part}: "${text}"`),
      ...strange.map(
        (part) => `the translation of "${key}" has ${part}, which the English text doesn't have: "${text}"`,
      ),
    ];
  });
  const extra = Object.keys(translated).filter((key) => !(key in english));
  return [...faults, ...extra.map((key) => `translated, but not shown anywhere: "${key}"`)];
}

const languages = readdirSync('l10n').flatMap((file) => /^bundle\.l10n\.([\w-]+)\.json$/.exec(file)?.[1] ?? []);

describe('translations', () => {
  it('exist in German', () => {
    assert.deepEqual(languages, ['de']);
  });

  for (const language of languages) {
    it(`have every text in ${language}, no other, and each with the placeholders of the English text`, () => {
      assert.deepEqual(faultsOf(read(bundleFile), read(`l10n/bundle.l10n.${language}.json`)), []);
      assert.deepEqual(faultsOf(read('package.nls.json'), read(`package.nls.${language}.json`)), []);
    });
  }

  it('are rejected with a clear message when a text or a placeholder is missing or superfluous', () => {
    const english = { 'End {0} of {1}': 'End {0} of {1}', Close: 'Close', OK: 'OK' };
    assert.deepEqual(faultsOf(english, { 'End {0} of {1}': '{0} von {2} beenden', Close: ' ', Open: 'Öffnen' }), [
      'the translation of "End {0} of {1}" is missing {1}: "{0} von {2} beenden"',
      `the translation of "End {0} of {1}" has {2}, which the English text doesn't have: "{0} von {2} beenden"`,
      'translated by nothing: "Close"',
      'not translated: "OK"',
      'translated, but not shown anywhere: "Open"',
    ]);
  });
});
