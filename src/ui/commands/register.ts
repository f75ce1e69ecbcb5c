import * as vscode from 'vscode';
import type { Logger } from '../../core/logger.ts';
import type { CommandName } from './table.ts';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

/** Runs a command of the table. */
export type RunCommand = (name: CommandName, args: readonly unknown[]) => Promise<unknown>;

/**
 * Registers every command of package.json, which are those of the table: its menus are no concern of what starts with the
 * window. What a command throws is logged, and handed on to who called.
 */
export function registerCommands(manifest: unknown, run: RunCommand, logger: Logger): vscode.Disposable {
  const { commands } = (manifest as Manifest).contributes;
  return vscode.Disposable.from(
    ...commands.map(({ command }) =>
      vscode.commands.registerCommand(command, async (...args: unknown[]) => {
        const name = command.replace(/^.*\./, '') as CommandName;
        try {
          return await run(name, args);
        } catch (error) {
          logger.error(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
          throw error;
        }
      }),
    ),
  );
}
