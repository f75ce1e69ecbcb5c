import { strict as assert } from 'node:assert';
import { systemClock } from '../../../src/core/clock.ts';
import { sessionId } from '../../../src/core/ids.ts';
import { unlistedSession } from '../../../src/core/unlistedSession.ts';
import { History } from '../../../src/services/history/history.ts';
import { Protections } from '../../../src/services/sessions/protections.ts';
import { type EndParts, endTargets } from '../../../src/ui/commands/ending.ts';
import { wholeAccount } from '../../../src/ui/commands/targets.ts';
import type { Prompts, Question } from '../../../src/ui/prompts.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { startAnchor } from '../../servers/anchor.ts';
import { startBrowserlessV2 } from '../../servers/browserlessV2.ts';
import { startGateway } from '../../servers/gateway.ts';
import { troubleOf } from '../errors.ts';
import { fastClock, MapMemory, noOwnMachine, TestServices } from '../services/testServices.ts';
import { unaborted } from '../testNetwork.ts';

/** What ending needs, and what the user was told. */
function open(services: TestServices, confirm: Prompts['confirm']) {
  const { accounts, kinds, store, connections, refresher, ender, log, evidence } = services;
  const memory = new MapMemory(0);
  const history = new History(memory, store, accounts, Date.now);
  const messages: string[] = [];
  const prompts: Partial<Prompts> = {
    confirm,
    tell: async (_level, message) => void messages.push(message),
    note: () => {},
    busy: (_, work) => work(() => {}),
  };
  const parts = {
    ...{ accounts, kinds, store, connections, refresher, ender, evidence, history, logger: log, prompts },
    clock: systemClock,
    filter: new TreeFilter({ accounts, kinds, store, memory }),
    protections: new Protections(memory, store, accounts, systemClock),
    endWithoutAsking: { isAllowed: false },
    liveViews: { isOpen: () => false },
    isMine: () => undefined,
    setting: () => '',
    showLog: () => {},
    ownMachine: noOwnMachine,
  } as unknown as EndParts;
  return { history, messages, parts };
}

describe('ending a session that isn’t listed', () => {
  it('doesn’t say that it has ended because of an earlier session with its ID, while the provider can’t be asked about it', async () => {
    const server = await startGateway();
    const services = new TestServices({ clock: fastClock(100), wireClock: systemClock, interval: 0 });
    const { history, messages, parts } = open(services, async ({ choices }) => choices[0]);
    server.add({ id: 'worker-1' });
    const accountId = await services.add('gateway', server.url, { authorization: server.authorization });
    const target = { ...wholeAccount(accountId), sessionId: sessionId('worker-1') };
    assert.equal((await endTargets(parts, [target])).ended, 1);
    assert.ok(history.find(accountId, sessionId('worker-1')));
    await endTargets(parts, [target]);
    assert.deepEqual(messages.splice(0), ['This session has already ended.']);
    server.reuse('worker-1');
    server.misbehave('GET', /./, { kind: 'answer', answer: { status: 503, json: {} } });
    await endTargets(parts, [target]);
    assert.match(messages[0] ?? '', /^No request to end the session was sent\. /);
    assert.deepEqual(server.running, ['worker-1']);
    server.behave();
    // It lists nothing, and can't say whether the session is running.
    server.misbehave('GET', /sessions$/, { kind: 'answer', answer: { status: 200, json: { sessions: [], count: 0 } } });
    server.tellsNothing = true;
    // The gateway accepts the end and does nothing: that the ID's earlier session ended says nothing about this one.
    server.immortal.add('worker-1');
    assert.equal((await endTargets(parts, [target])).stuck, 1);
    assert.deepEqual(server.running, ['worker-1']);
    server.immortal.clear();
    await endTargets(parts, [target]);
    assert.deepEqual(server.running, [], messages.join());
    history.dispose();
    services.dispose();
    await server.stop();
  }).timeout(20_000);

  it('sends nothing if another window replaced the key while the dialog was open, even if VS Code didn’t tell', async () => {
    const server = await startAnchor();
    const services = new TestServices({ clock: systemClock, interval: 0 });
    const { values } = services.secretStore;
    const { history, messages, parts } = open(services, async ({ choices }) => {
      const [key, secret] = [...values].find(([, its]) => its.includes(server.key)) ?? [];
      assert.ok(key !== undefined && secret !== undefined);
      values.set(key, secret.replace(server.key, 'sk_of_someone_else'));
      return choices[0];
    });
    server.add({ id: 'sess_a' });
    server.unlisted.add('sess_a');
    const accountId = await services.add('anchor', server.url, { apiKey: server.key });
    await endTargets(parts, [{ ...wholeAccount(accountId), sessionId: sessionId('sess_a') }]);
    assert.match(messages.join(), /has changed, so no request was sent\. Try again\./);
    assert.deepEqual(server.running, ['sess_a']);
    history.dispose();
    services.dispose();
    await server.stop();
  });

  it('asks about the listed session whose other ID it is, with its name and protection', async () => {
    const server = await startBrowserlessV2();
    const services = new TestServices({ clock: systemClock, interval: 0 });
    const questions: Question[] = [];
    const { history, parts } = open(services, async (question) => {
      questions.push(question);
      return undefined;
    });
    const id = '2b0e5a5e-8f60-4d3a-9c4e-0f6f4d1c7a11';
    server.add({ id, trackingId: 'checkout' });
    server.add({ trackingId: 'other' });
    const accountId = await services.add('browserless', server.url, { token: server.token ?? '' });
    await services.refresher.refresh(accountId);
    await parts.protections.set(accountId, [sessionId(id)], true);
    await endTargets(parts, [{ ...wholeAccount(accountId), sessionId: sessionId('checkout') }]);
    const [{ message, detail } = assert.fail()] = questions;
    assert.equal(message, 'End session "checkout" (2b0e5a5e)?');
    assert.match(detail, /protected/);
    assert.equal(server.running.length, 2);
    history.dispose();
    services.dispose();
    await server.stop();
  });

  it('sends nothing if it’s the other ID of several listed sessions, as two workers of a cluster may have', async () => {
    const server = await startBrowserlessV2();
    const services = new TestServices({ clock: systemClock, interval: 0 });
    const { history, messages, parts } = open(services, async ({ choices }) => choices[0]);
    const accountId = await services.add('browserless', server.url, { token: server.token ?? '' });
    for (const trackingId of ['checkout', '2b0e5a5e8f604d3a9c4e0f6f4d1c7a11']) {
      server.add({ trackingId });
      server.add({ trackingId });
      await services.refresher.refresh(accountId);
      await endTargets(parts, [{ ...wholeAccount(accountId), sessionId: sessionId(trackingId) }]);
      assert.match(messages.pop() ?? '', /^2 sessions in the list match \S+\. Select the one you mean in the list\.$/);
    }
    // Also if a list of another worker doesn’t show them: the ID is compared with the list again.
    const [provider] = [await services.connections.open(accountId)];
    const named = unlistedSession(sessionId('2b0e5a5e8f604d3a9c4e0f6f4d1c7a11'));
    assert.equal(await troubleOf(provider.end(named, unaborted)), 'otherSession');
    assert.equal(server.running.length, 4);
    history.dispose();
    services.dispose();
    await server.stop();
  });
});
