import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { bundleFile, currentBundle } from '../l10n.ts';

describe('sentences for translators', function () {
  // Reading all of the files takes the processor for several seconds.
  this.timeout(60_000);
  it('are all in the bundle that `npm run l10n` writes', async () => {
    assert.equal(readFileSync(bundleFile, 'utf8'), await currentBundle());
  });

  it('come from the sources and from the providers', () => {
    const bundle = JSON.parse(readFileSync(bundleFile, 'utf8'));
    assert.ok('End session "{0}"?' in bundle);
    assert.ok(
      "The browser closes. Unsaved work in the page and downloads that you haven't retrieved are lost. Running scripts are disconnected." in
        bundle,
    );
  });
});

/** Phrases that mustn't appear on screen. */
const notPlainEnglish =
  /\b(anew|whoever|nobody|somebody|everybody|meanwhile|of which|that of|those of|all the same|vendors?|proven?|proof|steer\w*|look whether|begins? only)\b|cannot be had|is not possible here|runs? on\b|go(es)? on\b|had ended already|not there any longer|was gone before|[“”‘’]|\b(cannot|could not|does not|did not)\b/i;

describe('shown text', () => {
  const bundle: Record<string, string | { message: string }> = JSON.parse(readFileSync(bundleFile, 'utf8'));
  const nls: Record<string, string> = JSON.parse(readFileSync('package.nls.json', 'utf8'));
  const texts = [...Object.values(bundle), ...Object.values(nls)].map((text) =>
    typeof text === 'string' ? text : text.message,
  );

  it('is in plain English', () => {
    assert.ok(texts.length > 400);
    assert.deepEqual(
      texts.filter((text) => notPlainEnglish.test(text)),
      [],
    );
  });

  it('is reported if it isn’t', () => {
    for (const text of ['Connect anew', 'The vendor', 'This page cannot be had', 'Whoever has it', 'End “a”?'])
      assert.match(text, notPlainEnglish);
  });
});
