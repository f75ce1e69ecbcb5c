import * as vscode from 'vscode';

/** What the user has done at least once, as named in the walkthrough's context keys. */
export type Milestone = 'connectedOnce' | 'viewedOnce' | 'watchedOnce' | 'endedOnce';

const reached = new Set<Milestone>();

/** Marks a step of the walkthrough as done. */
export function reach(milestone: Milestone): void {
  if (reached.has(milestone)) return;
  reached.add(milestone);
  void set(milestone, true);
}

/**
 * Opens the walkthrough with completed steps marked as done. VS Code marks a step only if its context key changes after the
 * walkthrough was registered, which may not happen until it's first opened (1.139), and never if the key is already true then.
 */
export async function openWalkthrough(extensionId: string): Promise<void> {
  await Promise.all([...reached].map((milestone) => set(milestone, false)));
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extensionId}#start`, false);
  await Promise.all([...reached].map((milestone) => set(milestone, true)));
}

function set(milestone: Milestone, value: boolean): Thenable<unknown> {
  return vscode.commands.executeCommand('setContext', `browserSessions.${milestone}`, value);
}
