import { strict as assert } from 'node:assert';
import type { Clock } from '../../../../src/core/clock.ts';
import { type AccountId, groupId, sessionId } from '../../../../src/core/ids.ts';
import type { AccountSession, EndReport } from '../../../../src/services/ending/report.ts';
import { hasUnfinishedEnds } from '../../../../src/services/ending/unfinished.ts';
import { History } from '../../../../src/services/history/history.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { startBrowserbase } from '../../../servers/browserbase.ts';
import { startGateway } from '../../../servers/gateway.ts';
import type { Fault, ProviderServer } from '../../../servers/providerServer.ts';
import { fastClock, TestServices } from '../testServices.ts';

const quietly = { stop: new AbortController().signal, onProgress: () => {} };

/** Time that passes twenty times as fast, and whose time of day can be set while timers are running. */
function jumpingClock(): Clock & { jump(ms: number): void } {
  const clock = fastClock(20);
  let offset = 0;
  return {
    now: () => clock.now() + offset,
    monotonic: clock.monotonic,
    after: clock.after,
    jump: (ms) => {
      offset += ms;
    },
  };
}

describe('an end during which something changes', function () {
  this.timeout(60_000);
  let server: AnchorServer;
  let services: TestServices;

  beforeEach(async () => {
    server = await startAnchor();
    services = new TestServices();
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  const targetsOf = (account: AccountId): AccountSession[] =>
    [...(services.store.state(account)?.contents.sessions.values() ?? [])].map((session) => ({
      accountId: account,
      session,
    }));
  async function list(count: number): Promise<{ readonly id: AccountId; readonly all: AccountSession[] }> {
    for (let index = 0; index < count; index++) server.add({ id: `sess_${index}` });
    const id = await services.add('anchor', server.url, { apiKey: server.key });
    return { id, all: targetsOf(id) };
  }
  const ends = (of: ProviderServer) => of.requests.filter(({ method }) => method === 'DELETE');
  async function untilEndsAreSent(count: number): Promise<void> {
    for (const deadline = Date.now() + 10_000; ends(server).length < count; ) {
      assert.ok(Date.now() < deadline, `${ends(server).length} ends were sent`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  /** Checks that sessions reported gone are gone, each session has one outcome, and none is still ending. */
  function claimsNothing({ results }: EndReport, all: readonly AccountSession[]): void {
    assert.deepEqual(results.map(({ session }) => session.id).sort(), all.map(({ session }) => session.id).sort());
    const running = new Set(server.running);
    for (const { accountId, session, outcome, why } of results) {
      const isGone = outcome === 'ended' || outcome === 'alreadyGone';
      assert.ok(!isGone || !running.has(session.id), `${session.id} is reported as ${outcome}, but is running`);
      if (!isGone && outcome !== 'canceled') assert.ok(why !== undefined, session.id);
      assert.notEqual(services.store.life(accountId, session.id).kind, 'ending');
    }
    assert.ok(!hasUnfinishedEnds(services.memory));
  }

  it('sends nothing more once the account is removed, and claims nothing it can’t check', async () => {
    const { id, all } = await list(20);
    server.misbehave('DELETE', /./, { kind: 'slow', ms: 60 });
    const ending = services.ender.end(all, quietly);
    await untilEndsAreSent(3);
    await services.accounts.remove(id);
    const sent = server.requests.length;
    const report = await ending;
    assert.equal(server.requests.length, sent);
    claimsNothing(report, all);
    // What was sent may have ended; what wasn't has certainly not.
    for (const { outcome, attempts } of report.results) assert.equal(outcome, attempts === 0 ? 'failed' : 'stuck');
    assert.equal(server.running.length, 20 - ends(server).length);
  });

  it('sends no end with another key once the key is replaced', async () => {
    const { id, all } = await list(20);
    server.keys.set('other', 'sk-other-key');
    // The other key sees sessions of its own, and none of those that should end.
    server.add({ id: 'sess_other', key: 'sk-other-key' });
    server.misbehave('DELETE', /./, { kind: 'slow', ms: 60 });
    const ending = services.ender.end(all, quietly);
    await untilEndsAreSent(3);
    await services.accounts.replaceCredentials(id, { apiKey: 'sk-other-key' });
    const sent = ends(server).length;
    const report = await ending;
    assert.equal(ends(server).length, sent);
    for (const { headers } of ends(server)) assert.equal(headers['anchor-api-key'], server.key);
    claimsNothing(report, all);
    // What was sent may have ended; what wasn't has certainly not.
    for (const { outcome, attempts } of report.results) assert.equal(outcome, attempts === 0 ? 'failed' : 'stuck');
    assert.ok(server.running.includes('sess_other'));
    assert.equal(server.running.length, 21 - sent);
    assert.ok(services.store.session(id, sessionId('sess_other')));
  });

  for (const [name, jump] of [
    ['ahead', 3_600_000],
    ['back', -3_600_000],
  ] as const) {
    it(`confirms what ended, and claims nothing else, when the clock jumps an hour ${name}`, async () => {
      const clock = jumpingClock();
      services.dispose();
      services = new TestServices({ clock });
      const { all } = await list(12);
      server.immortal.add('sess_3');
      server.endLagMs = 200;
      server.misbehave('DELETE', /./, { kind: 'slow', ms: 40 });
      const ending = services.ender.end(all, quietly);
      await untilEndsAreSent(3);
      clock.jump(jump);
      const began = Date.now();
      const report = await ending;
      assert.ok(Date.now() - began < 10_000, 'it waited for a time of day');
      claimsNothing(report, all);
      const outcomes = new Map(report.results.map(({ session, outcome }) => [session.id as string, outcome]));
      assert.equal(outcomes.get('sess_3'), 'stuck');
      outcomes.delete('sess_3');
      assert.deepEqual(new Set(outcomes.values()), new Set(['ended']));
      assert.deepEqual(server.running, ['sess_3']);
      assert.equal(ends(server).length, 12);
    });
  }

  it('sends nothing with another key if the key is replaced before the first request, while the journal is written', async () => {
    const batch = server.addBatch(1, { id: 'batch_a' });
    const { id, all } = await list(2);
    const other = 'sk-anchor-other-team';
    server.keys.set('other', other);
    server.add({ id: 'sess_other', key: other });
    const { memory, ender, connections, refresher, accounts } = services;
    const { update } = memory;
    const before = server.running.sort();
    const group = groupId(batch.id);
    const work: readonly (() => Promise<EndReport>)[] = [
      () => ender.end(all, quietly),
      () => ender.endEverything(id),
      () => ender.deleteGroup(id, group),
      () => ender.cancelGroup(id, group),
    ];
    for (const run of work) {
      let isReplaced = false;
      memory.update = async (key, value) => {
        if (key === 'unfinishedEnds' && !isReplaced) {
          isReplaced = true;
          const { apiKey } = (await accounts.open(id))?.credentials ?? {};
          await accounts.replaceCredentials(id, { apiKey: apiKey === other ? server.key : other });
          // The same IDs, as the other key lists them.
          await refresher.refresh(id);
        }
        await update(key, value);
      };
      await run();
      assert.ok(isReplaced);
      assert.deepEqual(server.running.sort(), before);
    }
    assert.deepEqual(
      server.log().filter((line) => !line.startsWith('GET')),
      [],
    );
    // Nor if it was replaced between the dialog and the end.
    memory.update = update;
    const stale = connections.generation(id) - 1;
    await ender.end(all, { ...quietly, generations: new Map([[id, stale]]) });
    await ender.endEverything(id, stale);
    await ender.deleteGroup(id, group, stale);
    assert.deepEqual(server.running.sort(), before);
    await ender.endEverything(id);
    assert.notDeepEqual(server.running.sort(), before);
  });

  it('ends only the confirmed one of two accounts’ sessions that have the same id', async () => {
    const other = await startAnchor();
    const history = new History(services.memory, services.store, services.accounts, Date.now);
    try {
      const { id, all } = await list(1);
      other.add({ id: 'sess_0' });
      const second = await services.add('anchor', other.url, { apiKey: other.key });
      const lives: string[] = [];
      services.store.onDidChange(() => lives.push(services.store.life(second, sessionId('sess_0')).kind));
      const report = await services.ender.end(all, quietly);
      assert.deepEqual(
        report.results.map(({ accountId, outcome }) => [accountId, outcome]),
        [[id, 'ended']],
      );
      assert.equal(ends(server).length, 1);
      assert.equal(ends(other).length, 0);
      assert.deepEqual(other.running, ['sess_0']);
      assert.deepEqual(new Set(lives), new Set(['running']));
      await services.refresher.refreshAll();
      assert.deepEqual(
        history.all.map(({ accountId }) => accountId),
        [id],
      );
    } finally {
      history.dispose();
      await other.stop();
    }
  });

  describe('when a session that is still listed returns a 404', () => {
    const notFound: Fault = { kind: 'answer', answer: { status: 404, json: { error: { message: 'Not found' } } } };
    const providers = {
      anchor: async () => {
        const provider = await startAnchor();
        return { provider, credentials: { apiKey: provider.key } };
      },
      browserbase: async () => {
        const provider = await startBrowserbase();
        return { provider, credentials: { apiKey: provider.key } };
      },
      gateway: async () => {
        const provider = await startGateway();
        return { provider, credentials: { authorization: provider.authorization } };
      },
    };
    for (const [kind, start] of Object.entries(providers)) {
      it(`doesn’t report it as ended at ${kind}, even if asking for the session returns a 404 too`, async () => {
        const { provider, credentials } = await start();
        try {
          for (const id of ['sess_a', 'sess_b', 'sess_c']) provider.add({ id });
          for (const method of ['DELETE', 'POST', 'GET']) provider.misbehave(method, /sessions\/sess_b$/, notFound);
          const id = await services.add(kind, provider.url, credentials);
          const { results } = await services.ender.end(targetsOf(id), quietly);
          const outcomes = new Map(results.map(({ session, outcome }) => [session.id as string, outcome]));
          assert.deepEqual([outcomes.get('sess_a'), outcomes.get('sess_c')], ['ended', 'ended']);
          assert.match(outcomes.get('sess_b') ?? '', /^(stuck|failed)$/);
          assert.deepEqual(provider.running, ['sess_b']);
          assert.equal(services.store.life(id, sessionId('sess_b')).kind, 'stuck');
        } finally {
          await provider.stop();
        }
      });
    }
  });

  it('sends one end for a session that two ends are given at the same time', async () => {
    const { all } = await list(3);
    server.misbehave('DELETE', /./, { kind: 'slow', ms: 60 });
    const reports = await Promise.all([
      services.ender.end(all.slice(0, 2), quietly),
      services.ender.end(all.slice(1), quietly),
    ]);
    for (const [index, report] of reports.entries()) claimsNothing(report, all.slice(index, index + 2));
    assert.deepEqual(
      ends(server)
        .map(({ path }) => path)
        .sort(),
      all.map(({ session }) => `/v1/sessions/${session.id}`).sort(),
    );
    assert.deepEqual(server.running, []);
  });

  it('sends its own end when another that shares the session was rejected or stopped', async () => {
    const { all } = await list(12);
    server.misbehave('DELETE', /./, {
      kind: 'answer',
      answer: { status: 429, headers: { 'retry-after': '2' }, json: {} },
    });
    const stop = new AbortController();
    const first = services.ender.end(all, { ...quietly, stop: stop.signal });
    await untilEndsAreSent(3);
    const second = services.ender.end(all, quietly);
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.behave();
    stop.abort();
    const [stopped, report] = await Promise.all([first, second]);
    claimsNothing(report, all);
    assert.deepEqual(new Set(report.results.map(({ outcome }) => outcome)), new Set(['ended']));
    for (const { outcome } of stopped.results) assert.match(outcome, /^(ended|failed|canceled)$/);
    assert.deepEqual(server.running, []);
  });

  it('doesn’t call gone what another key doesn’t list, even if the key was replaced before the end began', async () => {
    const { id, all } = await list(2);
    server.keys.set('other', 'sk-other-key');
    server.misbehave('GET', /^\/v1\/sessions$/, { kind: 'answer', answer: { status: 403, json: {} } });
    await services.accounts.replaceCredentials(id, { apiKey: 'sk-other-key' });
    for (const listed of [false, true]) {
      if (listed) await services.refresher.refresh(id);
      const report = await services.ender.end(all, quietly);
      assert.deepEqual(new Set(report.results.map(({ outcome }) => outcome)), new Set(['failed']));
    }
    assert.deepEqual(ends(server), []);
    assert.equal(server.running.length, 2);
  });

  it('returns at once when it is canceled while waiting for another’s end', async () => {
    const { all } = await list(1);
    server.misbehave('DELETE', /./, {
      kind: 'answer',
      answer: { status: 429, headers: { 'retry-after': '50' }, json: {} },
    });
    const stops = [new AbortController(), new AbortController()] as const;
    const first = services.ender.end(all, { ...quietly, stop: stops[0].signal });
    await untilEndsAreSent(1);
    const second = services.ender.end(all, { ...quietly, stop: stops[1].signal });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const began = Date.now();
    stops[1].abort();
    const { results } = await second;
    assert.ok(Date.now() - began < 1_000);
    assert.equal(results[0]?.outcome, 'canceled');
    // The other end is still in progress, and its row says so.
    const [{ accountId: id, session }] = all as [AccountSession];
    assert.equal(services.store.life(id, session.id).kind, 'ending');
    stops[0].abort();
    await first;
    assert.notEqual(services.store.life(id, session.id).kind, 'ending');
  });

  it('makes only a few requests while the server can neither list nor report', async () => {
    const { all } = await list(60);
    server.misbehave('GET', /./, { kind: 'answer', answer: { status: 500, json: {} } });
    const report = await services.ender.end(all, quietly);
    claimsNothing(report, all);
    assert.deepEqual(new Set(report.results.map(({ outcome }) => outcome)), new Set(['stuck']));
    const questions = server.requests.filter(({ method, path }) => method === 'GET' && /sessions\/sess_/.test(path));
    assert.ok(questions.length < 60 * 6, `${questions.length} questions`);
  });

  it('doesn’t wait an hour for a used-up rate limit, even if nothing was rejected', async () => {
    const { id, all } = await list(3);
    const headers = { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3000' };
    server.misbehave('GET', /billing/, {
      kind: 'answer',
      answer: { status: 200, json: { data: { max_concurrent_browsers: 25 } }, headers },
    });
    const provider = await services.connections.open(id);
    await provider.check(quietly.stop);
    const { results } = await services.ender.end(all, quietly);
    assert.deepEqual(ends(server), []);
    for (const { outcome, why } of results) {
      assert.equal(outcome, 'failed');
      assert.ok(why !== undefined && 'error' in why && why.error?.trouble.kind === 'rateLimited');
    }
  });
});
