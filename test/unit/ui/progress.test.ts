import { strict as assert } from 'node:assert';
import { progressSentence } from '../../../src/ui/text/outcomes.ts';

describe('the progress of a bulk end', () => {
  it('counts what is settled, and shows the rate and time left after two seconds', () => {
    const total = 400;
    const sentences = [
      [{ total, sent: 0, settled: 0 }, 5_000, '0 of 400'],
      [{ total, sent: 90, settled: 0 }, 1_999, '0 of 400'],
      [{ total, sent: 90, settled: 0 }, 2_000, '0 of 400, 45 per second, 7 s left'],
      [{ total, sent: 100, settled: 3 }, 10_000, '3 of 400, 10 per second, 30 s left'],
      [{ total, sent: 33, settled: 0 }, 10_000, '0 of 400, 3.3 per second, 2 min left'],
      [{ total, sent: 1, settled: 0 }, 60_000, '0 of 400, 1 per minute, 399 min left'],
      [{ total, sent: 399, settled: 0 }, 10_000, '0 of 400, 40 per second, 1 s left'],
      // All is sent: how long a provider takes to end them is unknown.
      [{ total, sent: 400, settled: 250 }, 10_000, '250 of 400'],
      [{ total, sent: 400, settled: 400 }, 10_000, '400 of 400'],
    ] as const;
    for (const [progress, elapsedMs, sentence] of sentences) {
      assert.equal(progressSentence(progress, elapsedMs), sentence);
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
