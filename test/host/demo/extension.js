// What a user would do first when they are shown the product: open the view and add accounts. Which ones is in
// BROWSER_SESSIONS_DEMO: a JSON array of what the command Add Account takes.
const vscode = require('vscode');

exports.activate = async () => {
  const product = vscode.extensions.getExtension('browser-sessions.browser-sessions');
  if (product === undefined) return;
  const { accounts: known } = await product.activate();
  await vscode.commands.executeCommand('workbench.view.extension.browserSessions');
  /** @type {{ origin: string }[]} */
  const accounts = JSON.parse(process.env['BROWSER_SESSIONS_DEMO'] ?? '[]');
  for (const account of accounts) {
    const isKnown = known.some((/** @type {{ origin: string }} */ one) => one.origin === account.origin);
    if (!isKnown) await vscode.commands.executeCommand('browserSessions.addAccount', account);
  }
};
