// What a person would do first when they are shown the product: open the view and add the browser that runs here.
const vscode = require('vscode');

exports.activate = async () => {
  const product = vscode.extensions.getExtension('browser-sessions.browser-sessions');
  if (product === undefined) return;
  const { accounts } = await product.activate();
  await vscode.commands.executeCommand('workbench.view.extension.browserSessions');
  const origin = process.env['BROWSER_SESSIONS_DEMO'];
  if (origin === undefined || accounts.some((/** @type {{ origin: string }} */ known) => known.origin === origin))
    return;
  const account = { provider: 'localChrome', label: 'Local Chrome', origin, fields: {} };
  await vscode.commands.executeCommand('browserSessions.addAccount', account);
};
