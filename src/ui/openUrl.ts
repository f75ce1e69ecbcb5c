import * as vscode from 'vscode';

/**
 * Opens an address in the browser that the user uses, as it is. VS Code takes a string here although its types say Uri;
 * a Uri is decoded and written anew on its way, which makes another address of one whose query has escaped characters.
 */
export async function openUnchanged({ href }: URL): Promise<void> {
  await vscode.env.openExternal(href as unknown as vscode.Uri);
}
