import * as vscode from 'vscode';
import { FinishedBatches, type FinishedBatchesParts } from '../../services/sessions/finishedBatches.ts';
import { FinishedRows } from './finishedRows.ts';
import type { SessionsTree } from './sessionsTree.ts';

/** Finished batches and their rows. */
export interface FinishedView extends vscode.Disposable {
  readonly batches: FinishedBatches;
  readonly rows: FinishedRows;
}

/** Opens the part of the view that shows finished batches, and sets the context key for its menus. */
export function openFinishedView(parts: FinishedBatchesParts, tree: SessionsTree): FinishedView {
  const batches = new FinishedBatches(parts);
  const tell = () =>
    void vscode.commands.executeCommand('setContext', 'browserSessions.showsFinishedBatches', batches.isShown);
  tell();
  const subscription = batches.onDidChange((account) => {
    if (account !== undefined) tree.redraw(account);
    else {
      tell();
      tree.redrawAll();
    }
  });
  return {
    batches,
    rows: new FinishedRows(batches),
    dispose: () => {
      subscription.dispose();
      batches.dispose();
    },
  };
}
