import * as l10n from '@vscode/l10n';
import { escapeHtml } from '../../core/escapeHtml.ts';
import { percentage } from '../text/numbers.ts';

/** What {@link panelHtml} needs. */
export interface PanelPage {
  readonly name: string;
  /** The one origin that may be framed; undefined for none. */
  readonly frames: string | undefined;
  readonly styleUri: string;
  readonly scriptUri: string;
  /** The source that may load styles: `webview.cspSource`. */
  readonly cspSource: string;
  /** Unguessable, and new for each page. */
  readonly nonce: string;
}

/** SVG paths of 16 by 16, in the color of the text around them. */
const drawings = {
  mode: 'M4 2v10l3-3 2 5 2-1-2-5h4z',
  fit: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  reload: 'M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3',
  copyLink: 'M6 10a3 3 0 0 1 0-4l2-2a3 3 0 0 1 4 4l-1 1M10 6a3 3 0 0 1 0 4l-2 2a3 3 0 0 1-4-4l1-1',
  openIn: 'M9 2h5v5M14 2 8 8M12 9v4H3V4h4',
  endSession: 'M4 4h8v8H4z',
} as const;

/**
 * Returns the HTML of the panel's page. Nothing may load but our style and script, and the one origin that may be
 * framed.
 */
export function panelHtml(page: PanelPage): string {
  const { cspSource, nonce, frames = "'none'" } = page;
  const policy = [
    "default-src 'none'",
    `frame-src ${frames}`,
    `style-src ${cspSource}`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(l10n.t({ message: 'en', comment: ['The language of these sentences, as in the HTML attribute lang'] }))}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${escapeHtml(page.styleUri)}">
<title>${escapeHtml(page.name)}</title>
</head>
<body>
<header>
<div id="who"><span id="dot" data-dot="live" role="img"></span><h1 id="name" tabindex="-1">${escapeHtml(page.name)}</h1><span id="status" role="status"></span><span id="account"></span></div>
<div role="toolbar" id="toolbar" aria-label="${escapeHtml(l10n.t('Live view'))}">
<select id="pages" aria-label="${escapeHtml(l10n.t('Page to show'))}" hidden></select>
${button('mode', l10n.t('Interact'), l10n.t('Send clicks and keystrokes to the page'), true)}
${button('fit', percentage(1), l10n.t('Show the page at its actual size'), true)}
${button('reload', l10n.t('Reload'), l10n.t('Reconnect to the session'))}
${button('copyLink', l10n.t('Copy Link'), l10n.t('Copy a link. Anyone with it can watch the session and may be able to control it.'))}
${button('openIn', l10n.t('Open In…'), l10n.t('Open the session in a browser'))}
${button('endSession', l10n.t('End Session…'), l10n.t('End this session'))}
</div>
</header>
<div id="notice" role="status" hidden></div>
<main id="stage" data-picture="${escapeHtml(l10n.t('Live image of {0}', '{0}'))}" data-quiet="${escapeHtml(l10n.t('No change for {0} s'))}" data-unreadable="${escapeHtml(l10n.t("Couldn't show the images of this page."))}">
<canvas id="picture" role="img" hidden></canvas>
<textarea id="keys" aria-label="${escapeHtml(l10n.t('Keyboard input for the page. Press F6 to leave it.'))}" autocapitalize="off" autocomplete="off" spellcheck="false" hidden></textarea>
<textarea id="stray" aria-label="${escapeHtml(l10n.t('Keyboard input returning to your editor'))}" tabindex="-1" autocapitalize="off" autocomplete="off" spellcheck="false"></textarea>
<p id="note" role="status" hidden></p>
<section id="card" aria-labelledby="heading" aria-live="polite" hidden><h2 id="heading" tabindex="-1"></h2><div id="lines"></div><div id="choices"></div></section>
</main>
<script type="module" nonce="${nonce}" src="${escapeHtml(page.scriptUri)}"></script>
</body>
</html>`;
}

/** @param toggles whether it's a toggle button. */
function button(id: keyof typeof drawings, label: string, tooltip: string, toggles = false): string {
  const pressed = toggles ? ' aria-pressed="false"' : '';
  return (
    `<button type="button" id="${id}" title="${escapeHtml(tooltip)}"${pressed} hidden>` +
    `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${drawings[id]}"/></svg><span>${escapeHtml(label)}</span></button>`
  );
}
