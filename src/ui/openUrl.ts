import * as vscode from 'vscode';
import { noteAnswerIfAsked } from './lastAnswer.ts';

/**
 * Opens a URL in the user's own browser, unchanged. VS Code takes a string here although its types say Uri;
 * a Uri is decoded and encoded again on its way, which changes URLs whose query has escaped characters.
 */
export async function openUnchanged({ href }: URL): Promise<void> {
  // VS Code asks first, unless the user trusts the address.
  await noteAnswerIfAsked(vscode.env.openExternal(href as unknown as vscode.Uri));
}
