import { strict as assert } from 'node:assert';
import { systemClock } from '../../../src/core/clock.ts';
import { accountId as accountIdOf, type SessionId, sessionId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { ThisMachineAccount, thisMachineAccount } from '../../../src/services/accounts/thisMachineAccount.ts';
import { History } from '../../../src/services/history/history.ts';
import { Protections } from '../../../src/services/sessions/protections.ts';
import { type ConfirmParts, confirmEnd } from '../../../src/ui/commands/confirmEnd.ts';
import { type EndParts, endSession } from '../../../src/ui/commands/ending.ts';
import { planEnd, planEndOfAll } from '../../../src/ui/commands/endPlan.ts';
import { wholeAccount } from '../../../src/ui/commands/targets.ts';
import type { PickRequest, Prompts, Question } from '../../../src/ui/prompts.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { freePort } from '../../host/processes.ts';
import { type BrowserbaseServer, startBrowserbase } from '../../servers/browserbase.ts';
import { MapMemory, TestServices } from '../services/testServices.ts';
import { kindsWithMachine, localBrowser, someSession } from '../sessions.ts';

describe('a session that is protected as another account’s', () => {
  /** What runs on this machine; undefined if that can't be read. */
  let running: readonly Session[] | undefined;
  let memory: MapMemory;
  let stored: Pick<TestServices, 'memory' | 'secretStore'> | undefined;
  let opened: TestServices[];
  /** How far the clock has been put forward, in milliseconds. */
  let ahead: number;

  beforeEach(() => {
    running = [];
    memory = new MapMemory(0);
    stored = undefined;
    opened = [];
    ahead = 0;
  });
  afterEach(() => {
    for (const services of opened) services.dispose();
  });

  const list = () => {
    if (running === undefined) throw new Error('the processes of this machine can’t be read');
    return { sessions: running };
  };
  const kinds = kindsWithMachine(
    () => running ?? [],
    list,
    async () => assert.fail('nothing ends here'),
  );

  /** Opens a window with what the one before has stored. */
  function open() {
    const clock = { ...systemClock, now: () => Date.now() + ahead };
    const services = new TestServices({ kinds, interval: 0, clock, ...stored });
    stored = { memory: services.memory, secretStore: services.secretStore };
    opened.push(services);
    const { accounts, store, refresher } = services;
    const protections = new Protections(memory, store, accounts, clock);
    const ownMachine = new ThisMachineAccount({
      ...{ accounts, store, clock },
      isEnabled: () => true,
      place: undefined,
      interval: () => 0,
      find: async () => true,
    });
    const busy = async <T>(_: string, work: (report: () => void) => Promise<T>) => work(() => {});
    const parts = {
      ...{ accounts, kinds: services.kinds, store, refresher, protections, clock },
      prompts: { note: () => {}, busy } as unknown as Prompts,
      history: new History(memory, store, accounts, Date.now, () => true),
      filter: new TreeFilter({ accounts, kinds: services.kinds, store, memory }),
      ownMachine,
    };
    return { services, protections, parts };
  }

  const accountOf = (server: BrowserbaseServer) =>
    ['browserbase', server.url, { apiKey: server.key, projectId: server.projects[0]?.id ?? '' }] as const;
  const idsIn = (sessions: readonly { readonly session: Session }[]) => sessions.map(({ session }) => session.id);

  it('is skipped after a restart, before this machine has been listed, and there is a warning if it can’t be', async () => {
    const server = await startBrowserbase();
    const [id, other] = [sessionId(server.add({}).id), sessionId(server.add({}).id)];
    running = [someSession('tool', { drives: { provider: 'browserbase', id } })];
    const first = open();
    const cloud = await first.services.add(...accountOf(server));
    await first.protections.set(thisMachineAccount.id, [sessionId('tool')], true);
    const again = open();
    const plan = await planEnd(again.parts, [wholeAccount(cloud)]);
    assert.deepEqual([idsIn(plan.ends), idsIn(plan.leftOut), plan.unknown], [[other], [id], []]);
    running = undefined;
    const unread = await planEnd(open().parts, [wholeAccount(cloud)]);
    assert.deepEqual(unread.unknown, [
      "Couldn't list the sessions in This Machine. A browser that is protected there may be among these.",
    ]);
    await server.stop();
  });

  it('isn’t ended without a question from its live view while this machine can’t be listed', async () => {
    const server = await startBrowserbase();
    const id = sessionId(server.add({}).id);
    running = [someSession('tool', { drives: { provider: 'browserbase', id } })];
    const first = open();
    const cloud = await first.services.add(...accountOf(server));
    await first.protections.set(thisMachineAccount.id, [sessionId('other')], true);
    const asked = async () => {
      const { services, parts } = open();
      let [questions, detail] = [0, ''];
      const confirming = {
        ...parts,
        connections: services.connections,
        endWithoutAsking: { isAllowed: true },
        liveViews: { isOpen: () => true },
        isMine: () => undefined,
        setting: () => '',
        prompts: {
          ...parts.prompts,
          confirm: async (question: Question) => {
            questions++;
            ({ detail } = question);
            return undefined;
          },
        },
      } as unknown as ConfirmParts;
      const plan = await planEnd(parts, [{ ...wholeAccount(cloud), sessionId: id }]);
      await confirmEnd(confirming, plan, { fromLiveView: true });
      return { questions, detail };
    };
    assert.equal((await asked()).questions, 0);
    await first.protections.set(thisMachineAccount.id, [sessionId('tool')], true);
    assert.match((await asked()).detail, /It's protected\./);
    running = undefined;
    assert.match(
      (await asked()).detail,
      /Couldn't list the sessions in This Machine\. This session may be protected there\./,
    );
    await server.stop();
  });

  it('is skipped if its tool has started it since this machine was listed', async () => {
    const server = await startBrowserbase();
    const [id, next] = [sessionId(server.add({}).id), sessionId(server.add({}).id)];
    const toolWith = (drives: SessionId) => [someSession('tool', { drives: { provider: 'browserbase', id: drives } })];
    running = toolWith(id);
    const { services, protections, parts } = open();
    const cloud = await services.add(...accountOf(server));
    await protections.set(thisMachineAccount.id, [sessionId('tool')], true);
    await planEnd(parts, [wholeAccount(cloud)]);
    running = toolWith(next);
    ahead = 60_000;
    const plan = await planEnd(parts, [wholeAccount(cloud)]);
    // Nobody uses the earlier one anymore.
    assert.deepEqual([idsIn(plan.ends), idsIn(plan.leftOut), plan.unknown], [[id], [next], []]);
    running = undefined;
    ahead = 120_000;
    assert.deepEqual((await planEnd(parts, [wholeAccount(cloud)])).unknown, [
      "Couldn't list the sessions in This Machine. A browser that is protected there may be among these.",
    ]);
    await server.stop();
  });

  it('is skipped when it’s picked in a list with others after a restart', async () => {
    const server = await startBrowserbase();
    const [id, other] = [sessionId(server.add({}).id), sessionId(server.add({}).id)];
    running = [someSession('tool', { drives: { provider: 'browserbase', id } })];
    const first = open();
    await first.services.add(...accountOf(server));
    await first.protections.set(thisMachineAccount.id, [sessionId('tool')], true);
    const { services, parts } = open();
    let asked = '';
    const picking = {
      ...parts,
      connections: services.connections,
      liveViews: { isOpen: () => false },
      isMine: () => undefined,
      setting: () => '',
      prompts: {
        ...parts.prompts,
        pickMany: async ({ choices }: PickRequest<unknown>) => ({
          kind: 'answer',
          value: choices.map(({ value }) => value),
        }),
        confirm: async ({ detail }: Question) => {
          asked = detail;
          return undefined;
        },
      },
    } as unknown as EndParts;
    await endSession(picking, []);
    const nameOf = (session: SessionId) => session.slice(0, 8);
    assert.ok(asked.includes(nameOf(other)));
    assert.match(asked, new RegExp(`Skipped:\n[^\n]*${nameOf(id)}[^\n]*It's protected\\.`));
    await server.stop();
  });

  it('is no reason for a warning, or for an account in the list, once nothing runs on this machine anymore', async () => {
    const server = await startBrowserbase();
    const id = sessionId(server.add({}).id);
    const { services, protections, parts } = open();
    const cloud = await services.add(...accountOf(server));
    await protections.set(thisMachineAccount.id, [sessionId('ended')], true);
    const plan = await planEnd(parts, [wholeAccount(cloud)]);
    assert.deepEqual([idsIn(plan.ends), plan.unknown], [[id], []]);
    assert.equal(services.accounts.get(thisMachineAccount.id), undefined);
    await server.stop();
  });

  it('is looked for without listing more than a plan needs', async () => {
    const server = await startBrowserbase();
    const id = sessionId(server.add({}).id);
    const { services, parts } = open();
    const account = wholeAccount(await services.add(...accountOf(server)));
    const [listed, missing] = [id, sessionId('missing')].map((session) => ({ ...account, sessionId: session }));
    assert.ok(listed && missing);
    const requestsFor = async (...targets: Parameters<typeof planEnd>[1]) => {
      ahead += 60_000;
      const before = server.requests.length;
      const { ends } = await planEnd(parts, targets);
      return [server.requests.length > before, idsIn(ends)];
    };
    assert.deepEqual(await requestsFor(listed), [false, [id]]);
    assert.deepEqual(await requestsFor(listed, missing), [false, [id]]);
    assert.deepEqual(await requestsFor(missing), [true, []]);
    assert.deepEqual(await requestsFor(account), [true, [id]]);
    assert.equal(services.accounts.get(thisMachineAccount.id), undefined);
    await server.stop();
  });

  it('is skipped as a browser on this machine while the account for its port can’t be listed', async () => {
    const port = await freePort();
    running = [someSession('browser', { local: localBrowser({ port }) })];
    const { services, protections, parts } = open();
    const chrome = await services.add('localChrome', `http://127.0.0.1:${port}`);
    const before = await planEndOfAll(parts);
    assert.deepEqual(idsIn(before.ends), ['browser']);
    assert.deepEqual(before.unknown, [
      "Couldn't list the sessions in Local Chrome · localChrome. They run in a browser that is listed here, and will end with it.",
    ]);
    await protections.set(chrome, [sessionId('context')], true);
    await protections.set(accountIdOf('elsewhere'), [sessionId('context')], true);
    const plan = await planEndOfAll(parts);
    assert.deepEqual([idsIn(plan.ends), idsIn(plan.leftOut)], [[], ['browser']]);
  });
});
