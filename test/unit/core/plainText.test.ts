import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { plainText, withoutInvisible } from '../../../src/core/plainText.ts';

describe('plainText', () => {
  it('leaves ordinary text in any script alone', () => {
    for (const text of ['checkout.example.com', 'Zażółć gęślą jaźń', '買い物かご', 'Ünïcödé (1) [2]', 'a $5 offer']) {
      assert.equal(plainText(text), text);
    }
  });

  it('removes control, bidi, zero-width and tag characters', () => {
    const raw = 'a\u0000b\u001b[31mc\u202ed\u2066e\u200bf\ufeffg\u00adh\u{e0041}i';
    assert.equal(plainText(raw), 'ab[31mcdefghi');
    assert.equal(plainText('a\u3164b\ufe0fc\u034fd\u115fe'), 'abcde');
    assert.equal(plainText('\u3164 \uffa0'), '');
  });

  it('joins lines into one, and turns blanks into an empty text', () => {
    assert.equal(plainText(' a\r\n\tb\u2028c\u00a0 d '), 'a b c d');
    assert.equal(plainText(' \n\u200b'), '');
  });

  it('breaks links that notifications would create and icons that quick picks would draw', () => {
    assert.equal(plainText('[x](command:evil)'), '[x] (command:evil)');
    assert.equal(plainText('$(trash) $$(a)'), '$ (trash) $$ (a)');
    // Nothing that is removed may join the two halves.
    assert.equal(plainText(']\u200b(command:evil) $\u202e(trash)'), '] (command:evil) $ (trash)');
  });

  it('cuts between characters, not inside them', () => {
    assert.equal(plainText('😀'.repeat(100), 10), `${'😀'.repeat(9)}…`);
    for (const fits of [9, 10]) assert.equal(plainText('😀'.repeat(fits), 10), '😀'.repeat(fits));
    assert.equal(plainText('😀'.repeat(11), 10), `${'😀'.repeat(9)}…`);
    assert.equal(Array.from(plainText('x'.repeat(10_000))).length, 80);
  });

  it('leaves text that just fits alone, and leaves no blank before the ellipsis when cutting', () => {
    assert.equal(plainText('x'.repeat(80)), 'x'.repeat(80));
    assert.equal(plainText('x'.repeat(81)), `${'x'.repeat(79)}…`);
    assert.equal(plainText('abc defgh', 5), 'abc…');
  });

  it('skips hundreds of invisible characters without reading a long text to its end', () => {
    assert.equal(plainText(`${'\u200b'.repeat(500)}x`), 'x');
    assert.equal(plainText(`${'\u200b'.repeat(1_000)}x`), '');
  });

  it('keeps only a few marks on a letter', () => {
    assert.equal(plainText(`a${'\u0301'.repeat(200)}b`), `a${'\u0301'.repeat(3)}b`);
  });

  it('returns plain text for any input, and is idempotent', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.string({ unit: fc.constantFrom('$', '(', '[', ']', ')', '\u200b', 'x', ' ') }),
    );
    fc.assert(
      fc.property(text, (raw) => {
        const plain = plainText(raw);
        assert.ok(Array.from(plain).length <= 80);
        assert.doesNotMatch(plain, /[\p{Cc}\p{Cf}]|\]\(|\$\(|\n/u);
        assert.equal(plainText(plain), plain);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('withoutInvisible', () => {
  it('removes invisible characters, and keeps blanks, line breaks and any other text', () => {
    assert.equal(withoutInvisible('a\u200bb\ufeffc\u202ed\u00ade'), 'abcde');
    assert.equal(withoutInvisible(' a\tb\r\nc\u00a0d  '), ' a\tb\r\nc\u00a0d  ');
    assert.equal(withoutInvisible('](command:x) $(y)'), '](command:x) $(y)');
  });
});
