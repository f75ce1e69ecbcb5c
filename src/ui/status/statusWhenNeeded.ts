import * as vscode from 'vscode';
import { lazy } from '../../core/lazy.ts';
import type { Services } from '../../services/openServices.ts';
import type { ReadSetting } from '../settings.ts';
import type { WatchedView } from './reviewSessions.ts';

/** Opens the status bar item, the badge, and warnings once there is an account, or at once if the item is always shown. */
export function openStatusWhenNeeded(
  services: Services,
  watched: WatchedView,
  setting: ReadSetting,
): vscode.Disposable {
  let isDisposed = false;
  let opened: vscode.Disposable | undefined;
  const open = lazy(async () => {
    const { openStatus } = await import('./openStatus.ts');
    if (!isDisposed) opened = openStatus(services, watched, setting);
  });
  const openIfNeeded = () => {
    if (services.accounts.all.length > 0 || setting('statusBar.show') === 'always') void open();
  };
  openIfNeeded();
  return vscode.Disposable.from(
    services.accounts.onDidChange(openIfNeeded),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('browserSessions.statusBar')) openIfNeeded();
    }),
    {
      dispose: () => {
        isDisposed = true;
        opened?.dispose();
      },
    },
  );
}
