import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { run } from './processes.ts';

const source = join('src', 'api');
const tsc = resolve('node_modules', 'typescript', 'bin', 'tsc');

/**
 * Builds the npm package for other extensions from `src/api`, and packs it as it would be published.
 * @param target an absolute folder to create for the package and its build files.
 * @returns the path of the package, a .tgz.
 */
export async function packApi(target: string): Promise<string> {
  const folder = join(target, 'browser-sessions-api');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const types = join(folder, 'types');
  await run(process.execPath, [tsc, '-p', source, '--outDir', types]);
  for (const file of await readdir(types, { recursive: true })) {
    if (!file.endsWith('.d.ts')) continue;
    // TypeScript finds session.d.ts under either name; other tools that read types know only the second one.
    const text = await readFile(join(types, file), 'utf8');
    await writeFile(join(types, file), text.replace(/(from '|import\(')(\.[^']*)\.ts'/g, "$1$2.js'"));
  }
  await build({
    entryPoints: [join(source, 'index.ts')],
    outfile: join(folder, 'index.js'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    external: ['vscode'],
    // Every version of VS Code provides its own module to `require`.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  });
  // The sources are ES modules, and the build output isn't.
  const { type: _, ...manifest } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await copyFile(join(source, 'README.md'), join(folder, 'README.md'));
  await copyFile('LICENSE', join(folder, 'LICENSE'));
  await run('npm', ['pack', '--silent', '--pack-destination', target], {
    cwd: folder,
    shell: process.platform === 'win32',
  });
  return join(target, `${manifest.name}-${manifest.version}.tgz`);
}

/**
 * Installs a package where an extension in a folder finds it, next to VS Code's types, which every extension has.
 * Nothing else of this repository is there.
 */
export async function installApi(tgz: string, extension: string): Promise<void> {
  const modules = join(extension, 'node_modules');
  const target = join(modules, 'browser-sessions-api');
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', tgz, '--strip-components=1', '-C', target]);
  await mkdir(join(modules, '@types'), { recursive: true });
  await symlink(resolve('node_modules', '@types', 'vscode'), join(modules, '@types', 'vscode'), 'junction');
}

/** Checks the types of an extension in a folder, with what its tsconfig.json says. @throws Error with what is wrong. */
export function checkTypes(extension: string, ...options: readonly string[]): Promise<void> {
  return run(process.execPath, [tsc, '-p', extension, ...options]);
}
