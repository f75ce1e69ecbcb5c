import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../src/core/clock.ts';
import { type AccountId, groupId, sessionId } from '../../../src/core/ids.ts';
import type { EndResult } from '../../../src/services/ending/report.ts';
import { History } from '../../../src/services/history/history.ts';
import { FinishedBatches } from '../../../src/services/sessions/finishedBatches.ts';
import { Protections } from '../../../src/services/sessions/protections.ts';
import type { EndParts } from '../../../src/ui/commands/ending.ts';
import { endAccountSessions } from '../../../src/ui/commands/endingMany.ts';
import { tellDeletion } from '../../../src/ui/commands/endReports.ts';
import { cancelBatch, deleteBatch } from '../../../src/ui/commands/groups.ts';
import type { Prompts } from '../../../src/ui/prompts.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { type AnchorServer, startAnchor } from '../../servers/anchor.ts';
import { startGateway } from '../../servers/gateway.ts';
import { MapMemory, noOwnMachine, TestServices } from '../services/testServices.ts';

describe('a whole batch', () => {
  let server: AnchorServer;
  let services: TestServices;
  let parts: EndParts;
  let accountId: AccountId;
  let messages: string[];
  let details: string[];
  /** What happens while the dialog is open. */
  let duringDialog: () => Promise<void>;
  /** What happens between the dialog and the request. */
  let afterDialog: () => Promise<void>;

  beforeEach(async () => {
    messages = [];
    details = [];
    duringDialog = async () => {};
    afterDialog = async () => {};
    server = await startAnchor();
    services = new TestServices({ clock: systemClock, interval: 0 });
    accountId = await services.add('anchor', server.url, { apiKey: server.key });
    const { accounts, kinds, store, connections, refresher, ender, log, evidence } = services;
    const memory = new MapMemory(0);
    const prompts: Partial<Prompts> = {
      confirm: async ({ choices, detail }) => {
        details.push(detail);
        await duringDialog();
        return choices[0];
      },
      tell: async (_level, message) => void messages.push(message),
      note: () => {},
      busy: async (_title, work) => {
        await afterDialog();
        return work(() => {});
      },
    };
    parts = {
      ...{ accounts, kinds, store, connections, refresher, ender, evidence, logger: log, prompts },
      clock: systemClock,
      history: new History(memory, store, accounts, Date.now),
      filter: new TreeFilter({ accounts, kinds, store, memory }),
      protections: new Protections(memory, store, accounts, systemClock),
      ownMachine: noOwnMachine,
      finished: { of: () => undefined },
      liveViews: { isOpen: () => false },
      isMine: () => undefined,
      setting: () => '',
    } as unknown as EndParts;
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  function openFinished(): FinishedBatches {
    const { accounts, store, connections } = services;
    const memory = new MapMemory(0);
    return new FinishedBatches({ accounts, store, connections, memory, memoryKey: 'k', clock: systemClock });
  }

  for (const [verb, work, status] of [
    ['deleted', deleteBatch, 'completed'],
    ['canceled', cancelBatch, 'processing'],
  ] as const) {
    it(`isn’t ${verb} if one of its sessions was protected while the dialog was open, as in another window`, async () => {
      const batch = server.addBatch(2, { id: 'batch_a', status });
      await services.refresher.refresh(accountId);
      const target = { accountId, groupId: groupId('batch_a') };
      duringDialog = async () =>
        void (await parts.protections.set(accountId, [sessionId(batch.members[0]?.id ?? '')], true));
      await work(parts, [target]);
      assert.match(messages.join(), /has protected sessions: .*\. No request was sent\./);
      assert.equal(server.running.length, 2);
      assert.deepEqual(
        server.log().filter((line) => /^(DELETE|PATCH)/.test(line)),
        [],
      );
    });
  }

  describe('while batches can’t be listed', () => {
    const target = () => ({ accountId, groupId: groupId('batch_a') });
    let finished: FinishedBatches;

    beforeEach(async () => {
      finished = openFinished();
      parts = { ...parts, finished };
    });
    afterEach(() => finished.dispose());

    const fail = () => server.misbehave('GET', /batch-sessions/, { kind: 'answer', answer: { status: 404, json: {} } });

    it('isn’t called finished if its sessions were running before', async () => {
      const [member] = server.addBatch(2, { id: 'batch_a' }).members;
      await services.refresher.refresh(accountId);
      await finished.show(true);
      await parts.protections.set(accountId, [sessionId(member?.id ?? '')], true);
      fail();
      await services.refresher.refresh(accountId);
      await deleteBatch(parts, [target()]);
      assert.match(messages.join(), /has protected sessions: .*\. No request was sent\./);
      await parts.protections.set(accountId, [sessionId(member?.id ?? '')], false);
      await deleteBatch(parts, [target()]);
      assert.match(details.join(), /2 of its sessions are running and will end:/);
    });

    it('isn’t said to have no running sessions, and is asked about again if they turn up while the dialog is open', async () => {
      server.addBatch(2, { id: 'batch_a' });
      await finished.show(true);
      fail();
      await services.refresher.refresh(accountId);
      duringDialog = async () => {
        server.behave();
        await services.refresher.refresh(accountId);
      };
      await deleteBatch(parts, [target()]);
      assert.match(details[0] ?? '', /None of its sessions are known to be running\./);
      assert.match(details[1] ?? '', /2 of its sessions are running and will end:/);
      assert.equal(details.length, 2);
    });
  });

  it('isn’t deleted while a session of it is protected that had no ID yet when the batch was listed', async () => {
    const batch = server.addBatch(3, { id: 'batch_a' });
    const ids = batch.members.map(({ id }) => id);
    const rows = ids.map((id, index) => ({ item_index: index, session_id: index === 2 ? null : id }));
    const answer = { status: 200, json: { data: { batch_id: 'batch_a', sessions: rows } } };
    server.misbehave('GET', /batch-sessions\/batch_a/, { kind: 'answer', answer }, 1);
    await services.refresher.refresh(accountId);
    await parts.protections.set(accountId, [sessionId(ids[2] ?? '')], true);
    await deleteBatch(parts, [{ accountId, groupId: groupId('batch_a') }]);
    assert.match(messages.join(), /has protected sessions: .*\. No request was sent\./);
    assert.equal(server.running.length, 3);
  });

  it('is asked about again if a session has joined it while its dialog was open', async () => {
    const finished = openFinished();
    parts = { ...parts, finished };
    try {
      for (const [count, first] of [
        [2, /2 of its sessions are running and will end:/],
        [0, /None of its sessions are running anymore\./],
      ] as const) {
        const id = `batch_${count}`;
        server.addBatch(count, { id });
        await services.refresher.refresh(accountId);
        await finished.show(true);
        details.splice(0);
        duringDialog = async () => {
          if (details.length === 1) server.add({ batchId: id });
        };
        await deleteBatch(parts, [{ accountId, groupId: groupId(id) }]);
        assert.match(details[0] ?? '', first);
        assert.match(details[1] ?? '', new RegExp(`${count + 1} of its sessions (is|are) running and will end`));
        assert.equal(details.length, 2);
        assert.deepEqual(server.running, []);
      }
    } finally {
      finished.dispose();
    }
  });

  for (const [name, late] of [
    ['because lists are late', 3],
    ['because lists are late for some', 2],
    ['because they are other keys’', 0],
  ] as const)
    it(`is said to have more sessions than are listed, ${name}`, async () => {
      const finished = openFinished();
      parts = { ...parts, finished };
      parts.prompts.confirm = async ({ detail }) => void details.push(detail);
      try {
        const { members } = server.addBatch(3, {
          id: 'batch_a',
          completedAt: new Date(Date.now() - (late > 0 ? 1_000 : 3_600_000)),
        });
        for (const { id } of members.slice(0, late)) server.unlisted.add(id);
        if (late === 0) {
          server.keys.set('other', 'sk-anchor-another-of-the-team');
          for (const { id } of members)
            server.add({ ...server.sessions.get(id), id, key: 'sk-anchor-another-of-the-team' });
          const answer = { status: 403, json: { error: { code: 403, message: 'Forbidden' } } };
          server.misbehave('GET', /^\/v1\/sessions$/, { kind: 'answer', answer });
        }
        await services.refresher.refresh(accountId);
        await finished.show(true);
        await deleteBatch(parts, [{ accountId, groupId: groupId('batch_a') }]);
        assert.match(details[0] ?? '', /Not all sessions in .* can be listed, so some may be missing here\./);
        assert.doesNotMatch(details[0] ?? '', /anymore/);
      } finally {
        finished.dispose();
      }
    });

  for (const [verb, work] of [
    ['canceled', cancelBatch],
    ['deleted', deleteBatch],
  ] as const)
    it(`is said to have perhaps a protected session whose batch isn’t known yet, before it's ${verb}`, async () => {
      const { members } = server.addBatch(3, { id: 'batch_a', status: 'processing', completedAt: undefined });
      const sessions = members.map((_, index) => ({ item_index: index, session_id: null }));
      const data = {
        batch_id: 'batch_a',
        status: 'processing',
        created_at: new Date().toISOString(),
        total_requests: 3,
        sessions,
      };
      const answer = { status: 200, json: { data } };
      server.misbehave('GET', /batch-sessions\/batch_a/, { kind: 'answer', answer }, 100);
      await services.refresher.refresh(accountId);
      await parts.protections.set(accountId, [sessionId(members[0]?.id ?? '')], true);
      parts.prompts.confirm = async ({ detail }) => void details.push(detail);
      await work(parts, [{ accountId, groupId: groupId('batch_a') }]);
      assert.match(details[0] ?? '', /Not all sessions in .* can be listed, so some may be missing here\./);
      assert.match(details[0] ?? '', /is protected\. If it's in this batch, it will end too\./);
      assert.equal(server.running.length, 3);
    });

  it('is asked about again if its sessions can’t be looked up anymore after its dialog', async () => {
    server.addBatch(2, { id: 'batch_a' });
    await services.refresher.refresh(accountId);
    duringDialog = async () => {
      const answer = { status: 500, json: {} };
      server.misbehave('GET', /batch-sessions\/batch_a/, { kind: 'answer', answer }, 100);
    };
    await deleteBatch(parts, [{ accountId, groupId: groupId('batch_a') }]);
    assert.doesNotMatch(details[0] ?? '', /Not all sessions/);
    assert.match(details[1] ?? '', /Not all sessions in .* can be listed, so some may be missing here\./);
    assert.equal(details.length, 2);
    assert.deepEqual(server.running, []);
  });

  it('isn’t deleted if one of its sessions was protected right after its dialog, as in another window', async () => {
    const { members } = server.addBatch(2, { id: 'batch_a' });
    await services.refresher.refresh(accountId);
    duringDialog = async () => {
      const by = () => parts.protections.set(accountId, [sessionId(members[0]?.id ?? '')], true).then(() => {});
      server.misbehave('GET', /batch-sessions\/batch_a/, { kind: 'interrupted', by }, 1);
    };
    await deleteBatch(parts, [{ accountId, groupId: groupId('batch_a') }]);
    assert.match(messages.join(), /has protected sessions: .*\. No request was sent\./);
    assert.equal(server.running.length, 2);
  });

  it('isn’t said to be deleted with sessions that are still running, whatever the provider answers', async () => {
    server.addBatch(3, { id: 'batch_a' });
    await services.refresher.refresh(accountId);
    const results = [...services.store.known(accountId).values()].slice(0, 2).map((session): EndResult => {
      const why = { kind: 'stillRuns', found: true, said: undefined } as const;
      return { accountId, session, outcome: 'stuck', why, how: undefined, attempts: 0, ms: 1 };
    });
    const answer = { deleted: 3, failed: 0, failures: [], message: undefined };
    tellDeletion(parts, accountId, 'Batch a', { answer, results }, async () => {});
    assert.match(messages.join(), /1 session deleted\. Couldn't delete 2 sessions\./);
  });

  it('is asked about even if the provider never says which sessions it has', async () => {
    server.addBatch(2, { id: 'batch_a' });
    await services.refresher.refresh(accountId);
    server.misbehave('GET', /batch-sessions\/batch_a/, { kind: 'silent' }, 100);
    parts.prompts.confirm = async ({ detail }) => void details.push(detail);
    await deleteBatch(parts, [{ accountId, groupId: groupId('batch_a') }]);
    assert.match(details[0] ?? '', /Not all sessions in .* can be listed, so some may be missing here\./);
    assert.match(details[0] ?? '', /2 of its sessions are running and will end:/);
  }).timeout(20_000);

  describe('that was created long before its sessions started', () => {
    const target = () => ({ accountId, groupId: groupId('batch_old') });
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    let finished: FinishedBatches;

    beforeEach(async () => {
      finished = openFinished();
      parts = { ...parts, finished };
      server.addBatch(0, { id: 'batch_old', createdAt: hoursAgo(30), completedAt: hoursAgo(1) });
      for (const id of ['sess_one', 'sess_two']) server.add({ id, batchId: 'batch_old', createdAt: hoursAgo(2) });
      await services.refresher.refresh(accountId);
      await finished.show(true);
      assert.ok(!services.store.state(accountId)?.contents.groups.has(groupId('batch_old')));
    });
    afterEach(() => finished.dispose());

    it('isn’t called finished while they are running, nor deleted while one is protected', async () => {
      await parts.protections.set(accountId, [sessionId('sess_one')], true);
      await deleteBatch(parts, [target()]);
      assert.match(messages.join(), /has protected sessions: .*\. No request was sent\./);
      assert.deepEqual(server.running, ['sess_one', 'sess_two']);
      await parts.protections.set(accountId, [sessionId('sess_one')], false);
      await deleteBatch(parts, [target()]);
      assert.match(details.join(), /2 of its sessions are running and will end:/);
      assert.deepEqual(server.running, []);
    });

    it('isn’t said to have no running sessions if they can’t be looked up, or not all of them', async () => {
      const batch = { batch_id: 'batch_old', status: 'completed', total_requests: 2 };
      const some = { status: 200, json: { data: { ...batch, sessions: [{ session_id: 'sess_gone' }] } } };
      for (const answer of [{ status: 500, json: {} }, some]) {
        server.misbehave('GET', /batch-sessions\/batch_old/, { kind: 'answer', answer }, 100);
        parts.prompts.confirm = async ({ detail }) => void details.push(detail);
        await deleteBatch(parts, [target()]);
        assert.match(details.at(-1) ?? '', /None of its sessions are known to be running\./);
        server.behave();
      }
    });

    it('is called finished once they have ended', async () => {
      for (const session of server.sessions.values()) session.status = 'completed';
      await services.refresher.refresh(accountId);
      parts.prompts.confirm = async ({ detail }) => void details.push(detail);
      await deleteBatch(parts, [target()]);
      assert.match(details.join(), /None of its sessions are running anymore\./);
    });
  });

  for (const work of [deleteBatch, cancelBatch]) {
    it(`lists and protects its own sessions, even if a caller of ${work.name} names another one besides`, async () => {
      const [member] = server.addBatch(2, { id: 'batch_a', status: 'processing', completedAt: undefined }).members;
      server.add({ id: 'sess_other', domains: ['other.example'] });
      await services.refresher.refresh(accountId);
      const target = { accountId, groupId: groupId('batch_a'), sessionId: sessionId('sess_other') };
      await parts.protections.set(accountId, [sessionId(member?.id ?? '')], true);
      await work(parts, [target]);
      assert.match(messages.join(), /has protected sessions: .*\. No request was sent\./);
      await parts.protections.set(accountId, [sessionId(member?.id ?? '')], false);
      await work(parts, [target]);
      assert.match(details[0] ?? '', new RegExp(member?.id.slice(0, 8) ?? 'none'));
      assert.ok(!details[0]?.includes('other.example'));
      assert.deepEqual(server.running, ['sess_other']);
    });
  }

  it('isn’t deleted, canceled or ended with another key than the dialog was about', async () => {
    server.addBatch(1, { id: 'batch_a', status: 'processing', completedAt: undefined });
    server.keys.set('other', 'sk-anchor-other-team');
    await services.refresher.refresh(accountId);
    afterDialog = async () => {
      await services.accounts.replaceCredentials(accountId, { apiKey: 'sk-anchor-other-team' });
      await services.refresher.refresh(accountId);
      await services.accounts.replaceCredentials(accountId, { apiKey: server.key });
      await services.refresher.refresh(accountId);
    };
    const target = { accountId, groupId: groupId('batch_a') };
    await deleteBatch(parts, [target]);
    await cancelBatch(parts, [target]);
    parts.prompts.confirm = async ({ choices }) => choices.at(-1);
    await endAccountSessions(parts, [{ accountId }]);
    assert.deepEqual(
      server.log().filter((line) => !line.startsWith('GET')),
      [],
    );
    assert.equal(server.running.length, 1);
  });

  it('isn’t all that ends with everything in its account: the dialog names a protected session that isn’t listed', async () => {
    server.addBatch(1, { id: 'batch_a' });
    server.add({ id: 'sess_guarded' });
    server.unlisted.add('sess_guarded');
    await services.refresher.refresh(accountId);
    await parts.protections.set(accountId, [sessionId('sess_guarded')], true);
    parts.prompts.confirm = async ({ detail }) => void details.push(detail);
    await endAccountSessions(parts, [{ accountId }]);
    assert.match(
      details[0] ?? '',
      /Session sess_gua is protected but not listed\. If it's still running, it will end too\./,
    );
    assert.equal(server.running.length, 2);
  });

  const leavesOut = async (session: string) => {
    server.unlisted.add(session);
    await services.refresher.refresh(accountId);
  };
  /** The dialogs about the batch and about its account both say that a protected session isn't listed. */
  const saysThatItEnds = async () => {
    parts.prompts.confirm = async ({ detail }) => void details.push(detail);
    await deleteBatch(parts, [{ accountId, groupId: groupId('batch_a') }]);
    await endAccountSessions(parts, [{ accountId }]);
    assert.match(details[0] ?? '', /Session \S+ is protected but not listed\. If it's in this batch/);
    assert.match(details[1] ?? '', /Session \S+ is protected but not listed\. If it's still running/);
  };

  it('says which sessions end with it that are protected in another account, and listed only there', async () => {
    const [member] = server.addBatch(2, { id: 'batch_a' }).members;
    const hidden = member?.id ?? '';
    const another = await services.add('anchor', server.url, { apiKey: server.key });
    await parts.protections.set(another, [sessionId(hidden)], true);
    await leavesOut(hidden);
    await saysThatItEnds();
  });

  it('says which sessions end with it that are protected in a gateway’s account, and listed only there', async () => {
    const gateway = await startGateway();
    try {
      const [member] = server.addBatch(2, { id: 'batch_a' }).members;
      const hidden = member?.id ?? '';
      for (const id of [hidden, randomUUID()]) gateway.add({ id });
      const another = await services.add('gateway', gateway.url, { authorization: gateway.authorization });
      const all = [...services.store.known(another).keys()];
      assert.equal(all.length, 2);
      // Anchor doesn't have the other one.
      await parts.protections.set(another, all, true);
      await leavesOut(hidden);
      await saysThatItEnds();
    } finally {
      await gateway.stop();
    }
  });

  it('says nothing about protected sessions of other teams at the same provider', async () => {
    server.addBatch(1, { id: 'batch_a' });
    server.keys.set('other', 'sk-anchor-other-team');
    const another = await services.add('anchor', server.url, { apiKey: 'sk-anchor-other-team' });
    const theirs = server.add({}).id;
    await services.refresher.refresh(another);
    assert.ok(services.store.session(another, sessionId(theirs)));
    await parts.protections.set(another, [sessionId(theirs)], true);
    // No other team's key finds it.
    server.sessions.delete(theirs);
    await services.refresher.refresh(accountId);
    parts.prompts.confirm = async ({ detail }) => void details.push(detail);
    await endAccountSessions(parts, [{ accountId }]);
    assert.equal(details.length, 1);
    assert.doesNotMatch(details[0] ?? '', /protected/);
  });

  describe('with a protected session that isn’t listed', () => {
    const target = () => ({ accountId, groupId: groupId('batch_a') });
    const said =
      /Session (\S+) is protected but not listed\. If it's in this batch and still running, it will end too\./;
    let hidden: string;

    beforeEach(async () => {
      const batch = server.addBatch(2, { id: 'batch_a', status: 'processing', completedAt: undefined });
      hidden = batch.members[0]?.id ?? '';
      server.unlisted.add(hidden);
      await services.refresher.refresh(accountId);
    });

    for (const work of [deleteBatch, cancelBatch]) {
      it(`says so before ${work.name}`, async () => {
        await parts.protections.set(accountId, [sessionId(hidden)], true);
        parts.prompts.confirm = async ({ detail }) => void details.push(detail);
        await work(parts, [target()]);
        assert.match(details[0] ?? '', said);
      });

      it(`isn’t mentioned before ${work.name} if it has ended since`, async () => {
        await parts.protections.set(accountId, [sessionId(hidden)], true);
        const session = server.sessions.get(hidden) ?? assert.fail();
        session.status = 'completed';
        parts.prompts.confirm = async ({ detail }) => void details.push(detail);
        await work(parts, [target()]);
        assert.equal(details.length, 1);
        assert.doesNotMatch(details[0] ?? '', /protected/);
        assert.ok(parts.protections.has(accountId, sessionId(hidden)));
      });

      it(`is mentioned before ${work.name} if the provider doesn’t find it, as during an outage`, async () => {
        await parts.protections.set(accountId, [sessionId(hidden)], true);
        const json = { error: { code: 404, message: 'Session not found' } };
        server.misbehave('GET', new RegExp(`sessions/${hidden}$`), { kind: 'answer', answer: { status: 404, json } });
        parts.prompts.confirm = async ({ detail }) => void details.push(detail);
        await work(parts, [target()]);
        assert.match(details[0] ?? '', said);
      });

      it(`isn’t reached by ${work.name} if that was protected while the dialog was open`, async () => {
        duringDialog = async () => void (await parts.protections.set(accountId, [sessionId(hidden)], true));
        await work(parts, [target()]);
        assert.match(messages.join(), /was protected while the dialog was open, so no request was sent\./);
        assert.equal(server.running.length, 2);
      });
    }

    it('is mentioned if an earlier session with its ID has ended', async () => {
      server.add({ id: 'worker-1', batchId: 'batch_a' });
      server.unlisted.add('worker-1');
      const id = sessionId('worker-1');
      await parts.protections.set(accountId, [id], true);
      const ended = { accountId, sessionId: id, startedAt: 0, endedAt: 1, startIsExact: true };
      const history = { find: () => ended } as unknown as History;
      parts.prompts.confirm = async ({ detail }) => void details.push(detail);
      await deleteBatch({ ...parts, history }, [target()]);
      assert.match(details[0] ?? '', said);
    });

    it('is mentioned if it’s protected in another account, which has a key of the same team', async () => {
      server.keys.set('second', 'sk-anchor-canary-second-98765');
      const second = await services.add('anchor', server.url, { apiKey: 'sk-anchor-canary-second-98765' });
      await parts.protections.set(second, [sessionId(hidden)], true);
      parts.prompts.confirm = async ({ detail }) => void details.push(detail);
      await deleteBatch(parts, [target()]);
      assert.match(details[0] ?? '', said);
      const session = server.sessions.get(hidden) ?? assert.fail();
      session.status = 'completed';
      await deleteBatch(parts, [target()]);
      assert.doesNotMatch(details[1] ?? 'protected', /protected/);
    });

    it('is mentioned if the provider doesn’t answer within seconds whether it’s running', async () => {
      await parts.protections.set(accountId, [sessionId(hidden)], true);
      server.misbehave('GET', new RegExp(`sessions/${hidden}$`), { kind: 'silent' });
      parts.prompts.confirm = async ({ detail }) => void details.push(detail);
      await deleteBatch(parts, [target()]);
      assert.match(details[0] ?? '', said);
    });

    it('isn’t ended with everything in its account if that was protected while the dialog was open', async () => {
      parts.prompts.confirm = async ({ choices }) => {
        await parts.protections.set(accountId, [sessionId(hidden)], true);
        return choices.at(-1);
      };
      await endAccountSessions(parts, [{ accountId }]);
      assert.match(messages.join(), /was protected while the dialog was open, so no request was sent\./);
      assert.equal(server.running.length, 2);
    });
  });

  it('is deleted with sessions that start while the dialog is open, which the dialog says', async () => {
    server.addBatch(1, { id: 'batch_a', status: 'processing', completedAt: undefined });
    await services.refresher.refresh(accountId);
    duringDialog = async () => void server.add({ batchId: 'batch_a' });
    await deleteBatch(parts, [{ accountId, groupId: groupId('batch_a') }]);
    assert.match(details[0] ?? '', /More of its sessions may start while this dialog is open\. They will end too\./);
    assert.deepEqual(server.running, []);
  });

  describe('that a list of finished batches has', () => {
    let finished: FinishedBatches;

    beforeEach(() => {
      const { accounts, store, connections } = services;
      finished = new FinishedBatches({
        ...{ accounts, store, connections, clock: systemClock },
        memory: new MapMemory(0),
        memoryKey: 'k',
      });
      parts = { ...parts, finished };
    });
    afterEach(() => finished.dispose());

    for (const [what, listed] of [
      ['leaves it out', {}],
      ['has it in a shape that can’t be read', { groups: [{ id: 'g1', name: 7 }] }],
      [
        'has a thousand others before it',
        { groups: [...Array.from({ length: 1_000 }, (_, at) => ({ id: `x${at}` })), { id: 'g1' }] },
      ],
    ] as const) {
      it(`isn’t called finished while sessions of it are listed, though their list ${what}`, async () => {
        const running = new Set(['one', 'two']);
        services.register({
          id: 'grid',
          label: 'Grid',
          address: { preset: 'https://grid.example' },
          wording: { ending: 'Its pages close.', deleteGroup: 'All data of the batch is deleted.' },
          connect: () => ({
            ending: { lists: 'complete', withinMs: 3_000 },
            check: async () => ({}),
            async *list() {
              yield { sessions: [...running].map((id) => ({ id, groupId: 'g1' })), ...listed };
            },
            end: async () => ({ outcome: 'ended' }),
            async *finishedGroups() {
              yield { groups: [{ id: 'g1', name: 'nightly' }] };
            },
            async deleteGroup() {
              const deleted = running.size;
              running.clear();
              return { deleted, failed: 0, failures: [] };
            },
          }),
        });
        const grid = await services.add('grid', 'https://grid.example');
        await finished.show(true);
        const target = { accountId: grid, groupId: groupId('g1') };
        await parts.protections.set(grid, [sessionId('one')], true);
        await deleteBatch(parts, [target]);
        assert.match(messages.join(), /has protected sessions: .*\. No request was sent\./);
        assert.equal(running.size, 2);
        await parts.protections.set(grid, [sessionId('one')], false);
        await deleteBatch(parts, [target]);
        assert.match(details.join(), /2 of its sessions are running and will end:/);
        assert.equal(running.size, 0);
      });
    }

    it('isn’t called deleted because another key doesn’t list it', async () => {
      for (const member of server.addBatch(2, { id: 'batch_a' }).members) member.status = 'completed';
      server.keys.set('other', 'sk-anchor-other-team');
      await finished.show(true);
      server.misbehave('DELETE', /batch_a/, {
        kind: 'answer',
        answer: { status: 500, json: { error: { code: 500, message: 'No' } } },
        after: async () => {
          await services.accounts.replaceCredentials(accountId, { apiKey: 'sk-anchor-other-team' });
        },
      });
      const deletion = await deleteBatch(parts, [{ accountId, groupId: groupId('batch_a') }]);
      assert.equal(deletion?.batch, 'unknown');
      assert.match(messages.join(), /^Couldn't confirm whether Batch batch_a was deleted\./);
    });
  });
});
