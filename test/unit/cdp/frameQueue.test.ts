import { strict as assert } from 'node:assert';
import { FrameQueue } from '../../../src/cdp/frameQueue.ts';

/** A queue, the numbers of the frames that it passed on, and which pictures were acknowledged. */
function queueOf() {
  const queue = new FrameQueue();
  const handed: number[] = [];
  const shown: number[] = [];
  const acknowledged: number[] = [];
  queue.onFrame(({ number, jpeg: [content = -1] }) => {
    handed.push(number);
    shown.push(content);
  });
  const add = (content: number) =>
    queue.add({
      picture: { jpeg: Uint8Array.of(content), width: 1, height: 1 },
      acknowledge: () => acknowledged.push(content),
    });
  return { queue, handed, shown, acknowledged, add };
}

describe('the frame queue', () => {
  it('passes on two frames at once, and after that only the newest once one is drawn', () => {
    const { queue, handed, shown, acknowledged, add } = queueOf();
    for (const content of [10, 11, 12, 13]) add(content);
    assert.deepEqual(shown, [10, 11]);
    assert.deepEqual(acknowledged, []);
    queue.drawn(1);
    assert.deepEqual(shown, [10, 11, 13]);
    assert.deepEqual(handed, [1, 2, 3]);
    assert.deepEqual(acknowledged, [10]);
    queue.drawn(3);
    // The frame that was replaced while it waited is acknowledged together with its replacement.
    assert.deepEqual(acknowledged, [10, 11, 12, 13]);
  });

  it('acknowledges a frame at once when it shows the same as the one before it', () => {
    const { shown, acknowledged, add } = queueOf();
    add(10);
    add(10);
    assert.deepEqual(shown, [10]);
    assert.deepEqual(acknowledged, [10]);
  });

  it('doesn’t count a frame as drawn that was never passed on or was already drawn', () => {
    const { queue, acknowledged, add } = queueOf();
    add(10);
    for (const number of [0, 2, -1, Number.NaN, 1.5]) queue.drawn(number);
    assert.deepEqual(acknowledged, []);
    queue.drawn(1);
    queue.drawn(1);
    assert.deepEqual(acknowledged, [10]);
  });

  it('acknowledges nothing for a page that it was told to forget, and shows the next page’s identical picture', () => {
    const { queue, handed, shown, acknowledged, add } = queueOf();
    for (const content of [10, 11, 12]) add(content);
    queue.forget();
    queue.drawn(1);
    assert.deepEqual(acknowledged, []);
    add(12);
    assert.deepEqual(shown, [10, 11, 12]);
    // Numbers continue, so that none of the old page's is used again for the new one.
    assert.deepEqual(handed, [1, 2, 3]);
  });
});
