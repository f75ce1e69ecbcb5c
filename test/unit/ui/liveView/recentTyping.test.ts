import { strict as assert } from 'node:assert';
import { RecentTyping } from '../../../../src/ui/liveView/recentTyping.ts';
import { VirtualClock } from '../../services/virtualClock.ts';

describe('the text editor that has keyboard focus', () => {
  let clock: VirtualClock;
  let typing: RecentTyping<string>;
  beforeEach(() => {
    clock = new VirtualClock();
    typing = new RecentTyping(clock);
  });
  afterEach(() => typing.dispose());

  const pass = (ms: number) => clock.until(clock.wait(ms), ms);
  async function type(editor: string, everyMs: number, keys = 3): Promise<void> {
    for (let key = 0; key < keys; key++) {
      if (key > 0) await pass(everyMs);
      typing.note(editor);
    }
  }

  it('is the one that keys were typed in within the last 300 ms', async () => {
    await type('notes', 200);
    await pass(300);
    assert.equal(typing.editor, 'notes');
    await pass(1);
    assert.equal(typing.editor, undefined);
  });

  it('is the last one that was typed in', async () => {
    await type('notes', 100);
    await type('letter', 100);
    assert.equal(typing.editor, 'letter');
  });

  it('is unknown after a single key, which may have been pressed long before it was reported', async () => {
    await type('notes', 0, 1);
    assert.equal(typing.editor, undefined);
    await pass(5_000);
    await type('notes', 0, 1);
    assert.equal(typing.editor, undefined);
  });

  it('is unknown when keys are reported late because the extension host was busy', async () => {
    await type('notes', 100);
    await pass(100);
    clock.block(400);
    typing.note('notes');
    typing.note('notes');
    assert.equal(typing.editor, undefined);
    await pass(200);
    typing.note('notes');
    assert.equal(typing.editor, 'notes');
  });

  it('is unknown once the user has moved elsewhere', async () => {
    await type('notes', 100);
    typing.forget();
    assert.equal(typing.editor, undefined);
  });

  it('needs no timer while no one types', async () => {
    let timers = 0;
    const after = (ms: number, run: () => void) => {
      timers++;
      return clock.after(ms, run);
    };
    typing = new RecentTyping({ ...clock, after });
    await type('notes', 100);
    await pass(2_100);
    const before = timers;
    await pass(60_000);
    assert.equal(timers, before);
  });
});
