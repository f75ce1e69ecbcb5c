import { strict as assert } from 'node:assert';
import { FrameQueue } from '../../../src/cdp/frameQueue.ts';
import { systemClock } from '../../../src/core/clock.ts';

/** A queue, the numbers of the frames that it passed on, and which pictures were acknowledged. */
function queueOf() {
  const now = { ms: 0 };
  const queue = new FrameQueue({ ...systemClock, monotonic: () => now.ms });
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
  /** Reports a frame as drawn, by its place among those that were passed on: numbers go on across queues. */
  const drawn = (place: number, isOnScreen?: boolean) => queue.drawn(handed[place - 1] ?? 0, isOnScreen);
  return { queue, handed, shown, acknowledged, add, drawn, now };
}

describe('the frame queue', () => {
  it('passes on two frames at once, and after that only the newest once one is drawn', () => {
    const { handed, shown, acknowledged, add, drawn } = queueOf();
    for (const content of [10, 11, 12, 13]) add(content);
    assert.deepEqual(shown, [10, 11]);
    assert.deepEqual(acknowledged, []);
    drawn(1);
    assert.deepEqual(shown, [10, 11, 13]);
    const [first = 0] = handed;
    assert.deepEqual(handed, [first, first + 1, first + 2]);
    assert.deepEqual(acknowledged, [10]);
    drawn(3);
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
    const { queue, handed, acknowledged, add, drawn } = queueOf();
    add(10);
    const [first = 0] = handed;
    for (const number of [0, first - 1, first + 1, -1, Number.NaN, first + 0.5]) queue.drawn(number);
    assert.deepEqual(acknowledged, []);
    drawn(1);
    drawn(1);
    assert.deepEqual(acknowledged, [10]);
  });

  it('acknowledges nothing for a page that it was told to forget, and shows the next page’s identical picture', () => {
    const { queue, handed, shown, acknowledged, add, drawn } = queueOf();
    for (const content of [10, 11, 12]) add(content);
    queue.forget();
    drawn(1);
    assert.deepEqual(acknowledged, []);
    add(12);
    assert.deepEqual(shown, [10, 11, 12]);
    // Numbers continue, so that none of the old page's is used again for the new one.
    assert.equal(new Set(handed).size, 3);
    const other = queueOf();
    other.add(10);
    assert.ok((other.handed[0] ?? 0) > Math.max(...handed), 'nor those of another queue');
  });

  it('knows for how long the page has been on the screen', () => {
    const { queue, add, drawn, now } = queueOf();
    add(10);
    assert.equal(queue.seenForMs, undefined);
    drawn(1, false);
    assert.equal(queue.seenForMs, undefined, 'it couldn’t be drawn');
    add(11);
    drawn(2);
    now.ms = 700;
    assert.equal(queue.seenForMs, 700);
    queue.forget();
    add(12);
    drawn(1);
    assert.equal(queue.seenForMs, undefined, 'that was a frame of the previous page');
    drawn(3);
    assert.equal(queue.seenForMs, 0);
  });
});
