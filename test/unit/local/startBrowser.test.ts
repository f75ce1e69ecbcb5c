import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { StartedBrowser } from '../../../src/core/thisMachine.ts';
import { browserAt } from '../../../src/local/devtoolsPort.ts';
import { usualPlaces } from '../../../src/local/installedBrowsers.ts';
import { isRunning, removeProfile, startBrowser } from '../../../src/local/startBrowser.ts';
import { ensureChromium } from '../../host/chromium.ts';
import { temporaryFolder } from '../../host/processes.ts';
import { Devtools } from '../../servers/devtools.ts';
import { until } from '../until.ts';

const nowhere = async () => {};

/** Starts a server that gives one answer to every request, and counts them. */
async function serverThatAnswers(answer: string) {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    stop(): void {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Whether a process with this profile runs, as the system says. */
function runs(pid: number, profile: string): boolean {
  try {
    if (process.platform !== 'linux') return process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(profile);
  } catch {
    return false;
  }
}

describe('a browser that is started to try the extension', function () {
  this.timeout(60_000);
  let program: string;
  const opened: StartedBrowser[] = [];

  before(async () => {
    program = await ensureChromium();
  });
  after(async () => {
    for (const browser of opened) await browser.close();
  });

  async function start(): Promise<StartedBrowser> {
    const started = await startBrowser(nowhere, [program]);
    assert.ok(started.kind === 'started', JSON.stringify(started));
    opened.push(started.browser);
    return started.browser;
  }

  it('has a new profile and a free port, shows a page in a context of its own, and is gone with its profile when closed', async () => {
    const browser = await start();
    assert.ok(runs(browser.pid, browser.profile));
    assert.ok(await isRunning(browser.profile));
    await browser.openPage('data:text/html,<title>Trial</title>');
    const devtools = await Devtools.open(browser.address);
    assert.equal((await devtools.contexts()).length, 1);
    devtools.close();
    await browser.close();
    assert.equal(runs(browser.pid, browser.profile), false);
    assert.equal(existsSync(browser.profile), false);
    assert.equal(await isRunning(browser.profile), false);
  });

  it('can’t connect to any host, not even to this machine', async () => {
    const server = await serverThatAnswers('<title>reached</title>');
    const browser = await start();
    for (const host of ['localhost', '127.0.0.1']) {
      const devtools = await Devtools.open(browser.address);
      await devtools.openContext(`http://${host}:${server.port}/`);
      await until(async () => {
        const { targetInfos } = (await devtools.send('Target.getTargets', {})) as { targetInfos: { title: string }[] };
        // Chrome's own error page.
        return targetInfos.some(({ title }) => title === host);
      });
      devtools.close();
    }
    assert.equal(server.requests, 0);
    await browser.close();
    server.stop();
  });

  (process.platform === 'win32' ? it.skip : it)('counts as running while it’s frozen (not on Windows)', async () => {
    const browser = await start();
    process.kill(browser.pid, 'SIGSTOP');
    assert.equal(await isRunning(browser.profile), true);
    process.kill(browser.pid, 'SIGKILL');
    await browser.exited;
    assert.equal(await isRunning(browser.profile), false);
  });

  it('deletes its profile when it exits by itself', async () => {
    const browser = await start();
    process.kill(browser.pid, 'SIGKILL');
    await browser.exited;
    assert.equal(existsSync(browser.profile), false);
  });

  it('exits when the process that started it is killed', async () => {
    const source = pathToFileURL(join('src', 'local', 'startBrowser.ts')).href;
    const script = `const { startBrowser } = await import(${JSON.stringify(source)});
      const { browser: { pid, profile } } = await startBrowser(async () => {}, [${JSON.stringify(program)}]);
      console.log(JSON.stringify({ pid, profile }));
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let line = '';
    for await (const data of owner.stdout) {
      line += String(data);
      if (line.includes('\n')) break;
    }
    const { pid, profile } = JSON.parse(line);
    assert.ok(runs(pid, profile));
    owner.kill('SIGKILL');
    await until(() => !runs(pid, profile));
    assert.ok(existsSync(profile));
    await until(async () => !(await isRunning(profile)));
    await removeProfile(profile);
    assert.equal(existsSync(profile), false);
  });

  it('is the first installed one that works; if none does, the last line of its output is reported', async () => {
    const folder = temporaryFolder('browsers');
    const broken = join(folder, 'broken');
    writeFileSync(broken, '#!/bin/sh\necho "first" >&2\necho "No usable sandbox!" >&2\nexit 1\n', { mode: 0o755 });
    const failed = await startBrowser(nowhere, [broken]);
    assert.deepEqual(failed, { kind: 'failed', path: broken, said: 'No usable sandbox!' });
    assert.equal((await startBrowser(nowhere, [join(folder, 'missing')])).kind, 'failed');
    assert.deepEqual(await startBrowser(nowhere, []), { kind: 'notInstalled' });
    const started = await startBrowser(nowhere, [broken, program]);
    assert.ok(started.kind === 'started');
    await started.browser.close();
  });

  it('never deletes a folder that isn’t such a profile', async () => {
    const other = mkdtempSync(join(tmpdir(), 'browser-sessions-other-'));
    const elsewhere = join(other, 'browser-sessions-trial-x');
    writeFileSync(elsewhere, '');
    for (const path of [other, elsewhere, `${other}/../${other.split('/').at(-1)}`]) {
      await removeProfile(path);
      assert.ok(existsSync(path), path);
    }
    rmSync(other, { recursive: true });
  });
});

describe('finding browsers on this machine', () => {
  it('knows where Chrome, Chromium and Edge are on each system, and takes no relative folder from PATH', () => {
    const linux = usualPlaces('linux', { PATH: '/opt/bin:.:bin', CHROME_PATH: '/my/chrome' });
    assert.equal(linux[0], '/my/chrome');
    assert.ok(linux.includes('/opt/bin/google-chrome') && linux.includes('/usr/bin/chromium'));
    assert.ok(linux.every((path) => path.startsWith('/')));
    assert.ok(usualPlaces('darwin', {}).includes('/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge'));
    const windows = usualPlaces('win32', { PROGRAMFILES: 'C:\\Program Files', LOCALAPPDATA: 'C:\\Local' });
    assert.equal(windows.filter((path) => /chrome\.exe$/.test(path)).length, 4);
    assert.equal(windows.filter((path) => /msedge\.exe$/.test(path)).length, 2);
  });

  it('asks this machine’s ports directly, even if the environment has a proxy for Node’s own requests', async () => {
    const proxy = await serverThatAnswers('{"webSocketDebuggerUrl":"ws://127.0.0.1/devtools/browser/proxy"}');
    const module = pathToFileURL(join('src', 'local', 'devtoolsPort.ts')).href;
    const script = `console.log(await (await import(${JSON.stringify(module)})).browserAt(9))`;
    const env = {
      ...process.env,
      NODE_USE_ENV_PROXY: '1',
      http_proxy: `http://127.0.0.1:${proxy.port}`,
      no_proxy: '',
      NO_PROXY: '',
    };
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env });
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
    });
    await once(child, 'close');
    proxy.stop();
    assert.deepEqual([said.trim(), proxy.requests], ['undefined', 0]);
  });

  it('doesn’t mistake another server for DevTools', async () => {
    for (const answer of ['', 'hello', '{}', 'null', '{"webSocketDebuggerUrl":1}', 'x'.repeat(100_000)]) {
      const server = await serverThatAnswers(answer);
      assert.equal(await browserAt(server.port), undefined, answer.slice(0, 40));
      server.stop();
      assert.equal(await browserAt(server.port), undefined);
    }
  });
});
