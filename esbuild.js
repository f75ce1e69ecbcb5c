// Bundles the extension into dist/. `node esbuild.js` writes it once, minified, and out/metafile.json with what went
// where; `--watch` keeps writing it, readable, for F5; `--tests` bundles into out/ what tests run inside VS Code.
//
// Each `import()` in src/ becomes a file that is loaded when it is first needed; dist/extension.js and the chunks it
// requires at once are all that starting VS Code pays for. esbuild splits code only into ES modules, and VS Code's
// extension host wants CommonJS: so each file is bundled as the one and then rewritten as the other.
const { build, context, transform } = require('esbuild');
const { mkdirSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const watch = process.argv.includes('--watch');

/** @type {import('esbuild').Plugin} */
const writeAsCommonJs = {
  name: 'write-as-commonjs',
  setup(bundler) {
    // Said for the tasks of .vscode, which wait for it.
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
      for (const { path: file, text } of outputFiles) {
        const { code, map } = await transform(text, {
          format: 'cjs',
          // Not 'node', for which each file would name its exports once more, for whoever imports it as an ES module.
          platform: 'neutral',
          target: 'node22',
          supported: { 'dynamic-import': false },
          minify: !watch,
          sourcemap: 'external',
          sourcesContent: false,
          sourcefile: path.basename(file),
        });
        writeFileSync(file, `${code}//# sourceMappingURL=${path.basename(file)}.map\n`);
        writeFileSync(`${file}.map`, map);
      }
      console.log('Built');
    });
  },
};

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
  // The same functions without those that read files, which would load node:fs/promises when VS Code starts.
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
  entryPoints: ['test/integration/index.ts', 'test/bench/activationMarks.ts'],
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
  // esbuild has said what is wrong.
  process.exitCode = 1;
});
