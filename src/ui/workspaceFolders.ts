import * as vscode from 'vscode';

/** The paths of the workspace folders on the machine that this extension runs on. */
export function workspaceFolders(): readonly string[] {
  return (vscode.workspace.workspaceFolders ?? []).flatMap(({ uri }) => (uri.scheme === 'file' ? [uri.fsPath] : []));
}
