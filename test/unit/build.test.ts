import { strict as assert } from 'node:assert';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface Output {
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
  readonly inputs: Readonly<Record<string, unknown>>;
}

const { outputs } = JSON.parse(readFileSync('out/metafile.json', 'utf8')) as { outputs: Record<string, Output> };

/** What is loaded when VS Code starts the extension: its main file and the chunks that it requires at once. */
function eagerFiles(file = 'dist/extension.js', found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const { path, kind } of outputs[file]?.imports ?? []) {
    if (kind === 'import-statement' && outputs[path] !== undefined) eagerFiles(path, found);
  }
  return found;
}

describe('build', () => {
  // What stands between keys and the providers of other extensions is there when the first of them registers.
  it('starts with at most 90 KB', () => {
    const files = [...eagerFiles()];
    const bytes = files.map((file) => statSync(file).size).reduce((sum, size) => sum + size, 0);
    assert.ok(statSync('dist/extension.js').size <= 80 * 1024);
    assert.ok(bytes <= 90 * 1024, `${bytes} bytes in ${files.join(', ')}`);
  });

  it('loads nothing of undici, ws, the providers or the commands before they are needed', () => {
    const eager = [...eagerFiles()].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
    assert.ok(eager.includes('src/extension.ts'));
    const late =
      /node_modules\/(undici|ws)\/|^src\/(http\/(client|undici)|cdp|providers)|^src\/ui\/commands\/(handlers|ending|table)/;
    assert.deepEqual(
      eager.filter((input) => late.test(input)),
      [],
    );
    const all = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
    assert.ok(all.some((input) => input.includes('node_modules/undici/')));
  });

  it('has in no file a character that cannot be seen', () => {
    for (const file of Object.keys(outputs)) {
      if (!file.endsWith('.js')) continue;
      // U+FEFF alone is allowed: undici compares texts with it.
      const text = readFileSync(join(file), 'utf8').replaceAll('\ufeff', '');
      assert.doesNotMatch(text, /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\u{e0000}-\u{e007f}]/u, file);
    }
  });
});
