// What the panel's page says to the extension, and what VS Code keeps for it.

/** @import { FromPanel, PanelIdentity } from '../src/ui/liveView/messages.ts' */

// @ts-expect-error: VS Code puts this function into every webview.
const editor = acquireVsCodeApi();

/** @param {FromPanel} message */
export const say = (message) => editor.postMessage(message);

/**
 * What a panel keeps between windows.
 * @typedef {PanelIdentity & { readonly fits: boolean }} Kept `fits`: whether the picture fits into the panel
 */

/** @returns {Kept | undefined} */
export const kept = () => editor.getState();

/** @param {Kept} state */
export const keep = (state) => editor.setState(state);
