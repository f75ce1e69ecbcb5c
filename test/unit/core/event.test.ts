import { strict as assert } from 'node:assert';
import { Emitter, onListenerError } from '../../../src/core/event.ts';
import { until } from '../until.ts';

/** A listener that returns what no listener should. */
const ignored = (listener: () => unknown): (() => void) => listener;

describe('an event', () => {
  let reported: unknown[];
  let handler: { dispose(): void };

  beforeEach(() => {
    reported = [];
    handler = onListenerError((error) => reported.push(error));
  });
  afterEach(() => handler.dispose());

  it('reaches every listener even if one of them throws, and reports what it threw', () => {
    const emitter = new Emitter<number>();
    const heard: string[] = [];
    const fault = new Error('a listener of another extension');
    emitter.event((value) => heard.push(`first ${value}`));
    emitter.event(() => {
      throw fault;
    });
    emitter.event((value) => heard.push(`last ${value}`));
    emitter.fire(1);
    emitter.fire(2);
    assert.deepEqual(heard, ['first 1', 'last 1', 'first 2', 'last 2']);
    assert.deepEqual(reported, [fault, fault]);
  });

  it('reports a listener that fails later, whatever kind of promise it returns', async () => {
    const emitter = new Emitter<void>();
    const heard: string[] = [];
    emitter.event(
      ignored(async () => {
        await Promise.resolve();
        throw new Error('rejected');
      }),
    );
    emitter.event(
      ignored(() => {
        const then = (_: unknown, reject: (error: unknown) => void) => reject(new Error('a promise of its own'));
        return { then };
      }),
    );
    emitter.event(
      ignored(() => {
        return Object.defineProperty({}, 'then', {
          get: () => {
            throw new Error('not even that');
          },
        });
      }),
    );
    emitter.event(() => heard.push('last'));
    emitter.fire();
    assert.deepEqual(heard, ['last']);
    await until(() => reported.length === 3);
    assert.deepEqual(reported.map(String).sort(), [
      'Error: a promise of its own',
      'Error: not even that',
      'Error: rejected',
    ]);
  });

  it('continues when reporting an error fails', () => {
    handler.dispose();
    handler = onListenerError(() => {
      throw new Error('the log is closed');
    });
    const emitter = new Emitter<void>();
    let heard = 0;
    emitter.event(() => {
      throw new Error('first');
    });
    emitter.event(() => heard++);
    emitter.fire();
    assert.equal(heard, 1);
  });

  it('doesn’t reach listeners that were added while it was firing, or those already disposed', () => {
    const emitter = new Emitter<void>();
    const heard: string[] = [];
    emitter.event(() => {
      heard.push('first');
      emitter.event(() => heard.push('late'));
    });
    emitter.event(() => heard.push('gone')).dispose();
    emitter.fire();
    assert.deepEqual(heard, ['first']);
  });
});
