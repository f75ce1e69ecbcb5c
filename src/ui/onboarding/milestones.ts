import * as vscode from 'vscode';

/** What a user has done at least once, as the walkthrough's context keys call it. */
export type Milestone = 'connectedOnce' | 'viewedOnce' | 'watchedOnce' | 'endedOnce';

const reached = new Set<Milestone>();

/** Checks off a step of the walkthrough. */
export function reach(milestone: Milestone): void {
  if (reached.has(milestone)) return;
  reached.add(milestone);
  void set(milestone, true);
}

/**
 * Opens the walkthrough with what was reached checked off. VS Code checks a step off only when its context key changes after
 * the walkthrough was registered, which may not happen before it is first opened (1.139), and never if the key is true by
 * then.
 */
export async function openWalkthrough(extensionId: string): Promise<void> {
  await Promise.all([...reached].map((milestone) => set(milestone, false)));
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extensionId}#start`, false);
  await Promise.all([...reached].map((milestone) => set(milestone, true)));
}

function set(milestone: Milestone, value: boolean): Thenable<unknown> {
  return vscode.commands.executeCommand('setContext', `browserSessions.${milestone}`, value);
}
