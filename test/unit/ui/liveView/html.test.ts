import { strict as assert } from 'node:assert';
import { panelHtml } from '../../../../src/ui/liveView/html.ts';

function html({ name = 'checkout', frames }: { name?: string; frames?: string } = {}): string {
  return panelHtml({
    name,
    frames,
    styleUri: 'https://webview/liveView.css',
    scriptUri: 'https://webview/liveView.js',
    cspSource: 'https://webview',
    nonce: 'n0nce',
  });
}

const policyOf = (page: string) => /content="([^"]+)"/.exec(page)?.[1]?.replaceAll('&#39;', "'");

describe('live view panel', () => {
  it('may load its own style and script, and frame that one origin or none', () => {
    const rest = "style-src https://webview; script-src 'nonce-n0nce'";
    assert.equal(policyOf(html()), `default-src 'none'; frame-src 'none'; ${rest}`);
    assert.equal(
      policyOf(html({ frames: 'https://live.example' })),
      `default-src 'none'; frame-src https://live.example; ${rest}`,
    );
  });

  it('holds no frame and no address: those come in a message, which nothing writes down', () => {
    const page = html({ frames: 'https://live.example' });
    assert.ok(!page.includes('<iframe'));
    assert.equal(page.match(/https:\/\/live\.example/g)?.length, 1);
  });

  it('shows text as text, whatever it holds', () => {
    const page = html({ name: '"><img src=x onerror=alert(1)><script>alert(2)</script>\'&' });
    assert.ok(!page.includes('<img') && !page.includes('<script>alert'));
    assert.equal(page.match(/<script/g)?.length, 1);
  });

  it('has a toolbar of buttons that are named, and no style or script of its own', () => {
    const page = html();
    assert.match(page, /role="toolbar"[^>]* aria-label="Live view"/);
    for (const [id, label] of [
      ['mode', 'Interact'],
      ['fit', '100 %'],
      ['reload', 'Reload'],
      ['copyLink', 'Copy Link'],
      ['openIn', 'Open In…'],
      ['endSession', 'End Session…'],
    ]) {
      assert.match(
        page,
        new RegExp(`<button type="button" id="${id}" title="[^"]+"[^>]*>.*<span>${label}</span></button>`),
      );
    }
    assert.doesNotMatch(page, /style=|onclick=|<style/);
  });
});
