import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { BoundBrowsers } from '../../../src/local/playwrightFiles.ts';
import { dialPlaywright } from '../../../src/local/playwrightWire.ts';
import { watchTurns } from '../../host/ownTime.ts';
import { temporaryFolder } from '../../host/processes.ts';
import { errorOf, troubleOf } from '../errors.ts';
import { fastClock } from '../services/testServices.ts';
import { unaborted } from '../testNetwork.ts';

(process.platform === 'win32' ? describe.skip : describe)(
  'Playwright’s files about bound browsers (not on Windows)',
  () => {
    let folder: string;
    beforeEach(() => {
      folder = temporaryFolder('pw');
      mkdirSync(join(folder, 'b'));
    });
    const bound = () => new BoundBrowsers({ PWTEST_SERVER_REGISTRY: join(folder, 'b') }).read();
    const write = (name: string, content: unknown) =>
      writeFileSync(join(folder, 'b', name), typeof content === 'string' ? content : JSON.stringify(content));
    const descriptor = (endpoint: unknown = '/run/x.sock') => ({
      title: 'claude-code',
      browser: {
        browserName: 'chromium',
        launchOptions: { env: { TOKEN: 'pw-secret' }, proxy: { password: 'pw-secret' } },
      },
      endpoint,
      workspaceDir: '/work',
    });

    it('are read without the keys in them', async () => {
      write('browser@1', descriptor());
      assert.deepEqual(await bound(), [{ title: 'claude-code', socket: '/run/x.sock', workspace: '/work' }]);
    });

    it('are left out if they can’t be read, without hiding any other', async () => {
      write('good', descriptor());
      write('empty', '');
      write('garbage', '{"endpoint":');
      write('list', []);
      write('nothing', null);
      write('relative', descriptor('../x.sock'));
      write('address', descriptor('ws://127.0.0.1:1/x'));
      write('number', descriptor(7));
      write('firefox', { ...descriptor(), browser: { browserName: 'firefox' } });
      write('large', { ...descriptor(), title: 'x'.repeat(10 * 2 ** 20) });
      symlinkSync('/dev/zero', join(folder, 'b', 'device'));
      symlinkSync(join(folder, 'b', 'good'), join(folder, 'b', 'link'));
      mkdirSync(join(folder, 'b', 'folder'));
      assert.equal((await bound()).length, 1);
    });

    it('are none where the folder is missing', async () => {
      assert.deepEqual(await new BoundBrowsers({ PWTEST_SERVER_REGISTRY: join(folder, 'none') }).read(), []);
    });
  },
);

(process.platform === 'win32' ? describe.skip : describe)('Playwright’s socket (not on Windows)', () => {
  let folder: string;
  let server: Server;
  const sockets = new Set<Socket>();
  beforeEach(() => {
    folder = temporaryFolder('pw');
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server?.close();
  });

  async function listen(answer: (socket: Socket, data: string) => void): Promise<string> {
    const path = join(folder, 's.sock');
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('data', (data) => answer(socket, data.toString()));
      socket.on('error', () => {});
    }).listen(path);
    await once(server, 'listening');
    return path;
  }
  const dial = (path: string, clock: Clock = systemClock, signal = unaborted) => dialPlaywright(path, clock, signal);

  it('is refused if it isn’t a socket, or if others may write to its folder', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    assert.equal(await troubleOf(dial(file)), 'unsupported');
    assert.equal(await troubleOf(dial(join(folder, 'none'))), 'unsupported');
    const path = await listen(() => {});
    symlinkSync(path, join(folder, 'link.sock'));
    assert.equal(await troubleOf(dial(join(folder, 'link.sock'))), 'unsupported');
    chmodSync(folder, 0o777);
    assert.equal(await troubleOf(dial(path)), 'unsupported');
    assert.equal(sockets.size, 0);
  });

  it('can fail to answer, answer nonsense, answer endlessly, or hang up', async () => {
    const troubles: string[] = [];
    for (const answer of [
      () => {},
      (socket: Socket) => socket.write('nonsense\0'),
      (socket: Socket) => socket.write('{"id":1,"result":{}}\0'),
      (socket: Socket) => socket.write('{"id":1,"error":{"message":"secret"}}\0'),
      (socket: Socket) => socket.destroy(),
      (socket: Socket) => {
        const flood = () => {
          while (!socket.destroyed && socket.write('x'.repeat(2 ** 20)));
        };
        socket.on('drain', flood);
        flood();
      },
    ]) {
      const error = await errorOf(dial(await listen(answer), fastClock(50)));
      assert.doesNotMatch(error.message, /secret|nonsense/);
      troubles.push(error.trouble.kind);
      server.close();
      await once(server, 'close').catch(() => {});
      folder = temporaryFolder('pw');
    }
    assert.deepEqual(troubles, [
      'timedOut',
      'unreachable',
      'unexpectedAnswer',
      'unexpectedAnswer',
      'unreachable',
      troubles.at(-1),
    ]);
    assert.match(troubles.at(-1) ?? '', /unreachable|timedOut/);
  });

  it('doesn’t block anything for long, whatever it sends', async () => {
    const event = (params: string) => `{"guid":"x","method":"event","params":${params}}\0`;
    for (const flood of [
      event('['.repeat(10_000_000) + ']'.repeat(10_000_000)),
      event(`{"method":"n","params":{"all":[${'1,'.repeat(5_000_000)}1]}}`),
      '\0'.repeat(10_000_000),
      '{}\0'.repeat(5_000_000),
    ]) {
      const path = await listen((socket) => socket.write(flood));
      const turns = watchTurns();
      await errorOf(dial(path, fastClock(5)));
      const longest = turns.stop();
      assert.ok(longest < 1_000, `${flood.slice(0, 50)}: ${Math.round(longest)} ms`);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close').catch(() => {});
      folder = temporaryFolder('pw');
    }
  });

  it('fails a request whose answer is too large to read', async () => {
    const answer = `{"id":1,"result":[${'1,'.repeat(200_000)}1]}\0`;
    const error = await errorOf(dial(await listen((socket) => socket.write(answer))));
    assert.match(error.message, /too large to read/);
  });

  it('stops when it is aborted', async () => {
    const stop = new AbortController();
    const dialing = troubleOf(dial(await listen(() => stop.abort()), systemClock, stop.signal));
    assert.equal(await dialing, 'canceled');
    assert.equal(await troubleOf(dial(join(folder, 's.sock'), systemClock, AbortSignal.abort())), 'canceled');
  });
});
