import { strict as assert } from 'node:assert';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linuxProcesses } from '../../../src/local/linuxProcesses.ts';
import { macProcesses, readProcesses } from '../../../src/local/macProcesses.ts';
import { flagOf } from '../../../src/local/processes.ts';
import { outputOf } from '../../../src/local/programOutput.ts';
import { identityIn, powerShellPath } from '../../../src/local/windowsProcesses.ts';
import { temporaryFolder } from '../../host/processes.ts';
import { unaborted } from '../testNetwork.ts';

describe('the processes of a Mac', () => {
  const { TZ } = process.env;
  afterEach(() => {
    if (TZ === undefined) delete process.env['TZ'];
    else process.env['TZ'] = TZ;
  });

  it('keep their identity if the time zone changes', async () => {
    const table = '  501     1   501 Fri Nov 27 00:06:53 2026       1:02.34  2048 /Applications/Chromium';
    const at = (zone: string) => {
      process.env['TZ'] = zone;
      const [one] = readProcesses(table, '  501 Chromium --headless', 501);
      return [one?.identity, one?.startedAt];
    };
    const start = Date.UTC(2026, 10, 27, 0, 6, 53);
    assert.deepEqual(at('America/Los_Angeles'), [`${start}`, start]);
    assert.deepEqual(at('Asia/Tokyo'), [`${start}`, start]);
    const script = 'process.stdout.write(new Date(0).getHours() + " " + process.env.TZ)';
    assert.equal(await outputOf(process.execPath, ['-e', script], unaborted), '0 UTC');
  });
});

describe('the arguments of a process of a Mac', () => {
  const argsOf = (program: string, command: string) => {
    const table = `  501     1   501 Fri Nov 27 00:06:53 2026       1:02.34  2048 ${program}`;
    return readProcesses(table, `  501 ${command}`, 501)[0]?.args;
  };

  it('are a browser’s flags, whose values may contain spaces', () => {
    const chrome = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
    assert.deepEqual(argsOf(chrome, `${chrome} --headless --user-data-dir=/Users/anna/My Profiles/a about:blank`), [
      chrome,
      '--headless',
      '--user-data-dir=/Users/anna/My Profiles/a about:blank',
    ]);
  });

  it('are the script that an interpreter runs, and what follows it', () => {
    const script = '/Users/anna/app/node_modules/@playwright/mcp/cli.js';
    assert.deepEqual(argsOf('/opt/homebrew/bin/node', `node ${script} run --port=1`), [
      'node',
      script,
      'run',
      '--port=1',
    ]);
    const path = '/Users/anna/Library/Application Support/n/node';
    assert.deepEqual(argsOf(path, `${path} --no-warnings ${script}`), [path, '--no-warnings', script]);
  });

  it('stay in one piece when they are a title', () => {
    assert.deepEqual(argsOf('/opt/homebrew/bin/node', 'npm exec @playwright/mcp'), ['npm exec @playwright/mcp']);
  });
});

(process.platform === 'win32' ? describe.skip : describe)('a process of a Mac (not on Windows)', () => {
  const folder = temporaryFolder('ps');
  /** What is known about a process when `ps` does this. */
  const identityWhen = (script: string) => {
    const ps = join(folder, 'ps');
    writeFileSync(ps, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return macProcesses(ps).identityOf(501);
  };

  it('is gone when `ps` finds none or only a zombie, and not when `ps` itself fails', async () => {
    const start = 'Fri Nov 27 00:06:53 2026';
    assert.equal(await identityWhen(`echo '${start}     Ss+'`), `${Date.UTC(2026, 10, 27, 0, 6, 53)}`);
    assert.equal(await identityWhen('exit 1'), undefined);
    assert.equal(await identityWhen(`echo '${start}     Z'`), undefined);
    const failures = [
      "echo 'ps: sysctl: Cannot allocate memory' >&2; exit 1",
      'exit 2',
      'kill -9 $$',
      '',
      'echo nonsense',
      `echo '${'x'.repeat(24)}     Ss'`,
    ];
    for (const script of failures) await assert.rejects(identityWhen(script), Error, script);
  });
});

(process.platform === 'win32' ? describe.skip : describe)('the processes of a Linux machine (not on Windows)', () => {
  it('aren’t taken for ended while they can’t be read', async () => {
    const root = temporaryFolder('proc');
    const stat = `77 (chrome) S 1 ${'0 '.repeat(17)}4711 0 0`;
    const process = (pid: string) => {
      mkdirSync(join(root, pid));
      symlinkSync('/opt/chrome', join(root, pid, 'exe'));
    };
    process('77');
    writeFileSync(join(root, '77', 'stat'), stat);
    writeFileSync(join(root, '77', 'cmdline'), 'chrome\0');
    const reader = linuxProcesses(root);
    assert.equal(await reader.identityOf(77), '4711');
    assert.equal(await reader.identityOf(78), undefined);
    assert.deepEqual(
      (await reader.list(() => true, unaborted)).found.map(({ pid }) => pid),
      [77],
    );
    // A folder in place of the file makes reading it fail while the process exists, as with too many open files.
    process('78');
    mkdirSync(join(root, '78', 'stat'));
    await assert.rejects(reader.identityOf(78), { code: 'EISDIR' });
    await assert.rejects(
      reader.list(() => true, unaborted),
      { code: 'EISDIR' },
    );
  });

  it('aren’t taken for ended while threads of theirs run, even if the first one has exited', async () => {
    const root = temporaryFolder('proc');
    mkdirSync(join(root, '77'));
    const identityWith = (state: string, threads: number) => {
      writeFileSync(join(root, '77', 'stat'), `77 (chrome) ${state} 1 ${'0 '.repeat(15)}${threads} 0 4711 0 0`);
      return linuxProcesses(root).identityOf(77);
    };
    assert.equal(await identityWith('S', 2), '4711');
    assert.equal(await identityWith('Z', 2), '4711');
    assert.equal(await identityWith('Z', 1), undefined);
    assert.equal(await identityWith('Z', 0), undefined);
    assert.equal(await identityWith('X', 2), undefined);
  });
});

describe('the processes of a Windows machine', () => {
  it('are gone only when PowerShell says so, and not when it says nothing', () => {
    assert.equal(identityIn('1795764926869\r\n'), '1795764926869');
    assert.equal(identityIn('none\r\n'), undefined);
    for (const said of ['', '\r\n', 'Get-CimInstance : The RPC server is unavailable.']) {
      assert.throws(() => identityIn(said), Error, said);
    }
  });

  it('are read by Windows’ own PowerShell, wherever VS Code was started', () => {
    const path = 'System32\\WindowsPowerShell\\v1.0\\powershell.exe';
    assert.equal(powerShellPath({ SystemRoot: 'D:\\WINNT' }), `D:\\WINNT\\${path}`);
    assert.equal(powerShellPath({}), `C:\\Windows\\${path}`);
  });
});

describe('a flag of a browser', () => {
  it('has the value that the browser uses: the last one before “--”', () => {
    const args = [
      'chrome',
      '--user-data-dir=/a',
      '--headless',
      '--user-data-dir=/b',
      '--',
      '--user-data-dir=/c',
      '--x',
    ];
    assert.equal(flagOf({ args }, '--user-data-dir'), '/b');
    assert.equal(flagOf({ args }, '--headless'), '');
    assert.equal(flagOf({ args }, '--x'), undefined);
    assert.equal(flagOf({ args: [] }, '--x'), undefined);
    // Windows puts a link that it opens after this flag. On a Mac, what follows `--` is part of one argument.
    for (const link of ['--single-argument', '-- https://x.example/?q='])
      assert.equal(flagOf({ args: ['chrome', link, '--headless'] }, '--headless'), undefined);
  });
});
