import { strict as assert } from 'node:assert';
import { type PanelBody, panelHtml } from '../../../src/ui/liveView/html.ts';

const view = {
  url: new URL('https://live.example/x?sessionId=1&t="><script>alert(1)</script>'),
  sandbox: 'allow-same-origin allow-scripts',
  allow: 'clipboard-read',
};

function html(body: PanelBody, name = 'checkout', account = 'Anchor'): string {
  return panelHtml({
    name,
    account,
    notice: 'Watching costs money.',
    body,
    styleUri: 'https://webview/liveView.css',
    scriptUri: 'https://webview/liveView.js',
    cspSource: 'https://webview',
    nonce: 'n0nce',
  });
}

describe('live view panel', () => {
  it('may load its own style and script, and frame that one origin', () => {
    const page = html({ kind: 'frame', view });
    const policy = /content="([^"]+)"/.exec(page)?.[1]?.replaceAll('&#39;', "'");
    assert.equal(
      policy,
      "default-src 'none'; frame-src https://live.example; style-src https://webview; script-src 'nonce-n0nce'",
    );
    assert.match(page, /<iframe src="https:\/\/live\.example\/x\?sessionId=1&amp;t=%22%3E%3Cscript%3E/);
    assert.match(
      page,
      /sandbox="allow-same-origin allow-scripts" allow="clipboard-read" referrerpolicy="no-referrer" title="Live view of checkout"/,
    );
  });

  it('frames nothing while it waits or has only a sentence to show', () => {
    for (const body of [{ kind: 'waiting' }, { kind: 'sentence', text: 'It has ended.' }] as const) {
      const page = html(body);
      assert.match(page, /frame-src &#39;none&#39;/);
      assert.ok(!page.includes('<iframe') && !page.includes('Watching costs money'));
    }
  });

  it('shows text as text, whatever it holds', () => {
    const evil = '"><img src=x onerror=alert(1)><script>alert(2)</script>\'&';
    const page = html({ kind: 'sentence', text: evil }, evil, evil);
    assert.ok(!page.includes('<img') && !page.includes('<script>alert'));
    assert.equal(page.match(/<script/g)?.length, 1);
  });

  it('has a toolbar of buttons that can be reached and are named', () => {
    const page = html({ kind: 'waiting' });
    assert.match(page, /role="toolbar" aria-label="Live view"/);
    assert.match(page, /<button type="button" id="reload">Reload<\/button>/);
    assert.match(page, /<button type="button" id="openExternal">Open in External Browser<\/button>/);
  });
});
