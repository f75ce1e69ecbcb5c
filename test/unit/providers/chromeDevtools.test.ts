import { strict as assert } from 'node:assert';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import type { LocalProcess, ProcessList } from '../../../src/local/processes.ts';
import { chromeDevtools } from '../../../src/providers/local/chromeDevtools.ts';
import { temporaryFolder } from '../../host/processes.ts';
import { unaborted } from '../testNetwork.ts';

describe('sessions of chrome-devtools', () => {
  /** Every process is the background process of a session. */
  const processWith = (pid: number): LocalProcess => ({
    pid,
    parentPid: 1,
    identity: '1',
    startedAt: 0,
    program: '/usr/bin/node',
    args: ['node', '/x/daemon/daemon.js'],
    memory: undefined,
    cpuMs: undefined,
  });
  const sessionsIn = async (folder: string) => {
    const processes = { processWith } as Partial<ProcessList> as ProcessList;
    const machine = { processes, browsers: [], sockets: undefined, clock: systemClock, signal: unaborted };
    const all = await chromeDevtools({ XDG_RUNTIME_DIR: folder }).sessions(machine);
    return all.filter(({ stop }) => stop.request.path.startsWith(folder));
  };
  function home(folder: string, name: string): string {
    const path = join(folder, `chrome-devtools-mcp-${name}`);
    mkdirSync(path);
    writeFileSync(join(path, 'daemon.pid'), '4711');
    return path;
  }

  it('are read from at most two hundred folders', async () => {
    const folder = temporaryFolder('homes');
    for (let index = 0; index < 300; index++) home(folder, index.toString(16).padStart(4, '0'));
    assert.equal((await sessionsIn(folder)).length, 200);
  });

  it('aren’t read through a link', async function () {
    // Windows lets only administrators create links.
    if (process.platform === 'win32') this.skip();
    const folder = temporaryFolder('homes');
    const elsewhere = home(temporaryFolder('elsewhere'), 'abc');
    symlinkSync(elsewhere, join(folder, 'chrome-devtools-mcp-abc'));
    assert.deepEqual(await sessionsIn(folder), []);
    home(folder, 'def');
    assert.deepEqual(
      (await sessionsIn(folder)).map(({ name }) => name),
      ['def'],
    );
  });
});
