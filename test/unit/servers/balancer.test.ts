import { strict as assert } from 'node:assert';
import WebSocket, { WebSocketServer } from 'ws';
import { type BalancerServer, type Balancing, startBalancer } from '../../servers/balancer.ts';
import { type BrowserlessV2Server, startBrowserlessV2 } from '../../servers/browserlessV2.ts';
import { outages, ProviderServer } from '../../servers/providerServer.ts';

describe('the tests’ load balancer', () => {
  let workers: BrowserlessV2Server[];
  let balancer: BalancerServer;

  beforeEach(async () => {
    workers = await Promise.all(Array.from({ length: 3 }, startBrowserlessV2));
    for (const [index, worker] of workers.entries()) worker.add({ id: `b${index}` });
  });
  afterEach(async () => {
    await Promise.all([balancer.stop(), ...workers.map((worker) => worker.stop())]);
  });

  async function start(balancing: Balancing): Promise<void> {
    balancer = await startBalancer(
      workers.map(({ url }) => url),
      balancing,
    );
  }

  const get = (path: string) =>
    fetch(balancer.url + path, { headers: { authorization: `Bearer ${workers[0]?.token}` } });
  const listed = async () => [
    ...new Set(((await (await get('/sessions')).json()) as { browserId: string }[]).map((row) => row.browserId)),
  ];

  it('uses one worker after the other, as round robin does', async () => {
    await start('roundRobin');
    const lists = [await listed(), await listed(), await listed(), await listed()];
    assert.deepEqual(lists, [['b0'], ['b1'], ['b2'], ['b0']]);
    assert.deepEqual(balancer.shares(/sessions/), [2, 1, 1]);
  });

  it('sends a request to the worker with the fewest in flight, as least connections does', async () => {
    await start('leastConnections');
    const [first] = workers;
    assert.ok(first);
    first.latencyMs = 1_500;
    const slow = get('/sessions');
    while (balancer.passed.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let count = 0; count < 6; count++) await listed();
    assert.deepEqual(balancer.shares(/sessions/), [1, 3, 3]);
    await slow;
  });

  it('makes the same random choices for the same seed', async () => {
    const choices: number[][] = [];
    for (let run = 0; run < 2; run++) {
      await start({ seed: 7 });
      for (let count = 0; count < 12; count++) await listed();
      choices.push(balancer.passed.map(({ to }) => to));
      if (run === 0) await balancer.stop();
    }
    assert.deepEqual(choices[0], choices[1]);
    assert.ok(new Set(choices[0]).size > 1);
  });

  it('passes on what each worker returns, including a kill that reaches the wrong one', async () => {
    await start('roundRobin');
    assert.equal((await get('/kill/b0')).status, 204);
    const wrong = await get('/kill/b0');
    assert.equal(wrong.status, 404);
    assert.equal(await wrong.text(), `Couldn't locate session for id: "b0"`);
    assert.deepEqual(
      workers.map(({ running }) => running),
      [[], ['b1'], ['b2']],
    );
  });

  it('responds with a page of its own when it has no worker left', async () => {
    await start('roundRobin');
    for (const index of workers.keys()) balancer.down.add(index);
    assert.equal(await (await get('/sessions')).text(), 'default backend - 404');
    balancer.down.clear();
    for (const [what, page] of Object.entries(outages)) {
      balancer.outage = page;
      assert.equal((await get('/sessions')).status, page.status, what);
    }
    balancer.outage = undefined;
    assert.equal((await get('/sessions')).status, 200);
  });

  it('passes a WebSocket on to one worker', async () => {
    const acceptor = new WebSocketServer({ noServer: true });
    const socketWorker = await new ProviderServer({
      routes: {},
      notFound: () => ({ status: 404 }),
      upgrade: (request, socket, head) =>
        acceptor.handleUpgrade(request, socket, head, (client) => client.send(`hello from ${request.url}`)),
    }).start();
    balancer = await startBalancer([socketWorker.url]);
    try {
      const client = new WebSocket(`${balancer.url.replace('http', 'ws')}/devtools/browser/b0?token=t`);
      const said = await new Promise((resolve, reject) => {
        client.on('message', (data: Buffer) => resolve(data.toString()));
        client.on('error', reject);
      });
      assert.equal(said, 'hello from /devtools/browser/b0?token=t');
      client.terminate();
      assert.deepEqual(balancer.passed, [{ method: 'WS', path: '/devtools/browser/b0', to: 0 }]);
    } finally {
      await socketWorker.stop();
    }
  });
});
