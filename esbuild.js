// Bundles the extension into dist/. `node esbuild.js` writes it once, minified, and out/metafile.json with what is in
// each file; `--watch` keeps writing it, readable, for F5; `--tests` bundles tests that run inside VS Code into out/.
//
// Each `import()` in src/ becomes a file that is loaded when it is first needed; only dist/extension.js is loaded when
// VS Code starts. esbuild splits code only into ES modules, but VS Code's extension host needs CommonJS: so each file
// is bundled as an ES module and then rewritten as CommonJS. What extension.js imports at startup is bundled into it
// once more, as one module: as modules of their own, these files would take half as long again to load.
const { build, context, transform } = require('esbuild');
const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const watch = process.argv.includes('--watch');

/** @type {import('esbuild').Plugin} */
const writeAsCommonJs = {
  name: 'write-as-commonjs',
  setup(bundler) {
    // The tasks of .vscode wait for this line.
    bundler.onStart(() => console.log('Building'));
    bundler.onEnd(async ({ outputFiles = [], metafile, errors }) => {
      if (errors.length > 0) {
        console.log('Not built');
        return;
      }
      rmSync('dist', { recursive: true, force: true });
      mkdirSync('dist');
      mkdirSync('out', { recursive: true });
      writeFileSync('out/metafile.json', JSON.stringify(metafile));
      const eager = eagerFiles(metafile.outputs);
      const isEager = ({ path: file }) => eager.has(`dist/${path.basename(file)}`);
      write(entry, [await asOneModule(outputFiles.filter(isEager))]);
      for (const file of outputFiles.filter((each) => !isEager(each))) {
        write(path.basename(file.path), [
          '(function(require){',
          await asCommonJs(file),
          `})(require("./${entry}").part);`,
        ]);
      }
      console.log('Built');
    });
  },
};

/**
 * Leaves out one of the two builds of undici's HTTP parser, which saves 23 KB of the package. Without the one for SIMD
 * instructions, which not every processor has, undici uses the other one.
 * @type {import('esbuild').Plugin}
 */
const withoutSecondParser = {
  name: 'without-second-parser',
  setup(bundler) {
    bundler.onLoad({ filter: /llhttp_simd-wasm\.js$/ }, () => ({ contents: 'module.exports = undefined;' }));
  },
};

const entry = 'extension.js';

/** @typedef {{ code: string, map: object }} Module CommonJS, with its source map. */

/** @type {import('esbuild').TransformOptions} */
const commonJs = {
  format: 'cjs',
  // Not 'node': each file would then list its exports a second time, for importers that are ES modules.
  platform: 'neutral',
  target: 'node22',
  supported: { 'dynamic-import': false },
  minify: !watch,
  sourcemap: 'external',
  sourcesContent: false,
};

/** @param {import('esbuild').OutputFile} file @returns {Promise<Module>} */
async function asCommonJs({ path: file, text }) {
  const { code, map } = await transform(text, { ...commonJs, sourcefile: path.basename(file) });
  return { code, map: JSON.parse(map) };
}

/**
 * Bundles the files that are loaded at startup, the entry first. The result exports `part`, with which the other files
 * get what they import, from these files too.
 * @param {readonly import('esbuild').OutputFile[]} files
 * @returns {Promise<Module>}
 */
async function asOneModule(files) {
  const texts = new Map(files.map(({ path: file, text }) => [`./${path.basename(file)}`, text]));
  const names = [...texts.keys()];
  const { outputFiles } = await build({
    ...commonJs,
    stdin: {
      contents: [
        ...names.map((name, at) => `import * as part${at} from '${name}';`),
        `const parts = { ${names.map((name, at) => `'${name}': part${at}`)} };`,
        'export const part = (name) => parts[name] ?? require(name);',
        `export { activate } from './${entry}';`,
      ].join('\n'),
    },
    bundle: true,
    write: false,
    outdir: 'dist',
    logLevel: 'warning',
    plugins: [
      {
        name: 'from-memory',
        setup(bundler) {
          bundler.onResolve({ filter: /.*/ }, ({ path: name, kind }) => {
            if (kind === 'entry-point') return undefined;
            return texts.has(name) ? { path: name, namespace: 'memory' } : { path: name, external: true };
          });
          bundler.onLoad({ filter: /.*/, namespace: 'memory' }, ({ path: name }) => ({ contents: texts.get(name) }));
        },
      },
    ],
  });
  const [map, code] = ['.map', '.js'].map((end) => outputFiles.find(({ path: file }) => file.endsWith(end)).text);
  return { code, map: JSON.parse(map) };
}

/**
 * The main file and the files it requires at startup.
 * @param {import('esbuild').Metafile['outputs']} outputs
 */
function eagerFiles(outputs, file = `dist/${entry}`, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const { path: other, kind } of outputs[file]?.imports ?? []) {
    if (kind === 'import-statement' && outputs[other] !== undefined) eagerFiles(outputs, other, found);
  }
  return found;
}

/**
 * Writes modules and the code around them into one file of dist/, with their source maps as sections of one.
 * @param {string} name
 * @param {readonly (string | Module)[]} pieces
 */
function write(name, pieces) {
  let text = '';
  let line = 0;
  const sections = [];
  for (const piece of pieces) {
    if (typeof piece !== 'string') sections.push({ offset: { line, column: 0 }, map: piece.map });
    const code = typeof piece === 'string' ? `${piece}\n` : piece.code;
    text += code;
    line += code.split('\n').length - 1;
  }
  writeFileSync(path.join('dist', name), `${text}//# sourceMappingURL=${name}.map\n`);
  writeFileSync(path.join('dist', `${name}.map`), JSON.stringify({ version: 3, file: name, sections }));
}

/** @type {import('esbuild').BuildOptions} */
const extension = {
  entryPoints: ['src/extension.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  external: ['vscode'],
  // The same functions, except those that read files, which would load node:fs/promises when VS Code starts.
  alias: { '@vscode/l10n': '@vscode/l10n/dist/browser.js' },
  chunkNames: '[name]-[hash]',
  minify: !watch,
  sourcemap: 'inline',
  sourcesContent: false,
  metafile: true,
  write: false,
  logLevel: 'warning',
  plugins: [withoutSecondParser, writeAsCommonJs],
};

/** @type {import('esbuild').BuildOptions} */
const insideVscode = {
  entryPoints: ['test/integration/index.ts', 'test/bench/activationMarks.ts', 'test/bench/listHost.ts'],
  outdir: 'out',
  outbase: 'test',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node22',
  external: ['vscode', 'mocha'],
  sourcemap: 'inline',
  logLevel: 'warning',
};

async function main() {
  if (process.argv.includes('--tests')) await build(insideVscode);
  else if (watch) await (await context(extension)).watch();
  else await build(extension);
}

main().catch(() => {
  // esbuild has already printed what is wrong.
  process.exitCode = 1;
});
