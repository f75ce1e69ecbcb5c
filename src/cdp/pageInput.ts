import type { Command, Params } from './protocol.ts';

/** Input to a page. Coordinates are CSS pixels of its viewport; modifiers are 1 Alt, 2 Ctrl, 4 Meta, 8 Shift. */
export type PageInput =
  | {
      readonly kind: 'mouse';
      readonly type: 'mousePressed' | 'mouseReleased' | 'mouseMoved';
      readonly x: number;
      readonly y: number;
      readonly button: 'none' | 'left' | 'middle' | 'right';
      readonly buttons: number;
      readonly clickCount: number;
      readonly modifiers: number;
    }
  | {
      readonly kind: 'wheel';
      readonly x: number;
      readonly y: number;
      readonly deltaX: number;
      readonly deltaY: number;
      readonly modifiers: number;
    }
  | {
      readonly kind: 'key';
      readonly type: 'keyDown' | 'rawKeyDown' | 'keyUp';
      readonly key: string;
      readonly code: string;
      readonly windowsVirtualKeyCode: number;
      /** The text that it types; empty if it types none. */
      readonly text: string;
      readonly modifiers: number;
      readonly location: number;
      readonly autoRepeat: boolean;
    }
  | { readonly kind: 'text'; readonly text: string };

/** A command that sends input to a page. */
type InputCommand = {
  readonly [C in Command & `Input.${string}`]: { readonly command: C; readonly params: Params<C> };
}[Command & `Input.${string}`];

/** The command that sends input to a page. */
export function inputCommand(input: PageInput): InputCommand {
  switch (input.kind) {
    case 'mouse': {
      const { kind: _, ...params } = input;
      return { command: 'Input.dispatchMouseEvent', params };
    }
    case 'wheel': {
      const { kind: _, ...params } = input;
      return { command: 'Input.dispatchMouseEvent', params: { type: 'mouseWheel', ...params } };
    }
    case 'key': {
      const { kind: _, text, ...params } = input;
      const typed = text === '' ? {} : { text, unmodifiedText: text };
      return { command: 'Input.dispatchKeyEvent', params: { ...params, ...typed } };
    }
    case 'text':
      return { command: 'Input.insertText', params: { text: input.text } };
  }
}
