import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { accountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { EndedSession, History } from '../../services/history/history.ts';
import type { SessionsView } from '../../services/sessions/sessionsView.ts';
import { longAge, shortAge } from '../text/ages.ts';
import { day, dayAndTime, timeOfDay } from '../text/locale.ts';
import { shortId } from '../text/names.ts';
import { endedContext } from './contextValue.ts';

const viewId = 'browserSessions.ended';
const dayMs = 86_400_000;

const icons: Readonly<Record<EndedSession['by'], string>> = {
  you: 'debug-stop',
  elsewhere: 'circle-slash',
  timedOut: 'watch',
  failed: 'error',
};

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
  const { sessionId: id, name, account, startedAt, startIsExact, endedAt, by } = ended;
  const label = plainText(name ?? '') || shortId(id);
  const at = now - endedAt < dayMs ? timeOfDay(endedAt) : day(endedAt);
  const ran = shortAge(endedAt - startedAt);
  const how = howItEnded(by);
  const item = new vscode.TreeItem(label);
  item.id = `ended/${ended.accountId}/${id}/${endedAt}`;
  item.description = [at, startIsExact ? l10n.t('ran for {0}', ran) : l10n.t('seen for {0}', ran), how].join(' · ');
  item.iconPath = new vscode.ThemeIcon(icons[by]);
  item.contextValue = endedContext(store.capabilities(accountId(ended.accountId)));
  item.accessibilityInformation = {
    label: spokenEnd(by, label, at, longAge(endedAt - startedAt)),
  };
  item.tooltip = [label, plainText(account), plainText(id, 200), dayAndTime(endedAt), how].join('\n');
  return item;
}

/** The row as a screen reader says it. */
function spokenEnd(by: EndedSession['by'], name: string, at: string, ran: string): string {
  switch (by) {
    case 'you':
      return l10n.t('Session {0} ended at {1}, by you, after {2}', name, at, ran);
    case 'elsewhere':
      return l10n.t('Session {0} ended at {1}, by itself or by someone else, after {2}', name, at, ran);
    case 'timedOut':
      return l10n.t('Session {0} ended at {1}, timed out, after {2}', name, at, ran);
    case 'failed':
      return l10n.t('Session {0} ended at {1}, failed, after {2}', name, at, ran);
  }
}

function howItEnded(by: EndedSession['by']): string {
  switch (by) {
    case 'you':
      return l10n.t('by you');
    case 'elsewhere':
      return l10n.t('by itself or by someone else');
    case 'timedOut':
      return l10n.t('timed out');
    case 'failed':
      return l10n.t('failed');
  }
}
