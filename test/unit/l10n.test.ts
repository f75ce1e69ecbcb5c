import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { bundleFile, currentBundle } from '../l10n.ts';

describe('sentences for translators', () => {
  it('are all in the bundle: `npm run l10n` writes it', async () => {
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
