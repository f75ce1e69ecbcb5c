import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Memory } from '../../../src/core/storage.ts';
import { OrderedMemory } from '../../../src/services/orderedMemory.ts';

/** Stores values as a busy VS Code does: an update counts at once, is sent later with all others, and comes back. */
class EchoingMemory implements Memory {
  stored: Readonly<Record<string, unknown>> = {};
  /** How often all of it was sent. */
  sent = 0;
  /** Resolves when it is sent for the first time, a moment before it comes back. */
  readonly firstSent = Promise.withResolvers<void>();
  refuse = false;
  #value: Record<string, unknown> = {};
  #sending: Promise<void> | undefined;

  get(key: string): unknown {
    return this.#value[key];
  }

  update(key: string, value: unknown): Promise<void> {
    this.#value[key] = value;
    this.#sending ??= this.#send();
    return this.#sending;
  }

  async #send(): Promise<void> {
    await sleep(30);
    this.#sending = undefined;
    if (this.refuse) throw new Error('disk full');
    this.sent += 1;
    this.stored = { ...this.#value };
    this.firstSent.resolve();
    await sleep(10);
    this.#value = { ...this.stored };
    await sleep(1);
  }
}

describe('storage with ordered writes', () => {
  let editor: EchoingMemory;
  let memory: OrderedMemory;

  beforeEach(() => {
    editor = new EchoingMemory();
    memory = new OrderedMemory(editor);
  });

  it('keeps what is updated while an earlier update is being written', async () => {
    const first = memory.update('minutes', 60);
    await editor.firstSent.promise;
    const others = [memory.update('minutes', 45), memory.update('accepted', ['anchor'])];
    assert.deepEqual([memory.get('minutes'), memory.get('accepted')], [45, ['anchor']]);
    await Promise.all([first, ...others]);
    assert.deepEqual(editor.stored, { minutes: 45, accepted: ['anchor'] });
    assert.deepEqual([memory.get('minutes'), memory.get('accepted')], [45, ['anchor']]);
  });

  it('combines updates made together, keeping the last value of each', async () => {
    await Promise.all([memory.update('a', 1), memory.update('b', 1), memory.update('a', 2)]);
    assert.deepEqual([editor.stored, editor.sent], [{ a: 2, b: 1 }, 1]);
  });

  it('reads deleted values as deleted before that is written', async () => {
    await memory.update('a', 1);
    const written = memory.update('a', undefined);
    assert.equal(memory.get('a'), undefined);
    await written;
    assert.deepEqual(editor.stored, { a: undefined });
  });

  it('reports a failed write to its caller, and continues', async () => {
    editor.refuse = true;
    await assert.rejects(memory.update('a', 1), /disk full/);
    editor.refuse = false;
    await memory.update('b', 2);
    assert.deepEqual(editor.stored, { a: 1, b: 2 });
  });
});
