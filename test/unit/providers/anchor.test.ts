import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { groupId, pageId, sessionId } from '../../../src/core/ids.ts';
import type { Inventory } from '../../../src/core/inventory.ts';
import type { Provider } from '../../../src/core/provider.ts';
import type { Session } from '../../../src/core/session.ts';
import { anchor } from '../../../src/providers/anchor/index.ts';
import { type AnchorServer, startAnchor } from '../../servers/anchor.ts';
import { troubleOf } from '../errors.ts';
import { connect, type RecordingLog, unaborted } from '../testNetwork.ts';

describe('Anchor Browser', () => {
  let server: AnchorServer;
  let provider: Provider;
  let log: RecordingLog;

  beforeEach(async () => {
    server = await startAnchor();
    ({ provider, log } = connect(anchor, server.url, { apiKey: server.key }));
  });
  afterEach(async () => {
    const { unknownRequests } = server;
    await server.stop();
    assert.equal(unknownRequests, 0, 'a path was asked for that the provider does not document');
    assert.ok(!log.lines.join('\n').includes(server.key), 'the key is in the log');
  });

  /** The result of a list once all of its pages are there. */
  async function listed(): Promise<{ sessions: Session[]; groups: Inventory['groups']; faults: Inventory['faults'] }> {
    const sessions = new Map<string, Session>();
    const groups = new Map<string, Inventory['groups'][number]>();
    const faults: Inventory['faults'][number][] = [];
    for await (const page of provider.list(unaborted)) {
      for (const session of page.sessions) sessions.set(session.id, session);
      for (const group of page.groups) groups.set(group.id, group);
      faults.push(...page.faults);
    }
    return { sessions: [...sessions.values()], groups: [...groups.values()], faults };
  }

  async function only(): Promise<Session> {
    const [session] = (await listed()).sessions;
    assert.ok(session);
    return session;
  }

  it('takes nothing from an answer about another session than the one it asked about', async () => {
    server.add({ id: 'sess_a' });
    const session = await only();
    const answer = { status: 200, json: { data: { session_id: 'sess_b', status: 'completed' } } };
    server.misbehave('GET', /sess_a$/, { kind: 'answer', answer });
    assert.equal(await troubleOf(provider.probe(session, unaborted)), 'unexpectedAnswer');
    assert.equal(await troubleOf(provider.endCause?.(session.id, unaborted) ?? assert.fail()), 'unexpectedAnswer');
    server.misbehave('DELETE', /sess_a$/, { kind: 'answer', answer: { status: 401, json: {} } });
    assert.equal(await troubleOf(provider.end(session, unaborted)), 'unexpectedAnswer');
  });

  it('checks a key with the cheapest call, and reports how many sessions may run', async () => {
    const usage = [{ unit: 'credits', used: 12.5, included: 50, limit: 100, left: 42.5 }];
    assert.deepEqual(await provider.check(unaborted), {
      identity: undefined,
      sessionLimit: 25,
      usage,
      note: undefined,
    });
    server.maxConcurrentBrowsers = -1;
    assert.equal((await provider.check(unaborted)).sessionLimit, undefined);
    server.misbehave('GET', /billing/, { kind: 'answer', answer: { status: 403, json: {} } });
    assert.equal((await provider.check(unaborted)).sessionLimit, undefined);
    const wrong = connect(anchor, server.url, { apiKey: 'wrong-key' }).provider;
    assert.equal(await troubleOf(wrong.check(unaborted)), 'unauthorized');
  });

  it('reads what the account and each session have used, and ignores figures that aren’t valid', async () => {
    server.usedCredits = '3.25';
    server.add({ id: 'sess_a' });
    assert.deepEqual((await only()).usage, { unit: 'credits', used: 3.25 });
    for (const odd of ['N/A', '-1', -1, 1e300, 'NaN', null, { credits: 3 }, [3]]) {
      server.usedCredits = odd;
      server.billing = { credits: odd, credits_used: odd, included_credits: odd, cost_limit: odd };
      assert.equal((await only()).usage, undefined, JSON.stringify(odd));
      assert.equal((await provider.check(unaborted)).usage, undefined, JSON.stringify(odd));
    }
    server.maxConcurrentBrowsers = 1e300;
    assert.equal((await provider.check(unaborted)).sessionLimit, undefined);
  });

  it('lists without waiting for what the account has used, and requests that rarely', async () => {
    server.add({ id: 'sess_a' });
    server.misbehave('GET', /billing/, { kind: 'silent' });
    const began = Date.now();
    for (let count = 0; count < 3; count++) assert.equal((await listed()).sessions.length, 1);
    assert.ok(Date.now() - began < 5_000, `${Date.now() - began} ms`);
    assert.equal(server.log().filter((line) => line === 'GET /v1/billing').length, 1);
  });

  it('lists even if what the account has used can’t be read for any reason', async () => {
    server.add({ id: 'sess_a' });
    for (const answer of [
      { status: 401, json: {} },
      { status: 429, headers: { 'retry-after': '60' } },
      { status: 500, text: 'no' },
      { status: 200, text: '{"data":' },
    ]) {
      server.misbehave('GET', /billing/, { kind: 'answer', answer });
      const { provider: another } = connect(anchor, server.url, { apiKey: server.key });
      assert.equal(
        (await Array.fromAsync(another.list(unaborted))).flatMap(({ sessions }) => sessions).length > 0,
        true,
      );
    }
  });

  it('lists what is running, combining its two lists', async () => {
    const created = new Date(Date.now() - 60_000);
    server.add({
      id: 'sess_a',
      domains: ['shop.example', 'pay.example'],
      headless: true,
      tags: ['prod'],
      createdAt: created,
    });
    server.add({ id: 'sess_done', status: 'completed' });
    server.add({ id: 'sess_failed', status: 'failed' });
    const session = await only();
    assert.equal(session.id, 'sess_a');
    assert.deepEqual([session.name, session.host], [undefined, 'shop.example']);
    assert.equal(session.phase, 'running');
    assert.equal(session.startedAt, created.getTime());
    assert.deepEqual(session.tags, ['prod']);
    assert.deepEqual(session.traits, ['headless']);
    assert.equal(session.bulkEndExclusion, undefined);
    assert.ok(!JSON.stringify(session).includes('canary'), 'a secret of the provider’s answer is in the session');
  });

  it('reads all pages as they arrive: trap A4, the ten oldest aren’t the whole list', async () => {
    for (let index = 0; index < 120; index++) server.add({ createdAt: new Date(Date.now() - index * 1000) });
    const pages: number[] = [];
    for await (const page of provider.list(unaborted)) pages.push(page.sessions.length);
    assert.deepEqual(pages, [120, 50, 50, 20, 0, 0]);
    assert.equal((await listed()).sessions.length, 120);
  });

  it('reports an error for each way the list can fail', async () => {
    const flat = /all\/status/;
    for (const [answer, kind] of [
      [{ status: 401, json: { error: { code: 401, message: 'Invalid API key' } } }, 'unauthorized'],
      [{ status: 429, headers: { 'retry-after': '3600' } }, 'rateLimited'],
      [{ status: 200, html: '<h1>Sign in</h1>' }, 'unexpectedAnswer'],
      [{ status: 200, text: '{"data":{"items":[' }, 'unexpectedAnswer'],
      [{ status: 200, json: { data: { items: null } } }, 'unexpectedAnswer'],
      [{ status: 302, headers: { location: 'https://elsewhere.example' } }, 'unexpectedAnswer'],
      [{ status: 404, json: {} }, 'notFound'],
    ] as const) {
      server.misbehave('GET', flat, { kind: 'answer', answer }, 1);
      assert.equal(await troubleOf(listed()), kind, JSON.stringify(answer));
    }
  });

  it('gives up on a list that never ends', async () => {
    server.add({ id: 'sess_a' });
    const row = { id: 'sess_a', status: 'running', created_at: new Date().toISOString() };
    const answer = { status: 200, json: { data: { sessions: [row], total_pages: 1_000_000 } } };
    server.misbehave('GET', /v1\/sessions$/, { kind: 'answer', answer });
    assert.equal(await troubleOf(listed()), 'unexpectedAnswer');
    assert.ok(server.requests.length < 10);
  });

  it('still lists the sessions when batches or the team’s list can’t be loaded', async () => {
    server.add({ id: 'sess_a' });
    server.misbehave('GET', /batch-sessions/, { kind: 'answer', answer: { status: 404, json: {} } });
    server.misbehave('GET', /v1\/sessions$/, { kind: 'answer', answer: { status: 403, json: {} } });
    const { sessions, faults } = await listed();
    assert.equal(sessions.length, 1);
    assert.deepEqual(
      faults.map(({ subject }) => subject),
      ['Sessions of other keys', 'Batches'],
    );
    server.behave();
    await listed();
    // Now that the team's list has been seen, its absence would look as if its sessions had ended.
    server.misbehave('GET', /v1\/sessions$/, { kind: 'answer', answer: { status: 403, json: {} } });
    assert.equal(await troubleOf(listed()), 'forbidden');
  });

  it('ends one session, and treats a second end as already ended', async () => {
    server.add({ id: 'sess_a' });
    server.add({ id: 'sess_b' });
    const session = (await listed()).sessions.find(({ id }) => id === 'sess_a');
    assert.ok(session);
    assert.equal(await provider.probe(session, unaborted), 'running');
    assert.equal((await provider.end(session, unaborted)).outcome, 'ended');
    assert.deepEqual(server.running, ['sess_b']);
    assert.equal(await provider.probe(session, unaborted), 'gone');
    assert.equal((await provider.end(session, unaborted)).outcome, 'alreadyGone');
    server.sessions.delete('sess_a');
    assert.equal(await provider.probe(session, unaborted), 'notFound');
  });

  it('rejects an invalid id before any request: trap A5', async () => {
    server.add({ id: 'sess_a' });
    const session = await only();
    const before = server.requests.length;
    for (const id of ['', 'all', 'ALL', '../all', 'a?b']) {
      assert.equal(
        await troubleOf(provider.end({ ...session, id: id as Session['id'] }, unaborted)),
        'unexpectedAnswer',
      );
      assert.equal(await troubleOf(provider.deleteGroup?.(id as never, unaborted)), 'unexpectedAnswer');
    }
    assert.equal(server.requests.length, before);
    assert.deepEqual(server.running, ['sess_a']);
  });

  it('trap A1: lists sessions of a “completed” batch as running, and ends them one by one or by deletion', async () => {
    const batch = server.addBatch(3);
    const { sessions, groups } = await listed();
    assert.deepEqual(
      groups.map(({ id, status }) => [id, status]),
      [[batch.id, 'completed']],
    );
    assert.ok(sessions.every((session) => session.groupId === batch.id && session.phase === 'running'));
    assert.equal(await troubleOf(provider.cancelGroup?.(groupId(batch.id), unaborted)), 'conflict');
    const [first] = sessions;
    assert.ok(first);
    await provider.end(first, unaborted);
    assert.equal((await listed()).sessions.length, 2);
  });

  it('trap A2: finds the id under either of its names', async () => {
    server.add({ id: 'sess_a' });
    const pages = await Array.fromAsync(provider.list(unaborted));
    assert.deepEqual(
      pages.map(({ sessions }) => sessions.map(({ id }) => id)),
      [['sess_a'], ['sess_a'], [], []],
    );
  });

  it('trap A3: shows sessions of the team’s other keys, and leaves them out of bulk ends', async () => {
    server.keys.set('ci-key', 'sk-anchor-ci-canary');
    server.add({ id: 'sess_own' });
    server.add({ id: 'sess_ci', key: 'sk-anchor-ci-canary' });
    const { sessions } = await listed();
    const ci = sessions.find(({ id }) => id === 'sess_ci');
    assert.equal(ci?.bulkEndExclusion, 'It was started with ci-key of your team.');
    assert.deepEqual(ci?.traits, ['key: ci-key']);
    assert.equal(sessions.find(({ id }) => id === 'sess_own')?.bulkEndExclusion, undefined);
    await provider.endEverything?.(unaborted);
    assert.deepEqual(server.running, ['sess_ci']);
  });

  it('trap A6: tells a bad id from a bad key when an end returns 401', async () => {
    server.keys.set('ci-key', 'sk-anchor-ci-canary');
    server.add({ id: 'sess_ci', key: 'sk-anchor-ci-canary' });
    const session = await only();
    assert.equal(await troubleOf(provider.end(session, unaborted)), 'forbidden');
    assert.deepEqual(server.running, ['sess_ci']);
    const wrong = connect(anchor, server.url, { apiKey: 'wrong-key' }).provider;
    assert.equal(await troubleOf(wrong.end(session, unaborted)), 'unauthorized');
    assert.equal((await provider.end({ ...session, id: sessionId('sess_never') }, unaborted)).outcome, 'alreadyGone');
  });

  it('trap A7: sends the cancel of a batch once, whatever it returns', async () => {
    const batch = server.addBatch(1, { status: 'processing', completedAt: undefined });
    for (const status of [409, 500, 429]) {
      server.misbehave('PATCH', /batch/, { kind: 'answer', answer: { status, json: {} } }, 1);
      await troubleOf(provider.cancelGroup?.(groupId(batch.id), unaborted));
    }
    assert.equal(server.requests.filter(({ method }) => method === 'PATCH').length, 3);
    await provider.cancelGroup?.(groupId(batch.id), unaborted);
    assert.deepEqual(server.running, []);
  });

  it('trap A8: needs none of the provider’s packages', () => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.ok(!Object.keys({ ...dependencies, ...devDependencies }).some((name) => name.includes('anchor')));
  });

  it('deletes a batch, and reports each session that couldn’t be deleted even though the status is 200', async () => {
    const batch = server.addBatch(10);
    const [stuck] = batch.members;
    assert.ok(stuck);
    batch.undeletable.set(stuck.id, 'Session is locked by a task');
    assert.deepEqual(await provider.deleteGroup?.(groupId(batch.id), unaborted), {
      deleted: 9,
      failed: 1,
      failures: [{ sessionId: stuck.id, reason: 'Session is locked by a task' }],
      message: 'Batch partly deleted',
    });
    assert.deepEqual(server.running, [stuck.id]);
  });

  it('reads each entry of a deletion’s errors separately, so that an invalid one doesn’t hide the others', async () => {
    const batch = server.addBatch(3);
    const [stuck] = batch.members;
    assert.ok(stuck);
    batch.undeletable.set(stuck.id, 'Session is locked by a task');
    server.oddErrors.push(
      null,
      'quota',
      7,
      {},
      { session_id: 's1' },
      { error: 'no id' },
      { session_id: 's2', error: { a: 1 } },
    );
    const { failures, ...rest } = (await provider.deleteGroup?.(groupId(batch.id), unaborted)) ?? assert.fail();
    assert.deepEqual(rest, { deleted: 2, failed: 5, message: 'Batch partly deleted' });
    assert.deepEqual(failures, [
      { sessionId: '', reason: 'quota' },
      { sessionId: 's1', reason: 'it gave no reason' },
      { sessionId: '', reason: 'no id' },
      { sessionId: 's2', reason: '{"a":1}' },
      { sessionId: stuck.id, reason: 'Session is locked by a task' },
    ]);
    assert.deepEqual(server.running, [stuck.id]);
  });

  it('computes what a deletion’s response doesn’t count', async () => {
    server.countsDeletions = false;
    for (const isListed of [true, false]) {
      const batch = server.addBatch(4, { failedRequests: 2 });
      const [stuck] = batch.members;
      assert.ok(stuck);
      batch.undeletable.set(stuck.id, 'locked');
      if (isListed) await listed();
      const { deleted, failed } = (await provider.deleteGroup?.(groupId(batch.id), unaborted)) ?? assert.fail();
      assert.deepEqual([deleted, failed], [3, 1]);
    }
  });

  it('waits two minutes for what takes the provider long, and ten seconds for anything else', async function () {
    this.timeout(40_000);
    const batch = server.addBatch(4);
    server.deletionMs = 13_000;
    assert.equal((await provider.deleteGroup?.(groupId(batch.id), unaborted))?.deleted, 4);
    assert.deepEqual(server.running, []);
  });

  it('reports for each batch whether it can be canceled, and how many of its sessions couldn’t be created', async () => {
    server.addBatch(1, { id: 'making', status: 'processing', completedAt: undefined });
    server.addBatch(2, { id: 'made', failedRequests: 3 });
    const { groups } = await listed();
    assert.deepEqual(
      groups.map(({ id, canCancel, counts }) => [id, canCancel, counts]),
      [
        ['making', true, { total: 1, failed: 0 }],
        ['made', false, { total: 5, failed: 3 }],
      ],
    );
  });

  it('still lists a batch that was created a day before its last running session', async () => {
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    server.addBatch(0, { id: 'batch_a', createdAt: hoursAgo(30), completedAt: hoursAgo(2) });
    const early = server.add({ id: 'early', batchId: 'batch_a', createdAt: hoursAgo(29) });
    server.add({ id: 'late', batchId: 'batch_a', createdAt: hoursAgo(3) });
    await listed();
    early.status = 'completed';
    const { sessions, groups } = await listed();
    assert.deepEqual([sessions.map(({ id }) => id), groups.map(({ id }) => id)], [['late'], ['batch_a']]);
  });

  it('lists finished batches only on request, however old they are', async () => {
    const createdAt = new Date(Date.now() - 90 * 24 * 3_600_000);
    for (let index = 0; index < 120; index++) server.addBatch(0, { id: `old-${index}`, createdAt, failedRequests: 1 });
    server.addBatch(0, { id: 'bad', status: 'failed', failedRequests: 2 });
    server.addBatch(0, { id: 'making', status: 'pending', completedAt: undefined });
    assert.deepEqual(
      (await listed()).groups.map(({ id }) => id),
      ['making'],
    );
    const pages = await Array.fromAsync(provider.finishedGroups?.(unaborted) ?? []);
    assert.deepEqual(
      pages.map((page) => page.groups.length),
      [100, 21],
    );
    const bad = pages.flatMap(({ groups }) => groups).find(({ id }) => id === 'bad');
    assert.deepEqual([bad?.status, bad?.canCancel, bad?.counts], ['failed', false, { total: 2, failed: 2 }]);
  });

  it('treats a deletion’s empty response as unexpected', async () => {
    const batch = server.addBatch(1);
    server.misbehave('DELETE', /batch/, { kind: 'answer', answer: { status: 200, json: {} } }, 1);
    assert.equal(await troubleOf(provider.deleteGroup?.(groupId(batch.id), unaborted)), 'unexpectedAnswer');
  });

  it('asks for a batch’s sessions once, when all of them are created', async () => {
    server.addBatch(2);
    await listed();
    await listed();
    await listed();
    assert.equal(server.log().filter((line) => /batch-sessions\/.+/.test(line)).length, 1);
  });

  it('keeps sessions in their batch when a list was late, and when batches can’t be listed', async () => {
    const batch = server.addBatch(2);
    await listed();
    for (const { id } of batch.members) server.unlisted.add(id);
    assert.deepEqual((await listed()).sessions, []);
    server.unlisted.clear();
    const isGrouped = async () => {
      const { sessions, groups } = await listed();
      assert.deepEqual(
        sessions.map((session) => session.groupId),
        [batch.id, batch.id],
      );
      assert.deepEqual(
        groups.map(({ id }) => id),
        [batch.id],
      );
    };
    await isGrouped();
    server.misbehave('GET', /batch-sessions/, { kind: 'answer', answer: { status: 404, json: {} } });
    await isGrouped();
  });

  it('asks for a batch’s sessions again if some were left out, so that deleting it ends none unseen', async () => {
    const batch = server.addBatch(2);
    const sessions = [{ item_index: 0, session_id: batch.members[0]?.id }];
    const answer = { status: 200, json: { data: { batch_id: batch.id, sessions } } };
    server.misbehave('GET', /batch-sessions\/./, { kind: 'answer', answer }, 1);
    const grouped = async () => (await listed()).sessions.filter((session) => session.groupId === batch.id).length;
    assert.equal(await grouped(), 1);
    assert.equal(await grouped(), 2);
  });

  it('lists all sessions, even if the start of one isn’t a valid time', async () => {
    server.add({ id: 'sess_a' });
    server.add({ id: 'sess_b', createdAt: new Date(-8.64e15) });
    const { sessions, faults } = await listed();
    assert.deepEqual(sessions.map(({ id, startedAt }) => [id, startedAt === undefined]).sort(), [
      ['sess_a', false],
      ['sess_b', true],
    ]);
    assert.deepEqual(faults, []);
  });

  it('asks about a few batches at a time, says so, and has them all after a while', async () => {
    for (let index = 0; index < 150; index++) server.addBatch(1, { createdAt: new Date(Date.now() - 60_000) });
    const asked = () => server.log().filter((line) => /batch-sessions\//.test(line)).length;
    const first = await listed();
    assert.equal(asked(), 100);
    assert.equal(first.sessions.length, 150);
    assert.equal(first.groups.length, 100);
    assert.deepEqual(first.faults, [
      { subject: '50 more batches', hidesSession: false, what: 'their sessions are loaded at the next refresh' },
    ]);
    const second = await listed();
    assert.equal(asked(), 150);
    assert.deepEqual([second.groups.length, second.faults], [150, []]);
    await listed();
    assert.equal(asked(), 150);
  });

  it('reads a list of a thousand batches in bounded time, and treats none of their sessions as gone', async () => {
    for (let index = 0; index < 3_000; index++) server.addBatch(0, { status: 'processing', completedAt: undefined });
    server.add();
    const { sessions, groups, faults } = await listed();
    assert.deepEqual([sessions.length, groups.length], [1, 1_000]);
    assert.ok(server.log().filter((line) => /batch-sessions/.test(line)).length <= 10 + 100);
    assert.deepEqual(
      faults.map(({ subject, unnamed }) => [subject, unnamed]),
      [
        ['Batches: The rest of the list', undefined],
        ['900 more batches', undefined],
      ],
    );
  });

  it('reports pages, and creates a live view each time', async () => {
    server.add({
      id: 'sess_a',
      pages: [
        { id: 'p1', title: 'Cart', url: 'https://shop.example/cart' },
        { id: 'p2', title: 'Pay', url: 'about:blank' },
      ],
    });
    const id = sessionId('sess_a');
    assert.deepEqual(await provider.pages?.(id, unaborted), [
      { id: 'p1', title: 'Cart', url: 'https://shop.example/cart' },
      { id: 'p2', title: 'Pay', url: 'about:blank' },
    ]);
    const first = await provider.liveView?.(id, undefined, 'watch', unaborted);
    assert.equal(first?.url.href, `${server.url}/live/sess_a/p1?rt=a%2Bb%26c`);
    assert.equal(first?.sandbox, 'allow-same-origin allow-scripts');
    const second = await provider.liveView?.(id, pageId('p2'), 'watch', unaborted);
    assert.equal(second?.url.pathname, '/live/sess_a/p2');
    assert.equal(await troubleOf(provider.liveView?.(id, pageId('p3'), 'watch', unaborted)), 'notFound');
  });

  it('rejects a live view on any address other than the provider’s', async () => {
    server.add({ id: 'sess_a' });
    for (const frontend_url of [
      'https://evil.example/',
      'javascript:alert(1)',
      'http://10.0.0.1/',
      'file:///etc/passwd',
    ]) {
      const json = [{ id: 'p1', title: 't', url: 'u', frontend_url }];
      server.misbehave('GET', /pages$/, { kind: 'answer', answer: { status: 200, json } }, 1);
      const view = provider.liveView?.(sessionId('sess_a'), undefined, 'watch', unaborted);
      assert.equal(await troubleOf(view), 'unexpectedAnswer', frontend_url);
    }
  });

  it('uses the batch’s link for a session that has no page', async () => {
    const batch = server.addBatch(1);
    const [member] = batch.members;
    assert.ok(member);
    member.pages = [];
    await listed();
    const view = await provider.liveView?.(sessionId(member.id), undefined, 'watch', unaborted);
    assert.equal(view?.url.pathname, `/live/${member.id}/first`);
  });

  it('prefers the link that follows the active tab for a session with a window, and its page’s for one without', async () => {
    const batch = server.addBatch(3);
    const [window, headless, once] = batch.members;
    assert.ok(window && headless && once);
    Object.assign(headless, { headless: true });
    server.singleUse.set(once.id, 0);
    await listed();
    const view = (id: string, page?: string) =>
      provider.liveView?.(sessionId(id), page === undefined ? undefined : pageId(page), 'watch', unaborted);
    const first = `page-${window.id.slice(0, 8)}`;
    assert.equal((await view(window.id))?.url.pathname, `/live/${window.id}/first`);
    assert.equal((await view(window.id, first))?.url.pathname, `/live/${window.id}/${first}`);
    assert.match((await view(headless.id))?.url.pathname ?? '', /\/page-[^/]+$/);
    // A single-use link mustn't be used up while there is another.
    assert.match((await view(once.id))?.url.pathname ?? '', /\/page-[^/]+$/);
    server.misbehave('GET', new RegExp(`sessions/${window.id}$`), { kind: 'answer', answer: { status: 500 } });
    assert.match((await view(window.id))?.url.pathname ?? '', /\/page-[^/]+$/);
  });

  it('reports whether the link from the start response is single-use', async () => {
    const batch = server.addBatch(2);
    const [once, often] = batch.members;
    assert.ok(once && often);
    once.pages = often.pages = [];
    server.singleUse.set(once.id, 0);
    await listed();
    const view = (id: string) => provider.liveView?.(sessionId(id), undefined, 'watch', unaborted);
    assert.equal((await view(once.id))?.singleUse, 'yes');
    assert.equal((await view(often.id))?.singleUse, 'no');
    // It is requested, but not opened.
    assert.equal(server.singleUse.get(once.id), 0);
  });

  it('takes a screenshot of what a session shows', async () => {
    server.add({ id: 'sess_a' });
    const picture = await provider.screenshot?.(sessionId('sess_a'), unaborted);
    assert.equal(picture?.type, 'image/png');
    assert.deepEqual(
      [...(picture?.bytes.subarray(1, 4) ?? [])].map((code) => String.fromCharCode(code)).join(''),
      'PNG',
    );
    assert.equal(await troubleOf(provider.screenshot?.(sessionId('sess_b'), unaborted)), 'notFound');
  });

  it('finds the recording of an ended session, the primary one of several', async () => {
    const session = server.add({ id: 'sess_a' });
    assert.equal(await troubleOf(provider.recording?.(sessionId('sess_a'), unaborted)), 'notFound');
    session.status = 'completed';
    const url = await provider.recording?.(sessionId('sess_a'), unaborted);
    assert.equal(url?.href, 'https://files.example/sess_a/first.mp4?signature=canary');
    for (const file_link of [
      'javascript:alert(1)',
      'http://files.example/x',
      'file:///x',
      'https://u:p@files.example/',
    ]) {
      const json = { data: { items: [{ file_link, is_primary: true }] } };
      server.misbehave('GET', /recordings$/, { kind: 'answer', answer: { status: 200, json } }, 1);
      assert.equal(
        await troubleOf(provider.recording?.(sessionId('sess_a'), unaborted)),
        'unexpectedAnswer',
        file_link,
      );
    }
  });

  it('reports how a session ended, if the provider does', async () => {
    const session = server.add({ id: 'sess_a' });
    const endCause = () => provider.endCause?.(sessionId('sess_a'), unaborted);
    assert.equal(await endCause(), undefined);
    session.status = 'completed';
    assert.deepEqual(await endCause(), { how: 'completed', endedAt: undefined });
    session.status = 'failed';
    assert.deepEqual(await endCause(), { how: 'failed', endedAt: undefined });
    server.sessions.delete('sess_a');
    assert.equal(await endCause(), undefined);
  });
});
