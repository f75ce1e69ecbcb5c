import { strict as assert } from 'node:assert';
import { progressSentence } from '../../../src/ui/text/outcomes.ts';
import { startAnchor } from '../../servers/anchor.ts';
import { TestServices } from '../services/testServices.ts';

describe('the progress of a bulk end', () => {
  it('counts what is requested and what is done, and shows the rate and time left after two seconds', () => {
    const total = 400;
    const sentences = [
      [{ total, sent: 0, settled: 0 }, 5_000, '0 of 400 requested'],
      [{ total, sent: 90, settled: 0 }, 1_999, '90 of 400 requested'],
      [{ total, sent: 90, settled: 0 }, 2_000, '90 of 400 requested, 45 per second, 7 s left'],
      [{ total, sent: 100, settled: 3 }, 10_000, '100 of 400 requested, 3 done, 10 per second, 30 s left'],
      [{ total, sent: 33, settled: 0 }, 10_000, '33 of 400 requested, 3.3 per second, 2 min left'],
      [{ total, sent: 1, settled: 0 }, 60_000, '1 of 400 requested, 1 per minute, 399 min left'],
      [{ total, sent: 399, settled: 0 }, 10_000, '399 of 400 requested, 40 per second, 1 s left'],
      // All is sent: how long a provider takes to end them is unknown.
      [{ total, sent: 400, settled: 250 }, 10_000, '400 of 400 requested, 250 done'],
      [{ total, sent: 400, settled: 400 }, 10_000, '400 of 400 requested, 400 done'],
    ] as const;
    for (const [progress, elapsedMs, sentence] of sentences) {
      assert.equal(progressSentence(progress, elapsedMs), sentence);
    }
  });

  it('moves with each session that a server ends one after the other', async () => {
    const server = await startAnchor();
    const services = new TestServices();
    try {
      const count = 12;
      for (let index = 0; index < count; index++) server.add();
      const id = await services.add('anchor', server.url, { apiKey: server.key });
      server.misbehave('DELETE', /./, { kind: 'oneByOne', ms: 20 });
      const sessions = [...(services.store.state(id)?.contents.sessions.values() ?? [])];
      const shown: string[] = [];
      const running: number[] = [];
      await services.ender.end(
        sessions.map((session) => ({ accountId: id, session })),
        {
          stop: new AbortController().signal,
          onProgress: (progress) => {
            running.push(server.running.length);
            shown.push(progressSentence(progress, 0));
          },
        },
      );
      assert.deepEqual(server.running, []);
      const requested = (sent: number) => `${sent} of ${count} requested`;
      for (let sent = 1; sent <= count; sent++) assert.ok(shown.includes(requested(sent)), shown.join());
      // Each was said while the server had still to end the others.
      assert.deepEqual(new Set(running.slice(0, count)).size >= count - 1, true, String(running));
      assert.equal(shown.at(-1), `${requested(count)}, ${count} done`);
    } finally {
      services.dispose();
      await server.stop();
    }
  });

  it('shows only valid numbers, whatever the clock does', () => {
    for (const elapsedMs of [0, -3_600_000, 3_600_000, Number.MIN_VALUE]) {
      for (const sent of [0, 1, 2]) {
        assert.doesNotMatch(progressSentence({ total: 2, sent, settled: 0 }, elapsedMs), /NaN|Infinity|-/);
      }
    }
  });
});
