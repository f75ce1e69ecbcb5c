import * as vscode from 'vscode';
import type { Logger } from '../core/logger.ts';

/** The output channel "Browser Sessions". Control characters are removed, so that no line can look like two. */
export function openLog(): { readonly logger: Logger; readonly channel: vscode.LogOutputChannel } {
  const channel = vscode.window.createOutputChannel('Browser Sessions', { log: true });
  const oneLine = (message: string) => message.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return {
    channel,
    logger: {
      debug: (message) => channel.debug(oneLine(message)),
      info: (message) => channel.info(oneLine(message)),
      warn: (message) => channel.warn(oneLine(message)),
      error: (message) => channel.error(oneLine(message)),
    },
  };
}
