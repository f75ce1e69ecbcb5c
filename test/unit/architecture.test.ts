import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What each folder may import from. Only extension.ts may import from all of them. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  core: [],
  api: ['core'],
  http: ['core'],
  cdp: ['core'],
  local: ['core'],
  providers: ['core', 'http', 'cdp', 'local'],
  services: ['core'],
  ui: ['core', 'services', 'cdp', 'api'],
};
/** The last is part of the package for other extensions, which runs inside them. */
const usesVscode = (file: string) =>
  file === 'extension.ts' || file.startsWith('ui/') || file === 'api/browserSessions.ts';
const banned =
  /(^|\/)(utils?|common|helpers?|misc|shared)(\/|\.ts$)|(Manager|Helper|Utils?|Impl)\.ts$|(^|\/)types\.ts$/;

/** A longer file usually does two jobs. One that does a single job begins with a comment that explains its length. */
const mostLines = 400;
const lengthReason = /^\/\/ Over 400 lines because \w/;

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const statement = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
  for (const [, type, specifier = ''] of text.matchAll(statement))
    found.push({ specifier, typeOnly: type !== undefined });
  for (const [, specifier = ''] of text.matchAll(/\bimport\('([^']+)'\)/g)) found.push({ specifier, typeOnly: false });
  return found;
}

/** What is wrong with a source file, given its path below src/ and its text. */
function faultsOf(file: string, text: string): string[] {
  const room = file.includes('/') ? (file.split('/')[0] ?? '') : undefined;
  const faults: string[] = [];
  if (banned.test(file)) faults.push(`src/${file}: no name says less than this one`);
  if (room === undefined && file !== 'extension.ts') faults.push(`src/${file}: stands outside of every room`);
  const lines = text.split('\n').length - 1;
  if (lines > mostLines && !lengthReason.test(text)) {
    faults.push(`src/${file}: has ${lines} lines. Split it by job, or begin it with "// Over 400 lines because …"`);
  }
  if (room !== undefined && rooms[room] === undefined) faults.push(`src/${file}: there is no room ${room}`);
  for (const { specifier, typeOnly } of importsOf(text)) {
    if (specifier === 'vscode' && !typeOnly && !usesVscode(file)) faults.push(`src/${file}: runs vscode`);
    if (!specifier.startsWith('.') || room === undefined) continue;
    const target = relative('.', join(dirname(file), specifier)).replaceAll('\\', '/');
    const [other = ''] = target.split('/');
    if (target.startsWith('..')) faults.push(`src/${file}: imports ${specifier}, which is not in src/`);
    else if (other !== room && !rooms[room]?.includes(other)) faults.push(`src/${file}: ${room} imports ${target}`);
  }
  return faults;
}

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));

describe('architecture', () => {
  it('has no forbidden import, no unknown folder or name, and no file over 400 lines without a reason', () => {
    assert.ok(sources.length > 30);
    assert.deepEqual(
      sources.flatMap((file) => faultsOf(file, readFileSync(join('src', file), 'utf8'))),
      [],
    );
  });

  it('is enforced by a test that detects each kind of violation', () => {
    const breaches: readonly (readonly [string, string])[] = [
      ['core/session.ts', "import { x } from '../http/client.ts';"],
      ['http/client.ts', "import type { x } from '../providers/anchor.ts';"],
      ['services/ender.ts', "import { x } from '../ui/prompts.ts';"],
      ['services/ender.ts', "export { x } from '../http/client.ts';"],
      ['ui/api.ts', "const x = await import('../providers/index.ts');"],
      ['ui/api.ts', "import '../http/client.ts';"],
      ['services/accounts/accounts.ts', "import * as vscode from 'vscode';"],
      ['services/accounts/accounts.ts', "import { type Memento, window } from 'vscode';"],
      ['core/session.ts', "import { x } from '../host/steps.ts';"],
      ['core/session.ts', "import type { x } from '../api/index.ts';"],
      ['api/index.ts', "export type { x } from '../services/accounts.ts';"],
      ['api/index.ts', "import { x } from '../http/client.ts';"],
      ['api/newSession.ts', "import { x } from 'vscode';"],
      ['local/processes.ts', "import { x } from '../http/client.ts';"],
      ['http/client.ts', "import { x } from '../local/processes.ts';"],
      ['services/openServices.ts', "import { x } from '../local/processes.ts';"],
      ['providers/anchor.ts', "import type { x } from '../api/index.ts';"],
      ['core/utils.ts', ''],
      ['services/sessionManager.ts', ''],
      ['tools/list.ts', ''],
      ['helpers.ts', ''],
      ['core/session.ts', '\n'.repeat(401)],
      ['core/session.ts', `// Sessions.\n${'\n'.repeat(400)}`],
    ];
    for (const [file, text] of breaches) assert.notDeepEqual(faultsOf(file, text), [], `${file}: ${text}`);
    assert.deepEqual(faultsOf('services/accounts/accounts.ts', "import type { Memento } from 'vscode';"), []);
    assert.deepEqual(faultsOf('core/session.ts', '\n'.repeat(400)), []);
    assert.deepEqual(
      faultsOf('core/session.ts', `// Over 400 lines because it is one table.\n${'\n'.repeat(400)}`),
      [],
    );
  });

  it('loads the HTTP and CDP code, the providers and the commands only when they are needed', () => {
    const lazily = importsOf(readFileSync('src/extension.ts', 'utf8')).filter(({ typeOnly }) => !typeOnly);
    for (const room of ['http', 'cdp', 'providers']) {
      const all = lazily.filter(({ specifier }) => specifier.startsWith(`./${room}/`));
      const text = readFileSync('src/extension.ts', 'utf8');
      assert.ok(all.length > 0, room);
      for (const { specifier } of all) assert.ok(text.includes(`import('${specifier}')`), specifier);
    }
  });

  it('keeps starting programs, deleting files and loading code by path out of the readers of other tools’ files', () => {
    const readers = ['local', join('providers', 'local')].flatMap((folder) =>
      readdirSync(join('src', folder)).map((name) => join('src', folder, name)),
    );
    const texts = readers
      .filter((file) => file.endsWith('.ts'))
      .map((file) => [file.replaceAll('\\', '/'), readFileSync(file, 'utf8')] as const);
    const withText = (pattern: RegExp) => texts.filter(([, text]) => pattern.test(text)).map(([file]) => file);
    // The operating system's own programs, and a browser that the user asks for, with its own profile.
    assert.deepEqual(withText(/node:child_process/), ['src/local/programOutput.ts', 'src/local/startBrowser.ts']);
    // That browser's own profile, and a left one that the user chooses to delete.
    assert.deepEqual(withText(/\b(rm|unlink|rmdir|removeFolder)(Sync)?\(/), [
      'src/local/leftProfiles.ts',
      'src/local/removeFolder.ts',
      'src/local/startBrowser.ts',
    ]);
    assert.deepEqual(withText(/\brequire\(|createRequire|\bimport\((?!')|node:(vm|module|worker_threads)/), []);
    // Requests that start a browser or put off the end of an idle session.
    assert.deepEqual(withText(/['"](session_info|tab_list|cdp_url|tab-list)['"]/), []);
    // Only for a screenshot that the user asks for.
    assert.deepEqual(withText(/['"]invoke_tool['"]/), ['src/providers/local/chromeDevtools.ts']);
  });
});
