import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { Overview } from '../../services/sessions/overview.ts';
import { statusLabel, statusText, statusTooltip, type TableParts } from '../text/overview.ts';

/** Places it on the left, after VS Code's own items and most others. */
const priority = -100;

/** The status bar item, which shows how many browsers are running and opens the view when clicked. */
export class StatusItem implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;
  /** What is shown. Setting the same again would close the tooltip while the user reads it. */
  #shown = '';

  constructor() {
    this.#item = vscode.window.createStatusBarItem('browserSessions.status', vscode.StatusBarAlignment.Left, priority);
    this.#item.name = l10n.t('Browser Sessions');
    this.#item.command = 'browserSessions.sessions.focus';
  }

  dispose(): void {
    this.#item.dispose();
  }

  show(overview: Overview, parts: TableParts): void {
    const text = `$(browser) ${statusText(overview, parts.now)}`;
    const label = statusLabel(overview, parts.now);
    const tooltip = overview.accounts.length === 0 ? '' : statusTooltip(overview, parts);
    const isWarning = overview.over.length > 0;
    const shown = JSON.stringify([text, label, tooltip, isWarning]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#item.text = text;
    this.#item.accessibilityInformation = { label };
    // Not trusted: no link in it can run a command.
    this.#item.tooltip = tooltip === '' ? undefined : new vscode.MarkdownString(tooltip);
    this.#item.backgroundColor = isWarning ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.show();
  }

  hide(): void {
    this.#shown = '';
    this.#item.hide();
  }
}
