import { strict as assert } from 'node:assert';
import { fromPanel, identityOf } from '../../../../src/ui/liveView/messages.ts';

const mouse = {
  kind: 'mouse',
  type: 'mousePressed',
  x: 1,
  y: 2,
  button: 'left',
  buttons: 1,
  clickCount: 1,
  modifiers: 0,
};

const key = {
  kind: 'key',
  type: 'keyDown',
  key: 'a',
  code: 'KeyA',
  windowsVirtualKeyCode: 65,
  text: 'a',
  modifiers: 0,
  location: 0,
  autoRepeat: false,
};
const wheel = { kind: 'wheel', x: 1, y: 2, deltaX: 0, deltaY: -120, modifiers: 8 };

describe('messages of a live view panel', () => {
  it('cover every kind of mouse, wheel and key event, and no other', () => {
    const inputs = [
      ...['mousePressed', 'mouseReleased', 'mouseMoved'].map((type) => ({ ...mouse, type })),
      ...['none', 'left', 'middle', 'right'].map((button) => ({ ...mouse, button })),
      wheel,
      ...['keyDown', 'rawKeyDown', 'keyUp'].map((type) => ({ ...key, type })),
    ];
    for (const input of inputs) assert.deepEqual(fromPanel({ type: 'input', input }), { type: 'input', input });
    const others = [
      { ...mouse, type: '' },
      { ...mouse, button: '' },
      { ...mouse, button: 'back' },
      { ...key, type: '' },
      { ...key, type: 'char' },
      { ...key, text: 'x'.repeat(101) },
      { ...key, autoRepeat: 1 },
      { ...key, modifiers: -1 },
      { ...key, modifiers: 1.5 },
      { ...wheel, deltaY: Number.POSITIVE_INFINITY },
      { ...wheel, kind: '' },
      { kind: 'text', text: 'x'.repeat(1_000_001) },
    ];
    for (const input of others) assert.equal(fromPanel({ type: 'input', input }), undefined, JSON.stringify(input));
  });

  it('cover every button that a panel has, and no other', () => {
    const buttons = [
      'reload',
      'mode',
      'copyLink',
      'openIn',
      'openExternal',
      'endSession',
      'watch',
      'openOnce',
      'frameAnyway',
      'openRecording',
      'openDashboard',
      'showNext',
      'close',
      'understood',
      'hideHint',
      'acceptDialog',
      'dismissDialog',
    ];
    const byPointer = false;
    for (const button of buttons) {
      assert.deepEqual(fromPanel({ type: 'button', button, byPointer }), { type: 'button', button, byPointer });
    }
    for (const button of ['', 'endAll', 7]) assert.equal(fromPanel({ type: 'button', button, byPointer }), undefined);
  });

  it('are a closed set', () => {
    for (const good of [
      { type: 'ready', size: { width: 800, height: 600 } },
      { type: 'resized', size: null },
      { type: 'drawn', number: 7, isOnScreen: true },
      { type: 'button', button: 'endSession', byPointer: true },
      { type: 'page', id: '' },
      { type: 'page', id: '0EE3405F' },
      { type: 'input', input: mouse },
      { type: 'input', input: { kind: 'text', text: 'x'.repeat(100_000) } },
      { type: 'paste' },
      { type: 'disconnectMessage' },
      { type: 'keyboardTaken', number: 1, hadFocus: false, paused: true },
      { type: 'stray', text: 'x' },
    ]) {
      assert.deepEqual(fromPanel(good), good);
    }
    for (const bad of [
      undefined,
      null,
      'ready',
      {},
      { type: 'eval', code: '1' },
      { type: 'ready' },
      { type: 'ready', size: { width: 0, height: -1 } },
      { type: 'button', button: 'command:workbench.action.quit', byPointer: true },
      { type: 'button', button: 'endSession' },
      { type: 'page', id: 'all' },
      { type: 'page', id: '../x' },
      { type: 'drawn', number: '7', isOnScreen: true },
      { type: 'drawn', number: 7 },
      { type: 'input', input: { ...mouse, type: 'mouseWheel' } },
      { type: 'input', input: { ...mouse, x: Number.NaN } },
      { type: 'input', input: { ...mouse, modifiers: 99 } },
      { type: 'input', input: { kind: 'key', method: 'Browser.close' } },
      { type: 'input', input: { kind: 'text', text: 7 } },
      { type: 'keyboardTaken', number: 1, hadFocus: 'no', paused: true },
      { type: 'stray', text: 'x'.repeat(101) },
    ]) {
      assert.equal(fromPanel(bad), undefined, JSON.stringify(bad));
    }
    // Unknown fields are dropped.
    assert.deepEqual(fromPanel({ type: 'input', input: { ...mouse, method: 'Browser.close' } }), {
      type: 'input',
      input: mouse,
    });
  });

  it('are validated when restored from a panel’s state, which anyone may have written', () => {
    const kept = { v: 1, accountId: 'a', sessionId: 's', pageId: 'p', startedAt: 1, keyAt: 2 };
    assert.deepEqual(identityOf(kept), kept);
    // Stored state never turns interacting on.
    assert.deepEqual(identityOf({ ...kept, mode: 'interact', url: 'https://evil.example', fits: false }), kept);
    assert.deepEqual(identityOf({ v: 1, accountId: 'a', sessionId: 's' }), {
      v: 1,
      accountId: 'a',
      sessionId: 's',
      pageId: undefined,
      startedAt: undefined,
      keyAt: undefined,
    });
    const wrong = { startedAt: 'today', keyAt: 'today' };
    assert.deepEqual(identityOf({ ...kept, ...wrong }), { ...kept, startedAt: undefined, keyAt: undefined });
    for (const bad of [
      undefined,
      'x',
      { ...kept, v: 2 },
      { ...kept, accountId: '' },
      { ...kept, sessionId: 'all' },
      { ...kept, sessionId: 'a/b' },
      { ...kept, pageId: '' },
    ]) {
      assert.equal(identityOf(bad), undefined, JSON.stringify(bad));
    }
  });
});
