import * as vscode from 'vscode';

/**
 * Opens a URL in the user's own browser, unchanged. VS Code takes a string here although its types say Uri;
 * a Uri is decoded and encoded again on its way, which changes URLs whose query has escaped characters.
 */
export async function openUnchanged({ href }: URL): Promise<void> {
  await vscode.env.openExternal(href as unknown as vscode.Uri);
}
