import { strict as assert } from 'node:assert';
import { accountId } from '../../../src/core/ids.ts';
import { concluded, type ReportParts } from '../../../src/ui/commands/endReports.ts';
import type { Prompts } from '../../../src/ui/prompts.ts';
import { TestServices } from '../services/testServices.ts';
import { someSession } from '../sessions.ts';

describe('the report about one ended session', () => {
  it('is in the status bar, or in a notification if how it ended takes more room', () => {
    const services = new TestServices();
    const [notes, notifications]: [string[], string[]] = [[], []];
    const prompts: Partial<Prompts> = {
      note: (text) => void notes.push(text),
      tell: async (_level, text) => void notifications.push(text),
    };
    const { accounts, kinds, store, log: logger } = services;
    const parts: ReportParts = { accounts, kinds, store, logger, prompts: prompts as Prompts, showLog: () => {} };
    const end = (how: string | undefined) => {
      const session = someSession('guest');
      const result = {
        accountId: accountId('a'),
        session,
        outcome: 'ended',
        why: undefined,
        attempts: 1,
        ms: 1,
      } as const;
      concluded(parts, { results: [{ ...result, how }] }, async () => {});
    };
    end(undefined);
    end('Stagehand ended it.');
    end('Its browser runs at a cloud provider. Check there whether it has ended.');
    assert.deepEqual(notes, ['Session guest ended.', 'Session guest ended. Stagehand ended it.']);
    assert.deepEqual(notifications, [
      'Session guest ended. Its browser runs at a cloud provider. Check there whether it has ended.',
    ]);
    services.dispose();
  });
});
