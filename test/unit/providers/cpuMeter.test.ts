import { strict as assert } from 'node:assert';
import { sessionId } from '../../../src/core/ids.ts';
import { CpuMeter } from '../../../src/providers/local/cpuMeter.ts';

describe('the processor time of a browser', () => {
  const id = sessionId('1-1');
  const after = (...measured: readonly (readonly [cpuMs: number, at: number])[]) => {
    const meter = new CpuMeter();
    return measured.map(([cpuMs, at]) => meter.measure(new Map([[id, cpuMs]]), at).get(id)).at(-1);
  };

  it('is unknown at the first list, and a percentage of one core from the second list on', () => {
    assert.equal(after([5_000, 0]), undefined);
    assert.equal(after([5_000, 0], [6_000, 2_000]), 50);
    assert.equal(after([5_000, 0], [9_000, 2_000]), 200);
    assert.equal(after([5_000, 0], [5_010, 2_000]), 0);
  });

  it('doesn’t change while lists follow each other quickly, and isn’t negative after child processes have ended', () => {
    assert.equal(after([5_000, 0], [6_000, 2_000], [6_500, 2_100]), 50);
    assert.equal(after([5_000, 0], [6_000, 2_000], [6_500, 2_100], [7_000, 4_000]), 50);
    assert.equal(after([5_000, 0], [3_000, 2_000]), 0);
  });

  it('doesn’t jump between two steps because of noise', () => {
    // 36 and 39 percent alternately; 37.5 is halfway between two steps.
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
