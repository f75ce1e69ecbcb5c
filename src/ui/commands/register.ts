import * as vscode from 'vscode';
import type { Logger } from '../../core/logger.ts';
import { type CommandName, commandPrefix, commandTable } from './table.ts';

/** Runs a command of the table. */
export type RunCommand = (name: CommandName, args: readonly unknown[]) => Promise<unknown>;

/** Registers every command of the table. What a command throws is logged, and handed on to who called. */
export function registerCommands(run: RunCommand, logger: Logger): vscode.Disposable {
  const names = Object.keys(commandTable) as CommandName[];
  return vscode.Disposable.from(
    ...names.map((name) =>
      vscode.commands.registerCommand(commandPrefix + name, async (...args: unknown[]) => {
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
