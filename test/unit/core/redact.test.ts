import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { redactor } from '../../../src/core/redact.ts';

describe('redactor', () => {
  it('takes secrets out as they are, URL-encoded and in Base64', () => {
    const secret = 'sk-1+2/3=4';
    const redact = redactor([secret]);
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
      Buffer.from(`${secret}:`).toString('base64'),
    ]) {
      assert.equal(redact(`a ${form} b`).includes(form.replace(/=+$/, '')), false, form);
    }
  });

  it('takes out what is named like a secret though nobody told it', () => {
    const redact = redactor([]);
    assert.equal(redact('wss://h/?apiKey=abc&x=1'), 'wss://h/?apiKey=•••&x=1');
    assert.equal(redact('{"token":"abc","a":1}'), '{"token":"•••","a":1}');
    assert.equal(redact('authorization: Bearer abc.def'), 'authorization: •••');
    assert.equal(redact('https://me:pw@host/x'), 'https://•••@host/x');
  });

  it('leaves no secret in any text around it', () => {
    const secret = fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(fc.string(), secret, fc.string(), (before, canary, after) => {
        assert.ok(!redactor([canary])(before + canary + after).includes(canary) || '•••'.includes(canary));
      }),
      { numRuns: 1_000 },
    );
  });
});
