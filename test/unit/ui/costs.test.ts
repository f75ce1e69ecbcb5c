import { strict as assert } from 'node:assert';
import { costText, shortCost, usageText } from '../../../src/ui/text/costs.ts';
import { useLanguage } from '../../../src/ui/text/locale.ts';

const estimated = (amount: number) => ({ kind: 'estimated', amount }) as const;
const reported = (used: number) => ({ kind: 'reported', usage: { unit: 'credits', used } }) as const;

describe('costs in words', () => {
  beforeEach(() => useLanguage('en'));
  after(() => useLanguage('en'));

  it('mark an estimate with ≈, in the user’s currency as their language writes it', () => {
    assert.equal(costText(estimated(4.1), 'USD'), '≈ $4.10 so far');
    assert.equal(shortCost(estimated(1234.5), 'EUR'), '≈ €1,234.50');
    useLanguage('de');
    assert.equal(shortCost(estimated(1234.5), 'EUR'), '≈ 1.234,50\u00a0€');
  });

  it('use any other word or symbol that the user wrote for their currency', () => {
    assert.equal(shortCost(estimated(4.1), '₿'), '≈ ₿4.10');
    assert.equal(shortCost(estimated(4.1), 'QQQ').replace('\u00a0', ' '), '≈ QQQ 4.10');
    useLanguage('de');
    assert.equal(shortCost(estimated(4.1), 'Taler'), '≈ 4,10\u00a0Taler');
  });

  it('show what a provider reports without ≈', () => {
    assert.equal(costText(reported(12.5), 'USD'), '12.5 credits so far');
    assert.equal(costText(reported(1), 'USD'), '1 credit so far');
    assert.equal(shortCost(reported(0.126), 'USD'), '0.13 credits');
  });

  it('say what an account has used, what is included, the limit and what is left', () => {
    assert.equal(
      usageText({ unit: 'credits', used: 12.5, included: 50, limit: 100, left: 42.5 }),
      '12.5 credits used · 50 included · limit 100 · 42.5 left',
    );
    assert.equal(usageText({ unit: 'minutes', used: 1234 }), '1,234 browser minutes used');
    assert.equal(usageText({ unit: 'proxyBytes', used: 1_500_000_000 }), '1.5 GB through proxies used');
  });

  it('stay short for the largest and smallest figures', () => {
    assert.equal(usageText({ unit: 'proxyBytes', used: 1e18 }), '1,000 PB through proxies used');
    assert.equal(usageText({ unit: 'proxyBytes', used: 0 }), '0 byte through proxies used');
    assert.ok(shortCost(reported(1e18), 'USD').length < 40);
  });
});
