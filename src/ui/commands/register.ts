import * as vscode from 'vscode';
import type { Clock } from '../../core/clock.ts';
import { lazy } from '../../core/lazy.ts';
import type { Logger } from '../../core/logger.ts';
import type { EndJournal } from '../../services/ending/journal.ts';
import { liveViewType } from '../liveView/viewType.ts';
import type { CommandName } from './table.ts';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

/** Commands and live views, once they are built. */
export interface OpenedCommands extends vscode.Disposable {
  /** Runs a command of the table. */
  readonly run: (name: CommandName, args: readonly unknown[]) => Promise<unknown>;
  /** Brings a panel back that was there before the window was reloaded. */
  readonly restoreLiveView: (panel: vscode.WebviewPanel, kept: unknown) => void;
}

/**
 * Registers every command of package.json, which are those of the table: its menus are no concern of what starts with the
 * window. What a command throws is logged, and handed on to who called.
 * @param open builds the commands, when the first is run or a live view comes back.
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

/** Has ends looked at that a window did not live to finish, as soon as no other window can still be at them. */
export function reviewLater({
  journal,
  clock,
}: {
  readonly journal: EndJournal;
  readonly clock: Clock;
}): vscode.Disposable {
  if (journal.isEmpty) return { dispose: () => {} };
  const review = () => void vscode.commands.executeCommand('browserSessions.reviewUnfinishedEnds');
  // Timers are early now and then, and then nothing would have been abandoned yet.
  return clock.after(journal.settlesAfter + 100, review);
}
