import { strict as assert } from 'node:assert';
import { sessionId } from '../../../src/core/ids.ts';
import { CpuMeter } from '../../../src/providers/local/cpuMeter.ts';

describe('the processor time of a browser', () => {
  const id = sessionId('1-1');
  const after = (...measured: readonly (readonly [cpuMs: number, at: number])[]) => {
    const meter = new CpuMeter();
    return measured.map(([cpuMs, at]) => meter.measure(new Map([[id, cpuMs]]), at).get(id)).at(-1);
  };

  it('isn’t known from the first list, and is a share of a core from the second on', () => {
    assert.equal(after([5_000, 0]), undefined);
    assert.equal(after([5_000, 0], [6_000, 2_000]), 50);
    assert.equal(after([5_000, 0], [9_000, 2_000]), 200);
    assert.equal(after([5_000, 0], [5_010, 2_000]), 0);
  });

  it('stays what it was while lists follow each other quickly, and where child processes have ended', () => {
    assert.equal(after([5_000, 0], [6_000, 2_000], [6_500, 2_100]), 50);
    assert.equal(after([5_000, 0], [6_000, 2_000], [6_500, 2_100], [7_000, 4_000]), 50);
    assert.equal(after([5_000, 0], [3_000, 2_000]), 0);
  });

  it('doesn’t move between two steps for noise', () => {
    // 36 and 39 per cent in turns; 37.5 is half-way between two steps.
    const listed = Array.from({ length: 20 }, (_, at) => [at * 750 + (at % 2) * 30, at * 2_000] as const);
    const shown = listed.map((_, at) => after(...listed.slice(0, at + 1))).slice(2);
    assert.equal(new Set(shown).size, 1, shown.join());
  });

  it('is forgotten with its browser', () => {
    const meter = new CpuMeter();
    meter.measure(new Map([[id, 0]]), 0);
    meter.measure(new Map(), 2_000);
    assert.equal(meter.measure(new Map([[id, 10_000]]), 4_000).size, 0);
  });
});
