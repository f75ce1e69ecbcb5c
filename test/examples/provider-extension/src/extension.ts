import { getBrowserSessions } from 'browser-sessions-api';
import type { ExtensionContext } from 'vscode';
import { acmeGrid } from './grid';

export async function activate(context: ExtensionContext): Promise<void> {
  const browserSessions = await getBrowserSessions(1);
  context.subscriptions.push(browserSessions.registerProvider(acmeGrid, context.extension.id));
}
