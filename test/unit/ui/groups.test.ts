import { strict as assert } from 'node:assert';
import { systemClock } from '../../../src/core/clock.ts';
import { type AccountId, groupId, sessionId } from '../../../src/core/ids.ts';
import { History } from '../../../src/services/history/history.ts';
import { Protections } from '../../../src/services/sessions/protections.ts';
import type { EndParts } from '../../../src/ui/commands/ending.ts';
import { cancelBatch, deleteBatch } from '../../../src/ui/commands/groups.ts';
import type { Prompts } from '../../../src/ui/prompts.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { type AnchorServer, startAnchor } from '../../servers/anchor.ts';
import { MapMemory, TestServices } from '../services/testServices.ts';

describe('a whole batch', () => {
  let server: AnchorServer;
  let services: TestServices;
  let parts: EndParts;
  let accountId: AccountId;
  let messages: string[];
  /** What happens while the dialog is open. */
  let duringDialog: () => Promise<void>;

  beforeEach(async () => {
    messages = [];
    server = await startAnchor();
    services = new TestServices({ clock: systemClock, interval: 0 });
    accountId = await services.add('anchor', server.url, { apiKey: server.key });
    const { accounts, kinds, store, connections, refresher, ender, log, evidence } = services;
    const memory = new MapMemory(0);
    const prompts: Partial<Prompts> = {
      confirm: async ({ choices }) => {
        await duringDialog();
        return choices[0];
      },
      tell: async (_level, message) => void messages.push(message),
      note: () => {},
      busy: (_title, work) => work(() => {}),
    };
    parts = {
      ...{ accounts, kinds, store, connections, refresher, ender, evidence, logger: log, prompts },
      clock: systemClock,
      history: new History(memory, store, accounts, Date.now),
      filter: new TreeFilter({ accounts, kinds, store, memory }),
      protections: new Protections(memory, store),
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

  for (const [verb, work, status] of [
    ['deleted', deleteBatch, 'completed'],
    ['canceled', cancelBatch, 'processing'],
  ] as const) {
    it(`isn’t ${verb} if one of its sessions was protected while the dialog was open, as in another window`, async () => {
      const batch = server.addBatch(2, { id: 'batch_a', status });
      await services.refresher.refresh(accountId);
      const target = { accountId, groupId: groupId('batch_a') };
      duringDialog = () => parts.protections.set(accountId, [sessionId(batch.members[0]?.id ?? '')], true);
      await work(parts, [target]);
      assert.match(messages.join(), /has protected sessions: .*\. No request was sent\./);
      assert.equal(server.running.length, 2);
      assert.deepEqual(
        server.log().filter((line) => /^(DELETE|PATCH)/.test(line)),
        [],
      );
    });
  }
});
