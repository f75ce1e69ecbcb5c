import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { TreeNode } from './nodes.ts';

/** After this many milliseconds without a change, the menus of rows follow the selection. */
const settlesAfterMs = 50;
/** How often a keyboard shortcut checks, and how long it waits, until VS Code knows the rows again, in milliseconds. */
const askedAgainMs = 50;
const longestWaitMs = 2_000;
/** Takes the focused row, which VS Code fills in as the argument of a command. */
const takeFocusedCommand = 'browserSessions.takeFocusedRow';

/** What {@link RowSelection} needs of a view. */
export interface RowSelectionParts {
  readonly viewId: string;
  readonly view: Pick<vscode.TreeView<TreeNode>, 'selection' | 'onDidChangeSelection'>;
  /** Whether the session, group or account of a row is still there. */
  readonly isThere: (node: TreeNode) => boolean;
  /** Gives the selected rows other menus. */
  readonly showSelected: (nodes: readonly TreeNode[]) => void;
}

/**
 * Keeps track of the selected rows, for menus, and of the rows that a keyboard shortcut means.
 *
 * VS Code passes the row that last had the focus, even if none has it anymore, because the row went away and came back.
 * That's why our keybindings first toggle the focused row's selection twice, which changes the selection twice by that row. If
 * it doesn't change, no row has focus, and only the selected rows are highlighted.
 */
export class RowSelection implements vscode.Disposable {
  readonly #parts: RowSelectionParts;
  readonly #subscriptions: vscode.Disposable;
  #settling: NodeJS.Timeout | undefined;
  #focused: unknown;
  /** The latest two selections since the last key. */
  #changes: (readonly TreeNode[])[] = [];
  /** The last selection that VS Code reported. */
  #selected: readonly TreeNode[] = [];

  constructor(parts: RowSelectionParts) {
    this.#parts = parts;
    this.#subscriptions = vscode.Disposable.from(
      parts.view.onDidChangeSelection(({ selection }) => {
        this.#selected = selection;
        this.#changes = [...this.#changes.slice(-1), selection];
        clearTimeout(this.#settling);
        this.#settling = setTimeout(() => parts.showSelected(parts.view.selection), settlesAfterMs);
      }),
      vscode.commands.registerCommand(takeFocusedCommand, (row: unknown) => {
        this.#focused = row;
      }),
    );
  }

  dispose(): void {
    clearTimeout(this.#settling);
    this.#subscriptions.dispose();
  }

  /**
   * Replaces what our keybindings pass with what a menu passes: the focused row and, if it is selected, all selected rows.
   * If it isn't certain which rows are meant, there are none, and the user is asked. All other arguments stay as they are.
   */
  async argumentsOf(args: readonly unknown[]): Promise<readonly unknown[]> {
    const [focused, key] = args;
    const viewId: unknown = typeof key === 'object' && key !== null ? Reflect.get(key, 'keyboard') : undefined;
    if (typeof viewId !== 'string') return args;
    if (viewId !== this.#parts.viewId) return isFilledIn(focused) ? [focused] : [];
    return this.#rowsAtKey(focused);
  }

  /**
   * While VS Code requests rows again, it knows neither the focused row nor the selected ones. What it says later must agree
   * with what it passed, because by then the keyboard may be elsewhere.
   */
  async #rowsAtKey(passed: unknown): Promise<readonly unknown[]> {
    let row = this.#focusedRow(passed);
    for (let waitedMs = 0; waitedMs < longestWaitMs; waitedMs += askedAgainMs) {
      if (typeof row !== 'object') row = await this.#toggleAgain();
      const { selection } = this.#parts.view;
      const agrees = !isFilledIn(passed) || row === passed;
      if (typeof row === 'object') {
        if (!agrees) return [];
        if (!selection.includes(row)) return [row];
        if (this.#isWhole(selection)) return [row, selection];
      } else if (row === 'none' && this.#isWhole(selection)) {
        return agrees && selection.length > 0 ? [selection[0], selection] : [];
      }
      await sleep(askedAgainMs);
    }
    return [];
  }

  /** The row that the keybinding has just selected and deselected, if it's the one that VS Code passed. */
  #focusedRow(passed: unknown): TreeNode | 'none' | 'unknown' {
    const changes = this.#changes;
    this.#changes = [];
    if (changes.length === 0) return 'none';
    const [before, after] = changes.map((selection) => new Set(selection));
    if (before === undefined || after === undefined) return 'unknown';
    const toggled = [...before, ...after].filter((node) => before.has(node) !== after.has(node));
    const [row] = toggled;
    return row !== undefined && row === passed && toggled.length === 1 ? row : 'unknown';
  }

  async #toggleAgain(): Promise<TreeNode | 'none' | 'unknown'> {
    const args = { $treeViewId: this.#parts.viewId, $focusedTreeItem: true };
    const toggle = 'list.toggleSelection';
    this.#focused = undefined;
    this.#changes = [];
    await vscode.commands.executeCommand('runCommands', {
      commands: [toggle, toggle, { command: takeFocusedCommand, args }],
    });
    return this.#focusedRow(this.#focused);
  }

  /** Whether VS Code knows all selected rows that are still there. */
  #isWhole(selection: readonly TreeNode[]): boolean {
    const known = new Set(selection);
    return this.#selected.every((node) => known.has(node) || !this.#parts.isThere(node));
  }
}

/** Whether VS Code has put a row in place of the argument that asks for it. */
function isFilledIn(row: unknown): boolean {
  return typeof row === 'object' && row !== null && !('$treeViewId' in row);
}
