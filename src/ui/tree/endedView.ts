import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { EndedSession, History } from '../../services/history/history.ts';
import type { SessionsView } from '../../services/sessions/sessionsView.ts';
import { endedRow } from './endedRow.ts';
import { itemOf } from './treeItem.ts';

const viewId = 'browserSessions.ended';

/** Opens the view "Recently Ended". Its rows are targets that commands accept. @param media the folder with our own icons. */
export function openEndedView(
  history: History,
  store: SessionsView,
  now: () => number,
  media: vscode.Uri,
): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.TreeDataProvider<EndedSession> = {
    onDidChangeTreeData: changed.event,
    getChildren: (row) => (row === undefined ? [...history.all] : []),
    getTreeItem: (ended) => endedItem(ended, store, now(), media),
  };
  const view = vscode.window.createTreeView(viewId, { treeDataProvider: provider });
  const describe = () => {
    // VS Code reserves space for a message that is undefined.
    view.message = history.all.length === 0 ? l10n.t('No sessions have ended yet.') : '';
  };
  describe();
  return vscode.Disposable.from(
    view,
    changed,
    history.onDidChange(() => {
      describe();
      changed.fire();
    }),
  );
}

function endedItem(ended: EndedSession, store: SessionsView, now: number, media: vscode.Uri): vscode.TreeItem {
  const row = endedRow(ended, store, now);
  return Object.assign(itemOf(row, media), { tooltip: row.tooltip });
}
