import * as vscode from 'vscode';
import type { Clock } from '../../core/clock.ts';
import { RecentTyping } from './recentTyping.ts';

/**
 * How long after the keyboard was taken, in milliseconds, keys may arrive that were pressed before it was given back.
 */
const onTheirWayMs = 1_500;
/** Most attempts at an edit: VS Code rejects one if the text has changed in the meantime. */
const mostTries = 10;
const focusGroup = ['First', 'Second', 'Third', 'Fourth', 'Fifth', 'Sixth', 'Seventh', 'Eighth'];

/** Where to insert what was typed while the editor didn't have the keyboard. */
interface Gap {
  readonly editor: vscode.TextEditor;
  /** Monotonic milliseconds. */
  readonly closesAt: number;
  at: vscode.Selection | vscode.Position;
}

/**
 * Gives the keyboard back to the text editor that had it before a viewer in view-only mode took it, if that's certain.
 * Otherwise, text meant for a terminal or an input box could end up in a file, so what is typed is dropped instead.
 */
export class KeyboardReturn implements vscode.Disposable {
  readonly #clock: Clock;
  readonly #typing: RecentTyping<vscode.TextEditor>;
  readonly #subscriptions: vscode.Disposable[];
  /** Runs one step at a time: first the focus, then what was typed, in order. */
  #turn: Promise<unknown> = Promise.resolve();
  #gap: Gap | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#typing = new RecentTyping(clock);
    const forget = () => this.#typing.forget();
    this.#subscriptions = [
      this.#typing,
      vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
        if (kind === vscode.TextEditorSelectionChangeKind.Keyboard) this.#typing.note(textEditor);
        // Other changes don't count: extensions move carets too, wherever the user is.
        else if (kind === vscode.TextEditorSelectionChangeKind.Mouse) forget();
      }),
      vscode.window.onDidOpenTerminal(forget),
      vscode.window.onDidChangeActiveTerminal(forget),
      vscode.window.onDidChangeWindowState(({ focused }) => {
        if (!focused) forget();
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** Whether it's certain which text editor has the keyboard, or had it until it was taken a moment ago. */
  get canGiveBack(): boolean {
    return groupOf(this.#typing.editor) !== undefined;
  }

  /** Focuses the text editor that the user was typing in. If that isn't certain, the focus stays where it is. */
  giveBack(): Promise<void> {
    const editor = this.#typing.editor;
    return this.#next(async () => {
      this.#gap = undefined;
      const group = groupOf(editor);
      if (editor === undefined || group === undefined) return;
      this.#gap = { editor, at: editor.selection, closesAt: this.#clock.monotonic() + onTheirWayMs };
      await vscode.commands.executeCommand(`workbench.action.focus${group}EditorGroup`);
    });
  }

  /** Types text that was on its way to the editor that {@link giveBack} has just focused, or drops it. */
  type(text: string): Promise<void> {
    return this.#next(async () => {
      const gap = this.#gap;
      if (gap === undefined || this.#clock.monotonic() > gap.closesAt) return;
      if (takesText(gap.editor)) await fill(gap, text);
      else await vscode.commands.executeCommand('type', { text });
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/**
 * The editor group in which an editor is the one that gets the keyboard. VS Code doesn't tell that of one that isn't visible, or that
 * is only a part of another one: a side of a diff editor, a notebook's cell, or the Output panel.
 */
function groupOf(editor: vscode.TextEditor | undefined): string | undefined {
  if (editor === undefined || !vscode.window.visibleTextEditors.includes(editor)) return undefined;
  return focusGroup[(editor.viewColumn ?? 0) - 1];
}

/** Whether keys insert text. Extensions that treat keys as commands show another cursor while they do. */
function takesText({ options, selections }: vscode.TextEditor): boolean {
  return options.cursorStyle === vscode.TextEditorCursorStyle.Line && selections.length === 1;
}

/** Inserts text where the caret was. The caret may have moved since: keys pressed later are already in the editor. */
async function fill(gap: Gap, text: string): Promise<void> {
  const { editor, at } = gap;
  const undoStops = { undoStopBefore: false, undoStopAfter: false };
  for (let tries = 0; tries < mostTries; tries++) {
    const done = await editor.edit((edit) => {
      if (at instanceof vscode.Selection && !at.isEmpty) edit.replace(at, text);
      else edit.insert(at instanceof vscode.Selection ? at.active : at, text);
    }, undoStops);
    if (done) break;
  }
  const start = at instanceof vscode.Selection ? at.start : at;
  const lines = text.split('\n');
  const last = lines.at(-1) ?? '';
  gap.at =
    lines.length === 1
      ? start.translate(0, text.length)
      : new vscode.Position(start.line + lines.length - 1, last.length);
}
