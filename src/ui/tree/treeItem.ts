import * as vscode from 'vscode';
import type { Row, RowIcon } from './row.ts';

/**
 * The command that a click on a row runs after selecting it. It has no arguments: VS Code drops a row's arguments as soon as
 * the row is redrawn, and a click before the new one arrives fails with "Actual command not found" (1.139).
 */
export const clickCommand = 'browserSessions.clickRow';

/** VS Code colors the text of rows only through file decorations, which need a URI. */
const dimmedScheme = 'browser-sessions-dimmed';

/** Dims rows. */
export const dimmedRows: vscode.FileDecorationProvider = {
  provideFileDecoration: ({ scheme }) =>
    scheme === dimmedScheme ? { color: new vscode.ThemeColor('disabledForeground') } : undefined,
};

const collapsible = {
  none: vscode.TreeItemCollapsibleState.None,
  collapsed: vscode.TreeItemCollapsibleState.Collapsed,
  expanded: vscode.TreeItemCollapsibleState.Expanded,
};

/** A row as VS Code draws it. @param media the folder with our own icons. */
export function itemOf(row: Row, media: vscode.Uri): vscode.TreeItem {
  const highlights = (row.highlights ?? []).map(([from, to]): [number, number] => [from, to]);
  const item = new vscode.TreeItem({ label: row.label, highlights }, collapsible[row.collapsible]);
  item.id = row.id;
  item.description = row.description;
  item.contextValue = row.contextValue;
  item.accessibilityInformation = { label: row.aria };
  if (row.icon !== undefined) item.iconPath = iconOf(row.icon, media);
  if (row.dimmed) item.resourceUri = vscode.Uri.from({ scheme: dimmedScheme, path: `/${row.id}` });
  if (row.click !== undefined) item.command = { command: clickCommand, title: row.label };
  return item;
}

function iconOf(
  { id, color, provider }: RowIcon,
  media: vscode.Uri,
): vscode.ThemeIcon | { readonly light: vscode.Uri; readonly dark: vscode.Uri } {
  if (provider === undefined) {
    return new vscode.ThemeIcon(id, color === undefined ? undefined : new vscode.ThemeColor(color));
  }
  const file = (theme: string) => vscode.Uri.joinPath(media, 'providers', theme, `${provider}.svg`);
  return { light: file('light'), dark: file('dark') };
}
