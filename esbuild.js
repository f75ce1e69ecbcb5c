// Bundles the extension into dist/. `node esbuild.js` writes it once, minified, and out/metafile.json with what is in
// each file; `--watch` keeps writing it, readable, for F5; `--tests` bundles tests that run inside VS Code into out/.
//
// Each `import()` in src/ becomes a file that is loaded when it is first needed; only dist/extension.js is loaded when
// VS Code starts. esbuild splits code only into ES modules, but VS Code's extension host needs CommonJS: so each file
// is bundled as an ES module and then rewritten as CommonJS. What extension.js requires at startup is written into it,
// because loading a file costs about 0.3 ms in plain Node, however small it is.
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
      const modules = await Promise.all(outputFiles.map(asCommonJs));
      const eager = eagerFiles(metafile.outputs);
      const atOnce = modules.filter(({ name }) => eager.has(`dist/${name}`));
      write(entry, [
        '"use strict";const made={},part=(name)=>{if(!Object.hasOwn(parts,name))return require(name);',
        'if(made[name]===undefined)parts[name](part,made[name]={exports:{}},made[name].exports);',
        'return made[name].exports},parts={',
        ...atOnce.flatMap((one) => [`${JSON.stringify(`./${one.name}`)}(require,module,exports){`, one, '},']),
        `};exports.part=part;exports.activate=part("./${entry}").activate;`,
      ]);
      for (const one of modules.filter((each) => !atOnce.includes(each))) {
        write(one.name, ['(function(require){', one, `})(require("./${entry}").part);`]);
      }
      console.log('Built');
    });
  },
};

const entry = 'extension.js';

/**
 * @typedef {{ name: string, code: string, map: object }} Module A file of dist/ as CommonJS, with its source map.
 * @param {import('esbuild').OutputFile} file
 * @returns {Promise<Module>}
 */
async function asCommonJs({ path: file, text }) {
  const name = path.basename(file);
  const { code, map } = await transform(text, {
    format: 'cjs',
    // Not 'node': each file would then list its exports a second time, for importers that are ES modules.
    platform: 'neutral',
    target: 'node22',
    supported: { 'dynamic-import': false },
    minify: !watch,
    sourcemap: 'external',
    sourcesContent: false,
    sourcefile: name,
  });
  return { name, code, map: JSON.parse(map) };
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
  plugins: [writeAsCommonJs],
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
