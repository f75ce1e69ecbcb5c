import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { SourceMap } from 'node:module';

interface Output {
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
  readonly inputs: Readonly<Record<string, unknown>>;
}

const { outputs } = JSON.parse(readFileSync('out/metafile.json', 'utf8')) as { outputs: Record<string, Output> };

/** The code that VS Code loads to start the extension: the main file, and what that requires at once. */
function eagerFiles(file = 'dist/extension.js', found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const { path, kind } of outputs[file]?.imports ?? []) {
    if (kind === 'import-statement' && outputs[path] !== undefined) eagerFiles(path, found);
  }
  return found;
}

describe('build', () => {
  // What protects keys from the providers of other extensions is loaded before the first of them registers.
  it('starts with a single file of at most 80 KB', () => {
    const bytes = statSync('dist/extension.js').size;
    assert.ok(bytes <= 80 * 1024, `${bytes} bytes`);
    assert.deepEqual(
      [...eagerFiles()].filter((file) => existsSync(file)),
      ['dist/extension.js'],
    );
  });

  it('loads everything else only once, from files that know what was loaded at startup', () => {
    const eager = eagerFiles();
    for (const [file, { imports }] of Object.entries(outputs)) {
      if (eager.has(file) || !file.endsWith('.js')) continue;
      assert.match(readFileSync(file, 'utf8'), /^\(function\(require\)\{\n/, file);
      for (const { path } of imports)
        assert.ok(outputs[path] === undefined || eager.has(path) || existsSync(path), path);
    }
  });

  it('maps a line of each file to its source', () => {
    for (const file of [
      'dist/extension.js',
      Object.keys(outputs).find((one) => /dist\/openCommands-.*\.js$/.test(one)),
    ]) {
      const lines = readFileSync(file ?? '', 'utf8').split('\n');
      const { sections } = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
      for (const { offset, map } of sections) {
        assert.ok((lines[offset.line]?.length ?? 0) > 20, `${file}:${offset.line}`);
        assert.ok(new SourceMap(map).findEntry(0, 200), `${file}:${offset.line}`);
      }
    }
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

  it('has no invisible character in any file', () => {
    for (const file of Object.keys(outputs)) {
      if (!file.endsWith('.js')) continue;
      // Only U+FEFF is allowed: undici compares texts with it.
      if (!existsSync(file)) continue;
      const text = readFileSync(file, 'utf8').replaceAll('\ufeff', '');
      assert.doesNotMatch(text, /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\u{e0000}-\u{e007f}]/u, file);
    }
  });
});
