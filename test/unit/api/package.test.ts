import { strict as assert } from 'node:assert';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Api from '../../../src/api/index.ts';
import { checkTypes, installApi, packApi } from '../../host/apiPackage.ts';
import { temporaryFolder } from '../../host/processes.ts';

describe('the package for other extensions', function () {
  this.timeout(120_000);
  /** An extension elsewhere, which sees the package and nothing else of this repository. */
  const folder = temporaryFolder('consumer');
  const example = join('test', 'examples', 'provider-extension');
  const installed = join(folder, 'node_modules', 'browser-sessions-api');
  const strictest = [
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
    '--noPropertyAccessFromIndexSignature',
  ];

  before(async () => {
    await installApi(await packApi(temporaryFolder('api')), folder);
    for (const file of ['package.json', 'tsconfig.json']) await cp(join(example, file), join(folder, file));
  });

  /**
   * Type-checks an extension with these files.
   * @throws Error with what is wrong.
   */
  async function compile(files: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<void> {
    const target = join(folder, 'src');
    await mkdir(target, { recursive: true });
    await Promise.all((await readdir(target)).map((file) => writeFile(join(target, file), 'export {};')));
    for (const [file, text] of Object.entries(files)) await writeFile(join(target, file), text);
    await checkTypes(folder, ...options);
  }

  it('is all that the example extension needs to compile, with each kind of module resolution', async () => {
    const sources = await readdir(join(example, 'src'));
    const files = Object.fromEntries(
      await Promise.all(sources.map(async (name) => [name, await readFile(join(example, 'src', name), 'utf8')])),
    );
    await compile(files);
    await compile(files, ...strictest);
    await compile(files, '--module', 'esnext', '--moduleResolution', 'bundler');
    await compile(files, '--strict', 'false', '--target', 'es2024');
  });

  it('has a README whose example provider compiles and is at most 30 lines long', async () => {
    const readme = await readFile(join(installed, 'README.md'), 'utf8');
    const [, provider = '', use = ''] = /```ts\n(.*?)```.*```ts\n(.*?)```/s.exec(readme) ?? [];
    const lines = provider.split('\n').filter((line) => line !== '');
    assert.ok(lines.length > 20 && lines.length <= 30, `${lines.length} lines`);
    const calls = `import { getBrowserSessions } from 'browser-sessions-api';\nexport async function read() {\n${use}\nreturn { accounts, sessions, onDidChange, refresh };\n}`;
    await compile({ 'extension.ts': provider, 'read.ts': calls });
  });

  it('accepts a provider written in the full or the short form', async () => {
    const file = `
      import type { BrowserSessionsApi, Link, Provider, ProviderDefinition, ProviderKind, Session } from 'browser-sessions-api';
      import { newGroup, newSession, providerError } from 'browser-sessions-api';
      export const register = (api: BrowserSessionsApi, kind: ProviderKind) => api.registerProvider(kind, 'a.b').dispose();
      export const short: ProviderDefinition = {
        id: 'a', label: 'A', address: { ask: true }, wording: { ending: '' },
        connect: (link: Link) => ({
          async check(signal) { await link.http.send({ method: 'GET', route: '/' }, signal); return {}; },
          async *list() { yield { sessions: [], groups: [newGroup('g', { name: 'G' })] }; },
          async end() { throw providerError({ kind: 'rateLimited', retryAt: undefined }); },
        }),
      };
      export const session: Session = newSession('x', {
        groupId: 'g', pages: [{ id: 'p' }], metadata: { a: 'b' }, startedAt: undefined,
      });
      export const full = (provider: Provider): ProviderDefinition => ({ ...short, connect: () => provider });
    `;
    await compile({ 'extension.ts': file }, ...strictest);
  });

  it('makes TypeScript reject a provider that is wrong', async () => {
    const wrong = [
      `{ id: 'a', label: 'A', address: {}, wording: {}, connect: () => { throw new Error(); } }`,
      `{ id: 'a', label: 'A', address: {}, wording: { ending: '' } }`,
      `{ id: 'a', label: 'A', address: {}, wording: { ending: '' }, connect: async () => { throw new Error(); } }`,
    ];
    const files = wrong.map((definition, index) => [
      `wrong${index}.ts`,
      `import { defineProvider } from 'browser-sessions-api';\nexport const x = defineProvider(${definition});`,
    ]);
    const error = await compile(Object.fromEntries(files)).then(() => assert.fail('it compiles'), String);
    for (const [file] of files) assert.match(error, new RegExp(`${file}.*error TS2\\d+`), error);
  });

  it('contains only code, types and its documentation, and references no missing file', async () => {
    const files = (await readdir(installed, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(installed.length + 1)
          .replaceAll('\\', '/'),
      );
    const strangers = files.filter(
      (file) => !/^(index\.js|package\.json|README\.md|LICENSE|types\/(api|core)\/\w+\.d\.ts)$/.test(file),
    );
    assert.deepEqual(strangers, []);
    for (const file of files.filter((name) => name.endsWith('.d.ts'))) {
      const text = await readFile(join(installed, file), 'utf8');
      for (const [, specifier = ''] of text.matchAll(/(?:from |import\()'([^']+)'/g)) {
        assert.match(specifier, /^\.\.?\/[\w./]+\.js$/, `${file} imports ${specifier}`);
      }
    }
  });

  it('works outside VS Code too, so that a provider can be tested there', async () => {
    const required = createRequire(join(folder, 'index.js'))('browser-sessions-api') as typeof Api;
    const imported = (await import(pathToFileURL(join(installed, 'index.js')).href)) as typeof Api;
    for (const { newSession, providerError, isProviderError } of [required, imported]) {
      assert.equal(newSession('a').id, 'a');
      const error = providerError({ kind: 'notFound' });
      assert.ok(error instanceof Error);
      assert.deepEqual(
        [isProviderError(error), isProviderError(error, 'notFound'), isProviderError(error, 'conflict')],
        [true, true, false],
      );
      assert.equal(isProviderError(new Error('notFound')), false);
    }
  });
});
