import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { askSocket } from '../../../src/local/askSocket.ts';
import { readListeningSockets } from '../../../src/local/socketOwners.ts';
import { watchTurns } from '../../host/ownTime.ts';
import { temporaryFolder } from '../../host/processes.ts';
import { unaborted } from '../testNetwork.ts';

(process.platform === 'win32' ? describe.skip : describe)('local sockets (not on Windows)', () => {
  let folder: string;
  let path: string;
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  beforeEach(() => {
    folder = temporaryFolder('s');
    path = join(folder, 's.sock');
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(answer: (socket: Socket, question: string) => void, at = path): Promise<void> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (data) => answer(socket, data.toString()));
    }).listen(at);
    servers.push(server);
    await once(server, 'listening');
  }
  const ask = (at = path, signal = unaborted) =>
    askSocket({ path: at, message: { method: 'stop' }, end: '\0', withinMs: 300 }, systemClock, signal);

  it('are sent one request, and the first answer counts', async () => {
    const questions: string[] = [];
    await listen((socket, question) => {
      questions.push(question);
      socket.write('{"a":');
      setImmediate(() => socket.write('1}\0{"b":2}\0'));
    });
    assert.deepEqual(await ask(), { kind: 'answered', text: '{"a":1}' });
    assert.deepEqual(questions, ['{"method":"stop"}\0']);
  });

  it('aren’t waited for if they never answer, never finish answering, or hang up', async () => {
    const answers: ((socket: Socket) => void)[] = [
      () => {},
      (socket) => {
        const flood = () => {
          while (!socket.destroyed && socket.write('x'.repeat(2 ** 16)));
        };
        socket.on('drain', flood);
        flood();
      },
      (socket) => socket.destroy(),
    ];
    for (const [at, answer] of answers.entries()) {
      const own = join(folder, `${at}.sock`);
      await listen(answer, own);
      assert.deepEqual(await ask(own), { kind: 'unanswered' });
    }
  });

  it('are sent nothing if they aren’t this user’s sockets or others can write to their folder', async () => {
    await listen(() => assert.fail('it received a request'));
    const [file, link] = [join(folder, 'file'), join(folder, 'link.sock')];
    writeFileSync(file, '');
    symlinkSync(path, link);
    for (const one of [file, link, join(folder, 'none')]) assert.deepEqual(await ask(one), { kind: 'refused' });
    assert.deepEqual(await ask(path, AbortSignal.abort()), { kind: 'refused' });
    chmodSync(folder, 0o777);
    assert.deepEqual(await ask(), { kind: 'refused' });
    servers[0]?.close();
    assert.deepEqual(await ask(), { kind: 'refused' });
  });

  (process.platform === 'linux' ? it : it.skip)(
    'are matched with the process that listens on them (Linux only)',
    async () => {
      await listen(() => {});
      const table = await readListeningSockets();
      assert.ok(table);
      assert.equal(table.has(path), true);
      assert.equal(table.has(join(folder, 'none')), false);
      assert.deepEqual([...(await table.owners([path, join(folder, 'none')], [process.pid]))], [[path, process.pid]]);
      assert.deepEqual([...(await table.owners([path], [process.ppid]))], []);
      assert.deepEqual([...(await table.owners([path]))], [[path, process.pid]]);
      // Another server has replaced the socket with its own.
      rmSync(path);
      await listen(() => {});
      const later = await readListeningSockets();
      assert.equal(later?.has(path), true);
      assert.deepEqual([...((await later?.owners([path], [process.pid])) ?? [])], []);
      assert.equal(await readListeningSockets('/does/not/exist'), undefined);
    },
  );

  (process.platform === 'linux' ? it : it.skip)(
    'are matched although another program’s socket has a name that looks like a line about them (Linux only)',
    async () => {
      await listen(() => {});
      // Node can't listen at a name with a line break, so the kernel's table is written as it would be.
      const root = temporaryFolder('proc');
      mkdirSync(join(root, 'net'));
      const lines = readFileSync('/proc/net/unix', 'utf8').trimEnd().split('\n');
      const forged = `0000000000000000: 00000002 00000000 00010000 0001 01 77 ${path}`;
      writeFileSync(join(root, 'net', 'unix'), [...lines, '0: 2 0 10000 1 1 76 @x', forged, ''].join('\n'));
      symlinkSync(`/proc/${process.pid}`, join(root, `${process.pid}`));
      const table = await readListeningSockets(root);
      assert.deepEqual([...((await table?.owners([path], [process.pid])) ?? [])], [[path, process.pid]]);
      assert.deepEqual([...((await table?.owners([path], [process.ppid])) ?? [])], []);
    },
  );

  (process.platform === 'linux' ? it : it.skip)(
    'are read in turns, however many sockets of another user seem to have one path (Linux only)',
    async () => {
      const root = temporaryFolder('proc');
      mkdirSync(join(root, 'net'));
      const line = (_: unknown, inode: number) => `0: 2 0 10000 1 1 ${inode} /tmp/one.sock`;
      writeFileSync(join(root, 'net', 'unix'), Array.from({ length: 50_000 }, line).join('\n'));
      const turns = watchTurns();
      assert.equal((await readListeningSockets(root))?.has('/tmp/one.sock'), true);
      const longest = turns.stop();
      assert.ok(longest < 50, `${Math.round(longest)} ms`);
    },
  );
});
