import { strict as assert } from 'node:assert';
import { useBrowserless } from '../../host/useBrowserless.ts';
import { type BrowserlessV2Server, startBrowserlessV2 } from '../../servers/browserlessV2.ts';

/** The shape of a response, without its ids and times. */
interface Shape {
  readonly status: number;
  readonly type: string;
  readonly said: string;
}

describe('the tests’ strict Browserless v2', function () {
  this.timeout(60_000);
  const used = useBrowserless();
  let strict: BrowserlessV2Server;

  beforeEach(async () => {
    strict = await startBrowserlessV2();
  });
  afterEach(async () => {
    await strict.stop();
    await used.browserless.clear();
  });

  async function ask(server: { url: string; token: string | undefined }, path: string, init: RequestInit = {}) {
    const headers = { authorization: `Bearer ${server.token}`, ...init.headers };
    const answer = await fetch(server.url + path, { ...init, headers });
    const text = await answer.text();
    const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
    return { status: answer.status, type: answer.status === 204 ? '' : type, said: text.trim() };
  }

  it('responds like a real server', async () => {
    const id = await used.browserless.open({ trackingId: 'job-1' });
    strict.add({ id, trackingId: 'job-1' });
    const requests: readonly (readonly [string, RequestInit])[] = [
      ['/kill/never', {}],
      ['/kill/a%2Fb', {}],
      ['/kill/x?y=1', {}],
      ['/sessions?_=1', {}],
      ['/sessions', { headers: { authorization: 'Bearer wrong' } }],
      ['/sessions', { headers: { 'content-type': 'application/json' } }],
      ['/kill/all', { method: 'DELETE' }],
      ['/nothing', {}],
      [`/kill/${id}`, {}],
      [`/kill/${id}`, {}],
      ['/kill/all', {}],
    ];
    for (const [path, init] of requests) {
      const [real, ours]: Shape[] = await Promise.all([ask(used.browserless, path, init), ask(strict, path, init)]);
      assert.deepEqual(ours, real, `${init.method ?? 'GET'} ${path} ${JSON.stringify(init.headers ?? {})}`);
    }
  });

  it('lists like a real server', async () => {
    const id = await used.browserless.open({ trackingId: 'job-1' });
    strict.add({ id, trackingId: 'job-1' });
    const rowsOf = async (server: { url: string; token: string | undefined }) => {
      const rows = JSON.parse((await ask(server, '/sessions')).said) as { type: string }[];
      const kinds = ['browser', 'page'].map((type) => rows.find((row) => row.type === type));
      return kinds.map((row) =>
        Object.entries(row ?? {})
          .map(([key, value]) => `${key}: ${typeof value}`)
          .sort(),
      );
    };
    const [real, ours] = [await rowsOf(used.browserless), await rowsOf(strict)];
    for (const [index, keys] of ours.entries()) {
      assert.deepEqual(
        keys.filter((key) => real[index]?.includes(key) !== true),
        [],
      );
    }
    const counted = async (server: { url: string; token: string | undefined }) =>
      JSON.parse((await ask(server, '/pressure')).said).pressure.running;
    assert.deepEqual([await counted(used.browserless), await counted(strict)], [1, 1]);
  });
});
