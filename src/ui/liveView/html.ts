import * as l10n from '@vscode/l10n';
import type { LiveView } from '../../core/liveView.ts';

/** What a live view panel shows below its toolbar. */
export type PanelBody =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'frame'; readonly view: LiveView }
  /** A sentence in place of the view: why there is none, or that the session has ended. */
  | { readonly kind: 'sentence'; readonly text: string };

/** What the page around the frame is made of. Text is shown as text, whatever it holds. */
export interface PanelPage {
  readonly name: string;
  readonly account: string;
  /** What watching costs or changes, or nothing. */
  readonly notice: string | undefined;
  readonly body: PanelBody;
  readonly styleUri: string;
  readonly scriptUri: string;
  /** The webview's own source for styles, as VS Code names it. */
  readonly cspSource: string;
  /** Fresh for each page, unguessable. */
  readonly nonce: string;
}

/** Writes the panel's page: nothing may load but our style and script, and in the frame that one origin. */
export function panelHtml(page: PanelPage): string {
  const { body, cspSource, nonce } = page;
  const frames = body.kind === 'frame' ? body.view.url.origin : "'none'";
  const policy = [
    "default-src 'none'",
    `frame-src ${frames}`,
    `style-src ${cspSource}`,
    `script-src 'nonce-${nonce}'`,
  ].join('; ');
  const button = (id: string, text: string) => `<button type="button" id="${id}">${escapeHtml(text)}</button>`;
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
<header role="toolbar" aria-label="${escapeHtml(l10n.t('Live view'))}">
<h1>${escapeHtml(page.name)}</h1>
<span class="account">${escapeHtml(page.account)}</span>
${button('reload', l10n.t('Reload'))}
${button('openExternal', l10n.t('Open in External Browser'))}
</header>
${page.notice === undefined || body.kind !== 'frame' ? '' : `<p class="notice">${escapeHtml(page.notice)}</p>`}
<main>${bodyHtml(page)}</main>
<script nonce="${nonce}" src="${escapeHtml(page.scriptUri)}"></script>
</body>
</html>`;
}

function bodyHtml({ body, name }: PanelPage): string {
  switch (body.kind) {
    case 'waiting':
      return `<p role="status">${escapeHtml(l10n.t('Opening the live view…'))}</p>`;
    case 'sentence':
      return `<p role="status">${escapeHtml(body.text)}</p>`;
    case 'frame': {
      const { url, sandbox, allow } = body.view;
      const attributes = {
        src: url.href,
        sandbox,
        allow,
        referrerpolicy: 'no-referrer',
        title: l10n.t('Live view of {0}', name),
      };
      const written = Object.entries(attributes).map(([key, value]) => `${key}="${escapeHtml(value)}"`);
      return `<iframe ${written.join(' ')}></iframe>`;
    }
  }
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
