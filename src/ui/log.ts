import * as vscode from 'vscode';
import type { Disposable } from '../core/event.ts';
import type { Logger } from '../core/logger.ts';

/** What is logged, and where it is shown. */
export interface Log extends Disposable {
  readonly logger: Logger;
  /** Shows the output channel. */
  show(): void;
}

/**
 * Opens the log: the output channel "Browser Sessions", which is created with its first line. Control characters are removed, so
 * that no line can look like two.
 */
export function openLog(): Log {
  let created: vscode.LogOutputChannel | undefined;
  const channel = () => {
    created ??= vscode.window.createOutputChannel('Browser Sessions', { log: true });
    return created;
  };
  const oneLine = (message: string) => message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return {
    logger: {
      debug: (message) => channel().debug(oneLine(message)),
      info: (message) => channel().info(oneLine(message)),
      warn: (message) => channel().warn(oneLine(message)),
      error: (message) => channel().error(oneLine(message)),
    },
    show: () => channel().show(),
    dispose: () => created?.dispose(),
  };
}
