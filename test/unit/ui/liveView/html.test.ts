import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import * as l10n from '@vscode/l10n';
import { panelHtml } from '../../../../src/ui/liveView/html.ts';
import { bundleFile } from '../../../l10n.ts';

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

describe('the live view panel', () => {
  it('may load its own style and script, and frame only that one origin or none', () => {
    const rest = "style-src https://webview; script-src 'nonce-n0nce'";
    assert.equal(policyOf(html()), `default-src 'none'; frame-src 'none'; ${rest}`);
    assert.equal(
      policyOf(html({ frames: 'https://live.example' })),
      `default-src 'none'; frame-src https://live.example; ${rest}`,
    );
  });

  it('contains no frame and no address: those come in a message, which isn’t stored', () => {
    const page = html({ frames: 'https://live.example' });
    assert.ok(!page.includes('<iframe'));
    assert.equal(page.match(/https:\/\/live\.example/g)?.length, 1);
  });

  it('shows text as text, whatever it contains', () => {
    const page = html({ name: '"><img src=x onerror=alert(1)><script>alert(2)</script>\'&' });
    assert.ok(!page.includes('<img') && !page.includes('<script>alert'));
    assert.equal(page.match(/<script/g)?.length, 1);
    assert.ok(html({ name: `<>&"'` }).includes('<title>&lt;&gt;&amp;&quot;&#39;</title>'));
  });

  it('is in the editor’s language throughout', () => {
    const english = html();
    const bundle: Record<string, unknown> = JSON.parse(readFileSync(bundleFile, 'utf8'));
    const texts = Object.entries(bundle).map(([key, text]) => [key, typeof text === 'string' ? text : key]);
    l10n.config({ contents: Object.fromEntries(texts.map(([key, text = '']) => [key, `«${text}»`])) });
    try {
      const page = html();
      const shown = [...page.matchAll(/ (?:title|lang|aria-label|data-\w+)="([^"]+)"|<span>([^<]+)<\/span>/g)];
      const foreign = shown
        .map(([, attribute, text]) => attribute ?? text ?? '')
        .filter((text) => text !== 'live' && text !== '100%');
      assert.equal(foreign.length, 6 * 2 - 1 + 3 + 4 + 1, foreign.join('\n'));
      for (const text of foreign) assert.match(text, /^«.+»$/s);
      // Nothing else depends on the language.
      assert.equal(page.replace(/«([^»]*?)(?:\/[^»]*)?»/g, '$1'), english);
    } finally {
      l10n.config({ contents: {} });
    }
  });

  it('has a toolbar of labeled buttons, and no inline style or script', () => {
    const page = html();
    assert.match(page, /role="toolbar"[^>]* aria-label="Live view"/);
    for (const [id, label] of [
      ['mode', 'Interact'],
      ['fit', '100%'],
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
    // Toggle buttons say whether they are pressed.
    const pressed = [...page.matchAll(/<button[^>]* id="(\w+)"[^>]*" aria-pressed="false" hidden>/g)];
    assert.deepEqual(
      pressed.map(([, id]) => id),
      ['mode', 'fit'],
    );
    assert.equal(page.match(/<button type="button" id="\w+" title="[^"]+" hidden>/g)?.length, 4);
    assert.doesNotMatch(page, /style=|onclick=|<style/);
  });
});
