import { cp, mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { checkTypes, installApi, packApi } from './apiPackage.ts';
import { script } from './steps.ts';

/** Where the example is built, as an extension that VS Code can load. */
export const exampleFolder = resolve('out', 'examples', 'provider-extension');

/**
 * Builds the example extension as a third party would: only from its own files and the package for other extensions.
 */
export async function buildExample(): Promise<void> {
  await rm(exampleFolder, { recursive: true, force: true });
  await mkdir(exampleFolder, { recursive: true });
  const source = join('test', 'examples', 'provider-extension');
  for (const part of ['package.json', 'tsconfig.json', 'src'])
    await cp(join(source, part), join(exampleFolder, part), { recursive: true });
  await installApi(await packApi(resolve('out', 'api')), exampleFolder);
  await checkTypes(exampleFolder);
  await build({
    absWorkingDir: exampleFolder,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    external: ['vscode'],
    logLevel: 'warning',
  });
}

if (import.meta.main) await script(buildExample);
