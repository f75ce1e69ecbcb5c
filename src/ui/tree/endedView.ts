import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { plainText } from '../../core/plainText.ts';
import type { EndedSession, History } from '../../services/history.ts';
import { longAge, shortAge, timeOfDay } from '../words/ages.ts';
import { shortId } from '../words/names.ts';

const viewId = 'browserSessions.ended';
const dayMs = 86_400_000;

/** Opens the view "Recently Ended". Its rows name what they stand for as targets of commands do. */
export function openEndedView(history: History, now: () => number): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.TreeDataProvider<EndedSession> = {
    onDidChangeTreeData: changed.event,
    getChildren: (row) => (row === undefined ? [...history.all] : []),
    getTreeItem: (ended) => endedItem(ended, now()),
  };
  const view = vscode.window.createTreeView(viewId, { treeDataProvider: provider });
  const describe = () => {
    // VS Code keeps the room of a message that is undefined.
    view.message = history.all.length === 0 ? l10n.t('Nothing has ended yet.') : '';
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

function endedItem(ended: EndedSession, now: number): vscode.TreeItem {
  const { sessionId: id, name, account, startedAt, startIsExact, endedAt, by } = ended;
  const label = plainText(name ?? '') || shortId(id);
  const at = now - endedAt < dayMs ? timeOfDay(endedAt) : new Date(endedAt).toLocaleDateString();
  const ran = shortAge(endedAt - startedAt);
  const how = by === 'you' ? l10n.t('by you') : l10n.t('by itself or by others');
  const item = new vscode.TreeItem(label);
  item.id = `ended/${ended.accountId}/${id}/${endedAt}`;
  item.description = [at, startIsExact ? l10n.t('ran {0}', ran) : l10n.t('seen for {0}', ran), how].join(' · ');
  item.iconPath = new vscode.ThemeIcon(by === 'you' ? 'debug-stop' : 'circle-slash');
  item.contextValue = 'rb:ended';
  item.accessibilityInformation = {
    label: l10n.t('Session {0} ended at {1}, {2}, after {3}', label, at, how, longAge(endedAt - startedAt)),
  };
  item.tooltip = [label, plainText(account), plainText(id, 200), new Date(endedAt).toLocaleString(), how].join('\n');
  return item;
}
