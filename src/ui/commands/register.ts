import * as vscode from 'vscode';
import type { Clock } from '../../core/clock.ts';
import { lazy } from '../../core/lazy.ts';
import type { Logger } from '../../core/logger.ts';
import type { Memory } from '../../core/storage.ts';
import type { EndJournal } from '../../services/ending/journal.ts';
import { hasUnfinishedEnds } from '../../services/ending/unfinished.ts';
import { liveViewType } from '../liveView/viewType.ts';
import type { CommandName } from './table.ts';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

/** The commands and live views, once they are loaded. */
export interface OpenedCommands extends vscode.Disposable {
  /** Runs a command of the table. */
  readonly run: (name: CommandName, args: readonly unknown[]) => Promise<unknown>;
  /** Restores a panel after the window was reloaded. */
  readonly restoreLiveView: (panel: vscode.WebviewPanel, kept: unknown) => void;
}

/**
 * Registers every command in package.json. The table has the same commands, but its menus needn't be loaded on startup.
 * Errors of a command are logged and passed on to the caller.
 * @param open builds the commands, when the first one runs or a live view is restored.
 */
export function registerCommands(
  manifest: unknown,
  logger: Logger,
  open: () => Promise<OpenedCommands>,
): vscode.Disposable {
  let opened: OpenedCommands | undefined;
  const load = lazy(async () => {
    opened = await open();
    return opened;
  });
  const { commands } = (manifest as Manifest).contributes;
  return vscode.Disposable.from(
    ...commands.map(({ command }) =>
      vscode.commands.registerCommand(command, async (...args: unknown[]) => {
        const name = command.replace(/^.*\./, '') as CommandName;
        try {
          return await (await load()).run(name, args);
        } catch (error) {
          logger.error(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
          throw error;
        }
      }),
    ),
    vscode.window.registerWebviewPanelSerializer(liveViewType, {
      deserializeWebviewPanel: async (panel, state) => (await load()).restoreLiveView(panel, state),
    }),
    { dispose: () => opened?.dispose() },
  );
}

/**
 * Reviews the ends of a window that closed before they were finished, as soon as no other window can still be working on
 * them.
 */
export function reviewLater({
  memory,
  loadJournal,
  clock,
}: {
  readonly memory: Memory;
  readonly loadJournal: () => Promise<EndJournal>;
  readonly clock: Clock;
}): vscode.Disposable {
  let timer: vscode.Disposable | undefined;
  let isDisposed = false;
  const review = () => void vscode.commands.executeCommand('browserSessions.reviewUnfinishedEnds');
  if (hasUnfinishedEnds(memory)) {
    void loadJournal().then((journal) => {
      // Timers sometimes fire a little early, and then nothing would count as abandoned yet.
      if (!isDisposed) timer = clock.after(journal.settlesAfter + 100, review);
    });
  }
  return {
    dispose: () => {
      isDisposed = true;
      timer?.dispose();
    },
  };
}
