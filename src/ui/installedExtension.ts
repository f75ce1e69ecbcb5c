import * as vscode from 'vscode';
import type { ClaimedExtension } from '../services/providers/providerConsent.ts';

/** An installed extension by its id, as it calls itself. */
export function findExtension(id: string): ClaimedExtension | undefined {
  const found = vscode.extensions.getExtension(id);
  const name: unknown = found?.packageJSON?.displayName;
  return found && { id: found.id, name: typeof name === 'string' ? name : found.id };
}
