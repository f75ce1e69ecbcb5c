import { strict as assert } from 'node:assert';
import { day, dayAndTime, timeOfDay, useLanguage } from '../../../src/ui/text/locale.ts';
import { decimal, listOf, percentage } from '../../../src/ui/text/numbers.ts';
import { progressSentence } from '../../../src/ui/text/outcomes.ts';

/** A quarter to three in the afternoon, where the tests run. */
const afternoon = new Date(2026, 10, 26, 14, 42, 5).getTime();

/** Replaces spaces of any width with plain ones. */
const plain = (text: string) => text.replace(/\s/gu, ' ');

describe('times and numbers', () => {
  afterEach(() => useLanguage('en'));

  it('are formatted in the editor’s language', () => {
    const written = (language: string) => {
      useLanguage(language);
      const all = [timeOfDay(afternoon), day(afternoon), decimal(3.25, 1), percentage(1), listOf(['a', 'b'])];
      return all.map(plain);
    };
    assert.deepEqual(written('en'), ['2:42 PM', '11/26/2026', '3.3', '100%', 'a and b']);
    assert.deepEqual(written('de'), ['14:42', '26.11.2026', '3,3', '100 %', 'a und b']);
    assert.deepEqual(written('pt-br'), ['14:42', '26/11/2026', '3,3', '100%', 'a e b']);
    useLanguage('en');
    assert.match(plain(dayAndTime(afternoon)), /^11\/26\/26, 2:42:05 PM$/);
  });

  it('are formatted in the machine’s language when the editor names no valid one', () => {
    const usual = new Intl.NumberFormat().format(3.25);
    for (const language of ['', 'not_a_language', '🦊']) {
      useLanguage(language);
      assert.equal(decimal(3.25, 2), usual, language);
    }
  });

  it('are formatted so in the progress of a bulk end', () => {
    useLanguage('de');
    assert.equal(
      progressSentence({ total: 400, sent: 33, settled: 0 }, 10_000),
      '33 of 400 requested, 3,3 per second, 2 min left',
    );
  });
});
