import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { EndedSession, History } from '../../services/history/history.ts';
import type { SessionsView } from '../../services/sessions/sessionsView.ts';
import { endedRow } from './endedRow.ts';

const viewId = 'browserSessions.ended';

/** Opens the view "Recently Ended". Its rows are targets that commands accept. */
export function openEndedView(history: History, store: SessionsView, now: () => number): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.TreeDataProvider<EndedSession> = {
    onDidChangeTreeData: changed.event,
    getChildren: (row) => (row === undefined ? [...history.all] : []),
    getTreeItem: (ended) => endedItem(ended, store, now()),
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

function endedItem(ended: EndedSession, store: SessionsView, now: number): vscode.TreeItem {
  const row = endedRow(ended, store, now);
  const item = new vscode.TreeItem(row.label);
  item.id = row.id;
  item.description = row.description;
  item.contextValue = row.contextValue;
  item.accessibilityInformation = { label: row.aria };
  if (row.icon?.color !== undefined) {
    item.iconPath = new vscode.ThemeIcon(row.icon.id, new vscode.ThemeColor(row.icon.color));
  }
  item.tooltip = row.tooltip;
  return item;
}
