import * as vscode from 'vscode';
import type { Clock } from '../../core/clock.ts';

/**
 * VS Code doesn't tell an extension what has the keyboard: it may be a terminal. Somebody who moved the caret of a text
 * editor this recently is taken to be in it.
 */
const inEditorMs = 10_000;
/** Somebody who typed this recently in a text editor is taken to go on typing there. */
const typingMs = 3_000;
/**
 * Somebody who is typing presses the next key within this time. The focus moves right after a key, so that it's there
 * before the next one: a key that comes while it moves would be typed after the one behind it.
 */
const nextKeyMs = 150;
const focusGroup = ['First', 'Second', 'Third', 'Fourth', 'Fifth', 'Sixth', 'Seventh', 'Eighth'];

/** Gives the keyboard back to the text editor that had it before a watched viewer took it. */
export class KeyboardReturn implements vscode.Disposable {
  readonly #clock: Clock;
  readonly #subscriptions: vscode.Disposable[];
  #last: { readonly editor: vscode.TextEditor; readonly at: number } | undefined;
  /** What is typed comes after the focus, and in the order of its keys. */
  #turn: Promise<unknown> = Promise.resolve();
  #given = false;
  #onKey: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#subscriptions = [
      vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
        // Extensions move carets, too.
        if (kind === vscode.TextEditorSelectionChangeKind.Command || kind === undefined) return;
        this.#last = { editor: textEditor, at: clock.now() };
      }),
      vscode.window.onDidChangeActiveTerminal(() => {
        this.#last = undefined;
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Focuses the text editor that the person was in. Where they weren't in one, the focus stays where it is. */
  giveBack(): Promise<void> {
    const key = new Promise<void>((resolve) => {
      this.#onKey = resolve;
      this.#clock.after(nextKeyMs, resolve);
    });
    return this.#next(async () => {
      this.#given = false;
      await key;
      const last = this.#last;
      if (last === undefined || this.#clock.now() - last.at > inEditorMs) return;
      if (!vscode.window.visibleTextEditors.includes(last.editor)) return;
      const group = focusGroup[(last.editor.viewColumn ?? 0) - 1];
      await vscode.commands.executeCommand(`workbench.action.focus${group ?? 'Active'}EditorGroup`);
      this.#given = this.#clock.now() - last.at <= typingMs;
    });
  }

  /** Types what was on its way to the text editor that {@link giveBack} has just focused, or else forgets it. */
  type(text: string): Promise<void> {
    this.#onKey();
    return this.#next(async () => {
      if (this.#given) await vscode.commands.executeCommand('type', { text });
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
