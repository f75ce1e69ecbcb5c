import { strict as assert } from 'node:assert';
import { systemClock } from '../../../../src/core/clock.ts';
import { type AccountId, accountId, groupId, sessionId } from '../../../../src/core/ids.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import type { AccountSession, EndOutcomeKind, EndReport } from '../../../../src/services/ending/report.ts';
import { hasUnfinishedEnds } from '../../../../src/services/ending/unfinished.ts';
import { useChromium } from '../../../host/useChromium.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { startBrowserbase } from '../../../servers/browserbase.ts';
import { until } from '../../until.ts';
import { TestServices } from '../testServices.ts';

const neverStop = new AbortController().signal;
const quietly = { stop: neverStop, onProgress: () => {} };

function counts({ results }: EndReport): Partial<Record<EndOutcomeKind, number>> {
  const found: Partial<Record<EndOutcomeKind, number>> = {};
  for (const { outcome } of results) found[outcome] = (found[outcome] ?? 0) + 1;
  return found;
}

describe('Ender', function () {
  this.timeout(60_000);
  let server: AnchorServer;
  let services: TestServices;
  let id: AccountId;

  beforeEach(async () => {
    server = await startAnchor();
    services = new TestServices();
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  async function list(count: number): Promise<AccountSession[]> {
    for (let index = 0; index < count; index++) server.add({ id: `sess_${index}` });
    id = await services.add('anchor', server.url, { apiKey: server.key });
    return targets();
  }
  const targets = (): AccountSession[] =>
    [...(services.store.state(id)?.contents.sessions.values() ?? [])].map((session) => ({ accountId: id, session }));
  const life = (session: string) => services.store.life(id, sessionId(session));

  it('ends exactly the sessions it is given, and confirms them by a list that begins after the request', async () => {
    const all = await list(10);
    server.endLagMs = 100;
    const some = all.slice(0, 6);
    const lives: string[] = [];
    services.store.onDidChange(() => lives.push(life(some[0]?.session.id ?? '').kind));
    const report = await services.ender.end(some, quietly);
    assert.deepEqual(counts(report), { ended: 6 });
    assert.deepEqual(new Set(server.running), new Set(all.slice(6).map(({ session }) => session.id)));
    assert.ok(lives.includes('ending'));
    const sent = server.log().filter((line) => line.startsWith('DELETE'));
    assert.equal(sent.length, 6);
    assert.ok(server.mostInFlight <= 4);
    assert.equal(services.store.state(id)?.contents.sessions.size, 4);
  });

  it('sends one end for a session that is given twice', async () => {
    const [first] = await list(1);
    assert.ok(first);
    assert.deepEqual(counts(await services.ender.end([first, first], quietly)), { ended: 1 });
    assert.equal(server.log().filter((line) => line.startsWith('DELETE')).length, 1);
  });

  it('reports a session that accepts its end but stays as stuck, with the reason', async () => {
    const all = await list(3);
    server.immortal.add('sess_1');
    const report = await services.ender.end(all, quietly);
    assert.deepEqual(counts(report), { ended: 2, stuck: 1 });
    const stuck = life('sess_1');
    assert.ok(stuck.kind === 'stuck' && stuck.why.kind === 'stillRuns');
    assert.deepEqual(server.running, ['sess_1']);
    server.immortal.clear();
    assert.deepEqual(counts(await services.ender.end(targets(), quietly)), { ended: 1 });
  });

  it('reports sessions that vanished before, or that the provider doesn’t know, as already gone', async () => {
    const all = await list(3);
    server.sessions.delete('sess_0');
    await services.refresher.refresh(id);
    await until(() => services.store.hasEnded(id, sessionId('sess_0')));
    server.sessions.delete('sess_1');
    assert.deepEqual(counts(await services.ender.end(all, quietly)), { alreadyGone: 2, ended: 1 });
    assert.ok(!server.log().includes('DELETE /v1/sessions/sess_0'));
  });

  it('checks before accepting an error: a 500, a dropped connection or a web page may have ended it', async () => {
    const all = await list(4);
    const faults = [
      { kind: 'doneBut', answer: { status: 500, json: {} } },
      { kind: 'cut', when: 'after' },
      { kind: 'doneBut', answer: { status: 200, html: '<h1>ok</h1>' } },
      { kind: 'halfBody' },
    ] as const;
    for (const [index, fault] of faults.entries()) server.misbehave('DELETE', new RegExp(`sess_${index}$`), fault, 1);
    assert.deepEqual(counts(await services.ender.end(all, quietly)), { ended: 4 });
    assert.deepEqual(server.running, []);
  });

  it('reports failed, and keeps the row with the reason, when the request failed and the session is running', async () => {
    const all = await list(3);
    server.misbehave('DELETE', /sess_0/, {
      kind: 'answer',
      answer: { status: 500, json: { error: { message: 'boom' } } },
    });
    server.misbehave('DELETE', /sess_1/, { kind: 'answer', answer: { status: 429 } });
    const report = await services.ender.end(all, quietly);
    assert.deepEqual(counts(report), { failed: 2, ended: 1 });
    const failed = life('sess_0');
    assert.ok(failed.kind === 'stuck' && failed.why.kind === 'failed' && failed.why.error.detail === 'boom');
    assert.deepEqual(new Set(server.running), new Set(['sess_0', 'sess_1']));
  });

  it('never treats a 200 as an end, and a 204 that did nothing leaves the session running', async () => {
    const all = await list(1);
    server.misbehave('DELETE', /sess_0/, { kind: 'answer', answer: { status: 204 } });
    assert.deepEqual(counts(await services.ender.end(all, quietly)), { stuck: 1 });
    assert.deepEqual(server.running, ['sess_0']);
  });

  it('confirms nothing while the list fails, whatever the provider says about single sessions', async () => {
    const all = await list(2);
    server.immortal.add('sess_1');
    server.misbehave('GET', /all\/status/, { kind: 'answer', answer: { status: 404, json: {} } });
    const report = await services.ender.end(all, quietly);
    assert.deepEqual(counts(report), { stuck: 2 });
    const stuck = life('sess_1');
    assert.ok(stuck.kind === 'stuck' && stuck.why.kind === 'unconfirmed');
    assert.deepEqual(
      targets().map(({ session }) => session.id),
      ['sess_0', 'sess_1'],
    );
    server.behave();
    await services.refresher.refresh(id);
    await until(() => targets().length === 1);
    assert.equal(targets()[0]?.session.id, 'sess_1');
  });

  it('claims nothing when neither list nor probe responds', async () => {
    const all = await list(2);
    server.misbehave('GET', /./, { kind: 'answer', answer: { status: 404, json: {} } });
    server.misbehave('GET', /sessions\/sess/, { kind: 'answer', answer: { status: 409, json: {} } });
    assert.deepEqual(counts(await services.ender.end(all, quietly)), { stuck: 2 });
    assert.equal(targets().length, 2);
  });

  it('doesn’t call a session running when a list leaves it out and no probe responds', async () => {
    const provider = await startBrowserbase();
    try {
      const account = await services.add('browserbase', provider.url, { apiKey: provider.key });
      provider.add({ id: 'bb' });
      await services.refresher.refresh(account);
      const session = services.store.session(account, sessionId('bb'));
      assert.ok(session);
      provider.misbehave('GET', /^\/v1\/sessions\/.+/, { kind: 'answer', answer: { status: 500, json: {} } });
      assert.deepEqual(counts(await services.ender.end([{ accountId: account, session }], quietly)), { stuck: 1 });
      const stuck = services.store.life(account, session.id);
      assert.ok(stuck.kind === 'stuck' && stuck.why.kind === 'unconfirmed', JSON.stringify(stuck));
    } finally {
      await provider.stop();
    }
  });

  it('waits out a rate limit however it is reported, and leaves nothing behind', async () => {
    const all = await list(12);
    const date = new Date(Date.now() + 2_000).toUTCString();
    const retryAfters = [undefined, date, 'soon', '1', '-5', ''];
    for (const [index, retryAfter] of retryAfters.entries()) {
      const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      server.misbehave('DELETE', new RegExp(`sess_${index}$`), { kind: 'answer', answer: { status: 429, headers } }, 2);
    }
    assert.deepEqual(counts(await services.ender.end(all, quietly)), { ended: 12 });
    assert.deepEqual(server.running, []);
  });

  it('doesn’t wait an hour or a day: reports unsent ends as failed, and when to try again', async () => {
    for (const seconds of ['3600', '86400']) {
      const all = await list(40);
      const answer = { status: 429, headers: { 'retry-after': seconds } };
      server.misbehave('DELETE', /./, { kind: 'answer', answer });
      const before = server.log().filter((line) => line.startsWith('DELETE')).length;
      const began = Date.now();
      const report = await services.ender.end(all, quietly);
      assert.deepEqual(counts(report), { failed: 40 });
      assert.ok(Date.now() - began < 5_000);
      assert.ok(server.log().filter((line) => line.startsWith('DELETE')).length - before < 10);
      const [first] = report.results;
      assert.ok(first?.why?.kind === 'failed' && first.why.error.trouble.kind === 'rateLimited');
      server.behave();
      await services.accounts.remove(id);
    }
  });

  it('resends what didn’t reach the provider, and what a check has shown to be running', async () => {
    const all = await list(4);
    const once = (path: RegExp, fault: Parameters<AnchorServer['misbehave']>[2]) =>
      server.misbehave('DELETE', path, fault, 1);
    once(/sess_0$/, { kind: 'answer', answer: { status: 503 } });
    once(/sess_1$/, { kind: 'cut', when: 'before' });
    once(/sess_2$/, { kind: 'answer', answer: { status: 500 } });
    once(/sess_3$/, { kind: 'answer', answer: { status: 200, html: '<h1>down</h1>' } });
    const { results } = await services.ender.end(all, quietly);
    const ends = new Map(results.map(({ session, outcome, attempts }) => [session.id as string, [outcome, attempts]]));
    assert.deepEqual(ends.get('sess_0'), ['ended', 2]);
    assert.deepEqual(ends.get('sess_1'), ['ended', 2]);
    assert.deepEqual(ends.get('sess_2'), ['ended', 2]);
    // The provider responded, and any response counts: no second end is sent.
    assert.deepEqual(ends.get('sess_3'), ['stuck', 1]);
  });

  it('doesn’t treat a list that leaves a running session out once as confirmation', async () => {
    const all = await list(2);
    server.immortal.add('sess_1');
    const rows = [{ session_id: 'sess_9', status: 'running', tags: [], created_at: new Date().toISOString() }];
    server.misbehave(
      'GET',
      /all\/status/,
      { kind: 'answer', answer: { status: 200, json: { data: { items: rows } } } },
      1,
    );
    server.misbehave(
      'GET',
      /v1\/sessions$/,
      { kind: 'answer', answer: { status: 200, json: { data: { sessions: [], total_pages: 1 } } } },
      1,
    );
    const report = await services.ender.end(all, quietly);
    assert.deepEqual(counts(report), { ended: 1, stuck: 1 });
    assert.ok(services.store.session(id, sessionId('sess_1')));
  });

  it('keeps two accounts apart that have a session with the same id', async () => {
    const all = await list(1);
    const other = await startAnchor();
    try {
      other.add({ id: 'sess_0' });
      const second = await services.add('anchor', other.url, { apiKey: other.key });
      assert.deepEqual(counts(await services.ender.end(all, quietly)), { ended: 1 });
      assert.deepEqual(server.running, []);
      assert.deepEqual(other.running, ['sess_0']);
      assert.ok(services.store.session(second, sessionId('sess_0')));
    } finally {
      await other.stop();
    }
  });

  it('stays within a rate limit that the provider reports, and leaves nothing behind', async () => {
    const slow = new TestServices({ clock: systemClock });
    try {
      for (let index = 0; index < 60; index++) server.add();
      const account = await slow.add('anchor', server.url, { apiKey: server.key });
      const all = [...(slow.store.state(account)?.contents.sessions.values() ?? [])];
      server.rateLimit = 30;
      const report = await slow.ender.end(
        all.map((session) => ({ accountId: account, session })),
        quietly,
      );
      assert.deepEqual(counts(report), { ended: 60 });
      assert.deepEqual(server.running, []);
      assert.ok(server.statusErrors <= 6, `${server.statusErrors} statusErrors`);
    } finally {
      slow.dispose();
    }
  });

  it('stops sending when it is canceled, waits for requests in flight, and says which weren’t sent', async () => {
    const all = await list(20);
    const stop = new AbortController();
    server.misbehave('DELETE', /./, { kind: 'interrupted', by: () => stop.abort() }, 1);
    const report = await services.ender.end(all, { stop: stop.signal, onProgress: () => {} });
    const found = counts(report);
    // Four are sent at first, and it was canceled when one of them arrived.
    assert.deepEqual(found, { ended: 4, canceled: 16 });
    assert.equal(found.ended, server.log().filter((line) => line.startsWith('DELETE')).length);
    assert.equal(server.running.length, found.canceled);
    for (const { session, outcome } of report.results)
      if (outcome === 'canceled') assert.equal(life(session.id).kind, 'running');
  });

  it('doesn’t accept another key’s list as confirmation', async () => {
    const all = await list(2);
    server.keys.set('other', 'sk-other-key');
    server.immortal.add('sess_0').add('sess_1');
    let replacing: Promise<void> | undefined;
    const replaceKey = () => {
      replacing ??= services.accounts.replaceCredentials(id, { apiKey: 'sk-other-key' });
      return replacing;
    };
    server.misbehave('DELETE', /./, { kind: 'interrupted', by: replaceKey });
    assert.deepEqual(counts(await services.ender.end(all, quietly)), { stuck: 2 });
    assert.ok(replacing !== undefined);
    assert.equal(server.running.length, 2);
  });

  it('sends nothing for a removed account, and says so', async () => {
    const all = await list(2);
    await services.accounts.remove(id);
    assert.deepEqual(counts(await services.ender.end(all, quietly)), { failed: 2 });
    assert.equal(server.running.length, 2);
    const never = all.map(({ session }) => ({ accountId: accountId('never'), session }));
    assert.deepEqual(counts(await services.ender.end(never, quietly)), { failed: 2 });
  });

  it('doesn’t let one account that hangs delay another', async () => {
    const all = await list(2);
    const silent = await startAnchor();
    silent.add({ id: 'hung' });
    const other = await services.add('anchor', silent.url, { apiKey: silent.key });
    const hung = [...(services.store.state(other)?.contents.sessions.values() ?? [])];
    silent.misbehave('DELETE', /./, { kind: 'silent' });
    let settled = 0;
    const ending = services.ender.end([...hung.map((session) => ({ accountId: other, session })), ...all], {
      stop: neverStop,
      onProgress: ({ settled: count }) => {
        settled = count;
      },
    });
    await until(() => settled >= 2);
    assert.equal(silent.inFlight, 1);
    assert.deepEqual(server.running, []);
    await silent.stop();
    await ending;
  });

  it('deletes a batch with one request, and reports the outcome of each session', async () => {
    const batch = server.addBatch(4);
    const [locked, odd] = batch.members;
    assert.ok(locked && odd);
    batch.undeletable.set(locked.id, 'locked');
    id = await services.add('anchor', server.url, { apiKey: server.key });
    const report = await services.ender.deleteGroup(id, groupId(batch.id));
    assert.ok(!ProviderError.is(report.answer));
    assert.deepEqual([report.answer.deleted, report.answer.failed], [3, 1]);
    assert.deepEqual(counts(report), { ended: 3, failed: 1 });
    const left = services.store.life(id, sessionId(locked.id));
    assert.ok(left.kind === 'stuck' && left.why.kind === 'notDeleted' && left.why.said === 'locked');
    assert.equal(server.log().filter((line) => line.startsWith('DELETE')).length, 1);
  });

  it('records what one request is going to end until the outcome is known', async () => {
    const batch = server.addBatch(2);
    id = await services.add('anchor', server.url, { apiKey: server.key });
    const written = () => JSON.stringify(services.memory.get('unfinishedEnds') ?? {});
    const requests = [
      () => services.ender.cancelGroup(id, groupId(batch.id)),
      () => services.ender.deleteGroup(id, groupId(batch.id)),
      () => services.ender.endEverything(id),
    ];
    for (const request of requests) {
      const before = server.requests.length;
      server.misbehave('DELETE', /./, { kind: 'answer', answer: { status: 503, json: {} } }, 1);
      server.misbehave('POST', /cancel/, { kind: 'answer', answer: { status: 503, json: {} } }, 1);
      const ending = request();
      await until(() => server.requests.length > before);
      for (const member of batch.members) assert.match(written(), new RegExp(member.id));
      await ending;
      assert.ok(!hasUnfinishedEnds(services.memory));
      server.behave();
    }
  });

  it('sends a batch deletion once, whatever the result', async () => {
    const batch = server.addBatch(2);
    id = await services.add('anchor', server.url, { apiKey: server.key });
    server.misbehave('DELETE', /batch/, { kind: 'answer', answer: { status: 503, json: {} } });
    const report = await services.ender.deleteGroup(id, groupId(batch.id));
    assert.ok(ProviderError.isOf(report.answer, 'serverFault'));
    assert.deepEqual(counts(report), { failed: 2 });
    assert.equal(server.log().filter((line) => line.startsWith('DELETE')).length, 1);
  });

  it('ends everything with the provider’s one call, and checks what became of the listed sessions', async () => {
    await list(3);
    server.add({ id: 'sess_unlisted' });
    const report = await services.ender.endEverything(id);
    assert.deepEqual(counts(report), { ended: 3 });
    assert.deepEqual(server.running, []);
    assert.deepEqual(
      server.log().filter((line) => line.startsWith('DELETE')),
      ['DELETE /v1/sessions/all'],
    );
  });

  it('waits for no session that the provider’s one call doesn’t end', async () => {
    server.keys.set('other', 'sk-anchor-of-the-same-team');
    server.add({ id: 'sess_theirs', key: 'sk-anchor-of-the-same-team' });
    await list(1);
    const report = await services.ender.endEverything(id);
    assert.deepEqual(counts(report), { ended: 1 });
    assert.deepEqual(server.running, ['sess_theirs']);
    assert.equal(life('sess_theirs').kind, 'running');
  });

  describe('with a real Chromium', () => {
    const used = useChromium();

    it('ends contexts and confirms it; the default context’s row is running again when it has other pages', async () => {
      const { chromium, devtools } = used;
      const page = (title: string) => `data:text/html,<title>${title}</title>`;
      for (const title of ['a', 'b']) await devtools.openContext(page(title));
      await devtools.send('Target.createTarget', { url: page('mine') });
      id = await services.add('localChrome', chromium.endpoint);
      const all = targets();
      assert.equal(all.length, 3);
      await devtools.send('Target.createTarget', { url: page('since') });
      const report = await services.ender.end(all, quietly);
      assert.deepEqual(counts(report), { ended: 3 });
      assert.deepEqual(await devtools.contexts(), []);
      const [left] = targets();
      assert.equal(left?.session.name, 'Default context');
      assert.equal(life(left?.session.id ?? '').kind, 'running');
    });
  });
});
