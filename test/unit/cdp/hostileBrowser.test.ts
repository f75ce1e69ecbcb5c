import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { openCdpDialer } from '../../../src/cdp/dialer.ts';
import type { CdpConnection } from '../../../src/core/cdp.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { errorOf } from '../errors.ts';
import { unaborted } from '../testNetwork.ts';

/** What a hostile browser sends for a command, before and instead of a response. */
type Reply = (id: number, method: string) => readonly string[];

describe('a DevTools connection to a hostile browser', () => {
  let server: WebSocketServer;
  let connection: CdpConnection;
  let reply: Reply;
  /** Uncaught exceptions, which in VS Code affect the whole extension host. */
  let uncaught: unknown[];
  const note = (error: unknown) => void uncaught.push(error);
  const mochas = process.listeners('uncaughtException');

  beforeEach(async () => {
    uncaught = [];
    process.removeAllListeners('uncaughtException').on('uncaughtException', note);
    server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('message', (data) => {
        const { id, method } = JSON.parse((data as Buffer).toString());
        for (const text of reply(id, method)) socket.send(text);
      });
    });
    const { port } = server.address() as { port: number };
    connection = await openCdpDialer(new URL(`http://127.0.0.1:${port}`), systemClock).dial(
      new URL(`ws://127.0.0.1:${port}`),
      {},
      unaborted,
    );
  });
  afterEach(async () => {
    connection.dispose();
    for (const socket of server.clients) socket.terminate();
    server.close();
    await once(server, 'close');
    process.removeListener('uncaughtException', note);
    for (const listener of mochas) process.on('uncaughtException', listener);
  });

  const ask = () => connection.send('Browser.getVersion', {}, unaborted);

  it('treats any error as an error, whatever its shape', async () => {
    for (const error of [
      { message: { toString: 1, valueOf: 1 } },
      { message: { toString: 'canary' } },
      { message: [[['canary']]] },
      { message: null },
      { code: -32_000 },
      'canary',
      7,
      [],
      null,
      { message: 'x'.repeat(100_000) },
    ]) {
      reply = (id) => [JSON.stringify({ id, error })];
      const { trouble, detail = '' } = await errorOf(ask());
      assert.deepEqual(trouble, { kind: 'unexpectedAnswer', what: 'it refused Browser.getVersion' });
      assert.ok(detail.length <= 200 && !detail.includes('canary'), detail);
    }
    assert.deepEqual(uncaught, []);
  });

  it('continues after messages that make no sense', async () => {
    reply = (id) => [
      JSON.stringify({ id: 'x' }),
      JSON.stringify({ id: 1e300, result: {} }),
      JSON.stringify({ method: { toString: 1 } }),
      JSON.stringify({ method: 'Target.targetCreated', params: 7, sessionId: {} }),
      JSON.stringify([[[]]]),
      '7',
      'null',
      JSON.stringify({ id, result: { product: 'Chrome/156' } }),
    ];
    assert.deepEqual(await ask(), { product: 'Chrome/156' });
    assert.deepEqual(uncaught, []);
  });

  it('rejects a response with more values than it can read at once, and says so', async () => {
    for (const flood of [
      (id: number) => `{"id":${id},"result":{"targetInfos":[${'{},'.repeat(400_000)}{}]}}`,
      (id: number) => `{"id":${id},"result":${'['.repeat(500_000)}${']'.repeat(500_000)}}`,
      (id: number) => `{"id":${id},"result":{${Array.from({ length: 200_000 }, (_, n) => `"k${n}":1`).join()}}}`,
    ]) {
      reply = (id) => [flood(id)];
      const { trouble } = await errorOf(ask());
      assert.deepEqual(trouble, { kind: 'unexpectedAnswer', what: 'its response is too large to read' });
    }
    reply = (id) => [
      `{"method":"x","params":[${'0,'.repeat(400_000)}0]}`,
      JSON.stringify({ id, result: { ok: true } }),
    ];
    assert.deepEqual(await ask(), { ok: true });
  });

  it('handles each of many messages in a turn of its own', async () => {
    const event = JSON.stringify({ method: 'Target.targetInfoChanged', params: {} });
    reply = (id) => [...Array.from({ length: 20 }, () => event), JSON.stringify({ id, result: {} })];
    let turn = 0;
    const nextTurn = () => setImmediate(() => turn++);
    const turns: number[] = [];
    const subscription = connection.onEvent(() => {
      turns.push(turn);
      nextTurn();
    });
    await ask();
    subscription.dispose();
    assert.equal(new Set(turns).size, 20);
  });

  it('reads a large picture', async () => {
    const data = 'A'.repeat(16 * 2 ** 20);
    reply = (id) => [JSON.stringify({ id, result: { data } })];
    assert.equal((await ask())['data'], data);
  });

  it('rejects a message that is larger than any picture, and says so', async () => {
    reply = (id) => [JSON.stringify({ id, result: { data: 'A'.repeat(33 * 2 ** 20) } })];
    const { trouble } = await errorOf(ask());
    assert.deepEqual(trouble, { kind: 'unexpectedAnswer', what: 'its response is larger than 24 MiB' });
  });
});
