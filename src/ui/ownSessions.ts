import * as vscode from 'vscode';
import { type IsMine, isMineBy } from '../core/ownership.ts';
import type { ReadSetting } from './settings.ts';

/** Which sessions are the user's own, by their rule and the workspace folders; undefined without a rule and folders. */
export function ownSessions(setting: ReadSetting): IsMine | undefined {
  const folders = vscode.workspace.workspaceFolders ?? [];
  // Only these are on the machine that this extension runs on.
  const paths = folders.flatMap(({ uri }) => (uri.scheme === 'file' ? [uri.fsPath] : []));
  return isMineBy(setting('mine'), paths);
}
