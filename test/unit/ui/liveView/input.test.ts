import { strict as assert } from 'node:assert';
import { isPaste, keyInput, modifiersOf, mouseInput, pointOf, wheelInput } from '../../../../media/input.js';

const none = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false };
const key = (name: string, more: object = {}) => ({
  key: name,
  code: `Key${name.toUpperCase()}`,
  keyCode: name.toUpperCase().charCodeAt(0),
  location: 0,
  repeat: false,
  ...none,
  ...more,
});

describe('input to a live view', () => {
  it('lands where the image shows it, at any size', () => {
    const page = { width: 1280, height: 720 };
    const drawn = { left: 100, top: 50, width: 320, height: 180 };
    assert.deepEqual(pointOf({ clientX: 100, clientY: 50 }, drawn, page), { x: 0, y: 0 });
    assert.deepEqual(pointOf({ clientX: 260, clientY: 140 }, drawn, page), { x: 640, y: 360 });
    assert.deepEqual(pointOf({ clientX: 9_999, clientY: -5 }, drawn, page), { x: 1280, y: 0 });
  });

  it('distinguishes buttons, clicks and drags', () => {
    const at = { x: 1, y: 2 };
    const event = { button: 2, buttons: 2, detail: 2, ...none, shiftKey: true };
    assert.deepEqual(mouseInput('mousePressed', event, at), {
      kind: 'mouse',
      type: 'mousePressed',
      x: 1,
      y: 2,
      button: 'right',
      buttons: 2,
      clickCount: 2,
      modifiers: 8,
    });
    // A move has no button of its own; a held button makes it a drag.
    const moved = { button: 0, detail: 0, ...none };
    assert.equal((mouseInput('mouseMoved', { ...moved, buttons: 0 }, at) as { button: string }).button, 'none');
    assert.equal((mouseInput('mouseMoved', { ...moved, buttons: 1 }, at) as { button: string }).button, 'left');
    assert.equal(modifiersOf({ altKey: true, ctrlKey: true, metaKey: true, shiftKey: true }), 15);
  });

  it('scrolls by pixels, lines or pages', () => {
    const event = { deltaX: 1, deltaY: -2, ...none };
    const page = { width: 100, height: 500 };
    const deltas = [0, 1, 2].map((deltaMode) => wheelInput({ ...event, deltaMode }, { x: 0, y: 0 }, page));
    assert.deepEqual(
      deltas.map((input) => (input.kind === 'wheel' ? [input.deltaX, input.deltaY] : [])),
      [
        [1, -2],
        [16, -32],
        [500, -1000],
      ],
    );
  });

  it('types text for keys that produce it, and presses the others', () => {
    const down = (event: ReturnType<typeof key>) => {
      const input = keyInput('down', event);
      assert.equal(input.kind, 'key');
      return input.kind === 'key' ? [input.type, input.text] : [];
    };
    assert.deepEqual(down(key('a')), ['keyDown', 'a']);
    assert.deepEqual(down(key('ß')), ['keyDown', 'ß']);
    assert.deepEqual(down(key('🌙')), ['keyDown', '🌙']);
    assert.deepEqual(down(key('Enter')), ['keyDown', '\r']);
    assert.deepEqual(down(key('ArrowLeft')), ['rawKeyDown', '']);
    assert.deepEqual(down(key('a', { ctrlKey: true })), ['rawKeyDown', '']);
    const altGr = { ctrlKey: true, altKey: true, getModifierState: (name: string) => name === 'AltGraph' };
    assert.deepEqual(down(key('@', altGr)), ['keyDown', '@']);
    assert.deepEqual(keyInput('up', key('a')), {
      kind: 'key',
      type: 'keyUp',
      key: 'a',
      code: 'KeyA',
      windowsVirtualKeyCode: 65,
      text: '',
      modifiers: 0,
      location: 0,
      autoRepeat: false,
    });
  });

  it('recognizes paste shortcuts', () => {
    assert.ok(isPaste(key('v', { ctrlKey: true })) && isPaste(key('v', { metaKey: true })));
    assert.ok(isPaste(key('V', { ctrlKey: true, shiftKey: true })) && isPaste(key('Insert', { shiftKey: true })));
    assert.ok(!isPaste(key('v')) && !isPaste(key('v', { ctrlKey: true, altKey: true })) && !isPaste(key('Insert')));
  });
});
