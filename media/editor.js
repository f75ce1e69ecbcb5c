// Sends messages to the extension, and stores what VS Code keeps for the panel.

/** @import { FromPanel, PanelIdentity } from '../src/ui/liveView/messages.ts' */

// @ts-expect-error: VS Code provides this function in every webview.
const editor = acquireVsCodeApi();

/** @param {FromPanel} message */
export const say = (message) => editor.postMessage(message);

/**
 * What a panel keeps across reloads.
 * @typedef {PanelIdentity & { readonly fits: boolean }} Kept `fits`: whether the image is scaled to fit the panel
 */

/** @returns {Kept | undefined} */
export const kept = () => editor.getState();

/** @param {Kept} state */
export const keep = (state) => editor.setState(state);
