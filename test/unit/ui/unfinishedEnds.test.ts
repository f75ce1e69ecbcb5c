import { strict as assert } from 'node:assert';
import { sessionId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { ThisMachineAccount, thisMachineAccount } from '../../../src/services/accounts/thisMachineAccount.ts';
import { EndJournal } from '../../../src/services/ending/journal.ts';
import { unfinishedKey } from '../../../src/services/ending/unfinished.ts';
import { reviewUnfinishedEnds, type UnfinishedParts } from '../../../src/ui/commands/unfinishedEnds.ts';
import { leaveBehind } from '../../host/leftBehind.ts';
import { startAnchor } from '../../servers/anchor.ts';
import { startGateway } from '../../servers/gateway.ts';
import { fastClock, MapMemory, TestServices } from '../services/testServices.ts';
import { until } from '../until.ts';

describe('ends that a closed window left unfinished', () => {
  it('are reported as missing, not as more than nothing, if no list has them and their provider can’t say', async () => {
    const server = await startGateway();
    const memory = new MapMemory(0);
    const clock = fastClock(20);
    const services = new TestServices({ clock, memory });
    const accountId = await services.add('gateway', server.url, { authorization: server.authorization });
    server.misbehave('GET', /sessions\/s1$/, { kind: 'answer', answer: { status: 500, json: {} } });
    const left = [{ accountId, sessionId: 's1', keyAt: await services.accounts.keyAt(accountId) }];
    memory.values.set(unfinishedKey, { run: { at: Date.now() - 60_000, total: 1, left } });
    const told: string[] = [];
    const prompts = { tell: async (_: unknown, message: string) => void told.push(message) };
    const ownMachine = { show: () => {} };
    const { log: logger } = services;
    await reviewUnfinishedEnds({ ...services, clock, logger, ownMachine, prompts } as unknown as UnfinishedParts);
    assert.deepEqual(told, [
      'The window closed while 1 session was ending. 1 session is missing from the latest list. It may still be running.',
    ]);
    services.dispose();
    await server.stop();
  });

  it('are reported as missing if the account got another key since, which may not find them', async () => {
    const server = await startAnchor();
    server.add({ id: 'sess_old' });
    const memory = new MapMemory(0);
    const clock = fastClock(20);
    const services = new TestServices({ clock, memory });
    const accountId = await services.add('anchor', server.url, { apiKey: server.key });
    const session = services.store.session(accountId, sessionId('sess_old')) ?? assert.fail();
    await services.journal.begin([{ accountId, session }]);
    const stored = memory.values.get(unfinishedKey) as Record<string, { at: number }>;
    const old = Object.entries(stored).map(([id, run]) => [id, { ...run, at: Date.now() - 60_000 }]);
    // The window is gone, so it doesn't update its entry.
    const later = new MapMemory(0);
    later.values.set(unfinishedKey, Object.fromEntries(old));
    // The other team's key lists nothing, and the session goes on running.
    server.sessions.clear();
    await services.accounts.replaceCredentials(accountId, { apiKey: server.key });
    const told: string[] = [];
    const prompts = { tell: async (_: unknown, message: string) => void told.push(message) };
    const { log: logger } = services;
    const again = { ...services, journal: new EndJournal(later, clock, services.log), clock, logger, prompts };
    await reviewUnfinishedEnds({ ...again, ownMachine: { show: () => {} } } as unknown as UnfinishedParts);
    assert.deepEqual(told, [
      'The window closed while 1 session was ending. 1 session is missing from the latest list. It may still be running.',
    ]);
    services.dispose();
    await server.stop();
  });
});

(process.platform === 'linux' ? describe : describe.skip)(
  'ends that a closed window left unfinished (Linux only)',
  () => {
    it('are reported for browsers of this machine, whose account isn’t there yet', async () => {
      const browser = await leaveBehind();
      const clock = fastClock(1);
      const memory = new MapMemory(0);
      const machineParts = {
        place: undefined,
        clock,
        isEnabled: () => true,
        interval: () => 10_000,
        find: async () => true,
      };
      const before = new TestServices({ clock });
      before.accounts.offer(thisMachineAccount);
      let session: Session | undefined;
      await until(async () => {
        await before.refresher.refresh(thisMachineAccount.id);
        const listed = [...(before.store.state(thisMachineAccount.id)?.contents.sessions.values() ?? [])];
        session = listed.find(({ id }) => id.startsWith(`${browser.pid}-`));
        return session !== undefined;
      });
      before.dispose();
      assert.ok(session);
      // The machine's clock was set forward since: on Linux, all starts move with it.
      const startedAt = (session.startedAt ?? 0) - 3_600_000;
      const left = [{ accountId: thisMachineAccount.id, sessionId: session.id, startedAt }];
      memory.values.set(unfinishedKey, { run: { at: Date.now() - 60_000, total: 1, left } });

      const services = new TestServices({ clock, memory });
      const ownMachine = new ThisMachineAccount({ ...services, ...machineParts });
      const told: { readonly message: string; readonly buttons: readonly string[] }[] = [];
      const prompts = {
        tell: async (_: unknown, message: string, buttons: readonly string[]) => void told.push({ message, buttons }),
      };
      const { log: logger } = services;
      await reviewUnfinishedEnds({ ...services, clock, logger, ownMachine, prompts } as unknown as UnfinishedParts);
      assert.deepEqual(told, [
        { message: 'The window closed while 1 session was ending. 1 session is still running.', buttons: ['Review'] },
      ]);
      browser.stop();
      ownMachine.dispose();
      services.dispose();
    });

    it('are reported for browsers of this machine even if they are hidden since, and once', async () => {
      const left = ['1-1', '2-1'].map((sessionId) => ({ accountId: thisMachineAccount.id, sessionId }));
      const memory = new MapMemory(0);
      memory.values.set(unfinishedKey, { run: { at: Date.now() - 60_000, total: 3, left } });
      const clock = fastClock(1);
      const services = new TestServices({ clock, memory });
      const ownMachine = new ThisMachineAccount({
        ...services,
        place: undefined,
        clock,
        isEnabled: () => false,
        interval: () => 10_000,
        find: async () => true,
      });
      const told: string[] = [];
      const prompts = { tell: async (_: unknown, message: string) => void told.push(message) };
      const parts = { ...services, clock, logger: services.log, ownMachine, prompts } as unknown as UnfinishedParts;
      await reviewUnfinishedEnds(parts);
      await reviewUnfinishedEnds(parts);
      assert.deepEqual(told, [
        "The window closed while 3 sessions were ending. Couldn't list the sessions in This Machine, so 2 sessions may still be running. " +
          'Browsers on this machine are hidden. To show them, turn on browserSessions.thisMachine.enabled.',
      ]);
      assert.equal(memory.values.get(unfinishedKey), undefined);
      ownMachine.dispose();
      services.dispose();
    });
  },
);
