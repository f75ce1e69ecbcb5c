import * as vscode from 'vscode';
import { plainText } from '../../core/plainText.ts';
import type { ThisMachine } from '../../core/thisMachine.ts';
import type { Services } from '../../services/openServices.ts';
import { reach } from './milestones.ts';
import { hasTrialBrowsers } from './trialBrowsers.ts';

/**
 * Sets the context keys of the welcome view and the walkthrough, and cleans up after trial browsers. Doesn't read files: the
 * welcome view depends only on whether the environment has variables with the names of keys.
 */
export function openOnboarding(
  { accounts, kinds, store, memory, logger }: Services,
  view: Pick<vscode.TreeView<unknown>, 'visible' | 'onDidChangeVisibility'>,
  machine: () => Promise<ThisMachine>,
): vscode.Disposable {
  const warn = (error: unknown) => logger.warn(`Onboarding failed: ${plainText(String(error), 200)}`);

  let isToldOfKeys = false;
  const lookAtEnvironment = async () => {
    if (isToldOfKeys || !view.visible || accounts.all.length > 0) return;
    isToldOfKeys = true;
    const [{ keyVariables }] = await Promise.all([import('./foundKeys.ts'), kinds.load()]);
    const names = keyVariables(kinds.all.filter((kind) => kinds.isBuiltIn(kind)));
    if (names.some((name) => (process.env[name] ?? '') !== '')) {
      await vscode.commands.executeCommand('setContext', 'browserSessions.hasKeysInEnvironment', true);
    }
  };
  const look = () => {
    if (view.visible) reach('viewedOnce');
    if (accounts.all.length > 0) reach('connectedOnce');
    lookAtEnvironment().catch(warn);
  };
  look();

  const left = store.onDidLeave(({ byYou }) => {
    if (!byYou) return;
    reach('endedOnce');
    left.dispose();
  });

  if (hasTrialBrowsers(memory)) {
    const clean = async () => {
      const { removeLeftTrials } = await import('./trialBrowsers.ts');
      await removeLeftTrials({ accounts, memory }, await machine());
    };
    clean().catch(warn);
  }
  return vscode.Disposable.from(left, view.onDidChangeVisibility(look), accounts.onDidChange(look));
}
