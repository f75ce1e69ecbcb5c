import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { AutomatedBrowser } from '../../../src/local/browsers.ts';
import { readListeningPorts } from '../../../src/local/listeningPorts.ts';
import { openProcessReader } from '../../../src/local/openProcessReader.ts';
import { clientsOfBrowsers } from '../../../src/providers/local/findSessions.ts';
import { watchTurns } from '../../host/ownTime.ts';
import { freePort, type Owned, start, temporaryFolder } from '../../host/processes.ts';
import { unaborted } from '../testNetwork.ts';
import { until } from '../until.ts';

(process.platform === 'linux' ? describe : describe.skip)('TCP ports of this machine (Linux only)', () => {
  const listenAt = async (host: string, port: number): Promise<Server> => {
    const server = createServer().listen(port, host);
    await once(server, 'listening');
    return server;
  };
  const close = async (server: Server): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  const belongsTo = async (port: number, pid = process.pid) => (await readListeningPorts())?.belongsTo(port, pid);

  const clientsOf = async (port: number) => [
    ...((await (await readListeningPorts())?.clientsOf([port, 1]))?.get(port) ?? []),
  ];

  /** What finding its clients needs to know about a browser. */
  const browserAt = (port: number, isLeftBehind: boolean, ownerPids: readonly number[] = []) =>
    ({ process: { pid: 1 }, port, isLeftBehind, children: [], ownerPids }) as unknown as AutomatedBrowser;

  it('belong to the process that listens on them, as long as it does', async () => {
    const other = start(process.execPath, ['-e', 'setInterval(() => {}, 1_000)']);
    try {
      for (const host of ['127.0.0.1', '127.0.0.2', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::']) {
        const port = await freePort();
        const server = await listenAt(host, port);
        // Nothing that is sent to 127.0.0.1 arrives there.
        const isUnreachable = host === '127.0.0.2' || host === '::1';
        assert.equal(await belongsTo(port), !isUnreachable, host);
        assert.equal(await belongsTo(port, other.child.pid), false, host);
        await close(server);
        assert.equal(await belongsTo(port), false, host);
      }
    } finally {
      other.child.kill();
    }
  });

  it('belong to none of the processes that share them', async () => {
    const port = await freePort();
    const options = { port, host: '127.0.0.1', reusePort: true };
    const own = createServer().listen(options);
    await once(own, 'listening');
    assert.equal(await belongsTo(port), true);
    const program = `require('net').createServer().listen(${JSON.stringify(options)})`;
    const other = start(process.execPath, ['-e', program]);
    try {
      await until(async () => (await belongsTo(port)) === false);
      assert.equal(await belongsTo(port, other.child.pid), false);
    } finally {
      other.child.kill();
      await close(own);
    }
  });

  it('are told apart from the same port of ::1, which Chrome takes where 127.0.0.1 has another one', async () => {
    const port = await freePort();
    const own = await listenAt('127.0.0.1', port);
    const other = start(process.execPath, [
      '-e',
      `require('net').createServer().listen(${port}, '::1', () => console.log(1))`,
    ]);
    try {
      await until(() => other.output() !== '');
      assert.deepEqual([await belongsTo(port), await belongsTo(port, other.child.pid)], [true, false]);
    } finally {
      other.child.kill();
      await close(own);
    }
  });

  it('don’t belong to a process that has ended, even if it isn’t reaped yet', async () => {
    const port = await freePort();
    const server = await listenAt('127.0.0.1', port);
    const other = start(process.execPath, ['-e', '']);
    await other.stop();
    assert.equal(await belongsTo(port, other.child.pid), false);
    // The shell becomes a program that doesn't wait for its child.
    const parent = start('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60']);
    await until(() => /^\d+\n/.test(parent.output()));
    const pid = Number(parent.output());
    await until(() => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    assert.equal(await belongsTo(port, pid), false);
    await parent.stop();
    await close(server);
  });

  it('have clients: the processes that are connected to them, by any name of this machine', async () => {
    const servers: Server[] = [];
    const clients: Owned[] = [];
    const sockets: Socket[] = [];
    try {
      for (const [host, address] of [
        ['127.0.0.1', '127.0.0.1'],
        ['::', '127.0.0.1'],
        ['::1', '::1'],
        ['0.0.0.0', '127.0.0.2'],
        ['::', '127.1.2.3'],
      ] as const) {
        const port = await freePort();
        const server = await listenAt(host, port);
        server.on('connection', (socket) => socket.resume());
        servers.push(server);
        const own = connect(port, address);
        sockets.push(own);
        await once(server, 'connection');
        assert.deepEqual(await clientsOf(port), [process.pid]);
        const client = start('bash', ['-c', `exec 3<>/dev/tcp/${address}/${port}; exec cat <&3`]);
        clients.push(client);
        await until(async () => (await clientsOf(port)).length === 2);
        assert.deepEqual(new Set(await clientsOf(port)), new Set([process.pid, client.child.pid]));
        own.destroy();
        await until(async () => (await clientsOf(port)).length === 1);
      }
    } finally {
      for (const { child } of clients) child.kill();
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map(close));
    }
  });

  it('have clients that didn’t start a browser, looked for among all processes only if it was left behind', async () => {
    const port = await freePort();
    const server = await listenAt('127.0.0.1', port);
    server.on('connection', (socket) => socket.resume());
    const client = start('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; exec cat <&3`]);
    try {
      const pid = client.child.pid ?? 0;
      await until(async () => (await clientsOf(port)).includes(pid));
      const processes = await (await openProcessReader()).list(() => false, unaborted);
      const users = (isLeftBehind: boolean, likely: readonly number[], ownerPids: readonly number[] = []) => {
        return clientsOfBrowsers([browserAt(port, isLeftBehind, ownerPids)], processes, readListeningPorts, likely);
      };
      assert.deepEqual(await users(true, []), new Map([[1, 'cat']]));
      assert.deepEqual(await users(false, [pid]), new Map([[1, 'cat']]));
      assert.deepEqual(await users(false, []), new Map());
      assert.deepEqual(await users(false, [pid], [pid]), new Map());
    } finally {
      client.child.kill();
      await close(server);
    }
  });

  it('have clients whose processes can’t be read, such as another user’s, as long as they are connected', async () => {
    const port = await freePort();
    const server = await listenAt('127.0.0.1', port);
    const client = connect(port, '127.0.0.1');
    const root = temporaryFolder('proc');
    try {
      await once(server, 'connection');
      symlinkSync('/proc/net', join(root, 'net'));
      const ports = await readListeningPorts(root);
      assert.deepEqual(await ports?.clientsOf([port]), new Map([[port, new Set([undefined])]]));
      const processes = await (await openProcessReader()).list(() => false, unaborted);
      const browser = browserAt(port, true);
      const users = (from?: string) => clientsOfBrowsers([browser], processes, () => readListeningPorts(from));
      assert.deepEqual(await users(root), new Map([[1, 'another program']]));
      // Of this program, as the editor's own connections are.
      assert.deepEqual(await users(), new Map());
      client.destroy();
      await until(async () => (await clientsOf(port)).length === 0);
      assert.deepEqual(await ports?.clientsOf([port]), new Map());
    } finally {
      client.destroy();
      await close(server);
    }
  });

  it('have clients in containers and on other machines', async () => {
    const root = temporaryFolder('proc');
    mkdirSync(join(root, 'net'));
    const row = (at: number, ends: string) =>
      `   ${at}: ${ends} 00000000:00000000 00:00000000 00000000  1000  0 ${at} 1 0 20 4\n`;
    // It listens at any address. 172.17.0.5 is connected to it, and it's connected to the same port of 172.17.0.9.
    const rows = ['00000000:2406 00000000:0000 0A', '010011AC:2406 050011AC:D431 01', '010011AC:9999 090011AC:2406 01'];
    writeFileSync(
      join(root, 'net', 'tcp'),
      `  sl  local_address rem_address\n${rows.map((ends, at) => row(at + 7, ends)).join('')}`,
    );
    const ports = await readListeningPorts(root);
    assert.deepEqual(await ports?.clientsOf([0x2406]), new Map([[0x2406, new Set([undefined])]]));
  });

  it('are read without blocking anything for long, however many files a process has open', async () => {
    // As many as the system lets it.
    const opening = 'try { for (let at = 0; at < 19_000; at++) require("fs").openSync("/dev/null"); } catch {}';
    const other = start(process.execPath, ['-e', `${opening} console.log("ready"); setInterval(() => {}, 1_000)`]);
    const port = await freePort();
    const server = await listenAt('127.0.0.1', port);
    await until(() => other.output() !== '');
    assert.equal(other.output(), 'ready\n');
    const ports = await readListeningPorts();
    const turns = watchTurns();
    assert.equal(await ports?.belongsTo(port, other.child.pid ?? 0), false);
    await new Promise((resolve) => setImmediate(resolve));
    const longest = turns.stop();
    assert.ok(longest < 50, `${Math.round(longest)} ms`);
    await other.stop();
    await close(server);
  });

  it('are read in turns, however many sockets share a port', async () => {
    const root = temporaryFolder('proc');
    mkdirSync(join(root, 'net'));
    const line = (inode: number) => `${inode}: 0100007F:2406 00000000:0000 0A 0:0 00:0 0 1000 0 ${inode} 1`;
    writeFileSync(join(root, 'net', 'tcp'), Array.from({ length: 40_000 }, (_, inode) => line(inode)).join('\n'));
    const turns = watchTurns();
    assert.deepEqual((await readListeningPorts(root))?.all, [9222]);
    const longest = turns.stop();
    assert.ok(longest < 50, `${Math.round(longest)} ms`);
  });

  it('can’t be read without the operating system’s tables', async () => {
    assert.equal(await readListeningPorts('/does/not/exist'), undefined);
  });
});
