import { strict as assert } from 'node:assert';
import { pageId } from '../../../src/core/ids.ts';
import type { Page } from '../../../src/core/page.ts';
import { bestName } from '../../../src/core/sessionName.ts';
import { someSession } from '../sessions.ts';

const page = (title: string, url: string): Page => ({ id: pageId('p'), title, url });
const cart = page('Cart', 'https://shop.example/cart?secret=1');

describe('the name of a session', () => {
  const textOf = (...args: Parameters<typeof bestName>) => bestName(...args).text;

  it('is the one its owner gave it, whatever its page is called', () => {
    assert.deepEqual(bestName(someSession('a', { name: 'nightly', pages: [cart] })), {
      text: 'nightly',
      from: 'owner',
    });
  });

  it('is the name or job in its metadata, the most specific key first', () => {
    const named = (metadata: Record<string, string>) =>
      textOf(someSession('a', { metadata: new Map(Object.entries(metadata)), pages: [cart] }));
    assert.equal(named({ stagehand: 'true', job: 'checkout' }), 'checkout');
    assert.equal(named({ job: 'checkout', name: 'cart test' }), 'cart test');
    assert.equal(named({ 'Job-Name': 'checkout' }), 'checkout');
    assert.equal(named({ taskName: 'scrape', TASK: '\u202e' }), 'scrape');
    assert.equal(named({ owner: 'anna', apiToken: 'x' }), 'Cart · shop.example');
  });

  it('is in a tag that says so, but not just any tag', () => {
    const named = (...tags: string[]) => textOf(someSession('a', { tags }));
    assert.equal(named('prod', 'job:nightly'), 'nightly');
    assert.equal(named('name=cart:test', 'job:nightly'), 'cart:test');
    assert.equal(named('prod', 'https://a.example', 'name:'), '');
  });

  it('is else the title and host of its page, and never the values in its address', () => {
    const named = (...pages: Page[]) => bestName(someSession('a', { pages }));
    assert.deepEqual(named(cart), { text: 'Cart · shop.example', from: 'page' });
    assert.equal(named(page('', 'about:blank'), cart).text, 'Cart · shop.example');
    assert.equal(named(page('', 'https://shop.example/x?y=secret')).text, 'shop.example');
    assert.equal(named(page('shop.example/x?•••', 'https://shop.example/x?y')).text, 'shop.example/x?•••');
    assert.equal(named(page('Cart', 'data:text/html,secret')).text, 'Cart');
    assert.equal(named(page('Cart', 'http://localhost:3000/cart')).text, 'Cart');
    assert.equal(named(page('', 'http://127.0.0.1:3000/cart')).text, '127.0.0.1:3000');
    assert.deepEqual(named(), { text: '', from: 'nothing' });
  });

  it('is a fetched page’s where the list has none, and until then the host that the list says', () => {
    const session = someSession('a', { host: 'shop.example' });
    assert.deepEqual(bestName(session), { text: 'shop.example', from: 'host' });
    assert.equal(textOf(session, [cart]), 'Cart · shop.example');
    assert.equal(textOf(session, []), 'shop.example');
  });

  it('is plain and short, whatever was written', () => {
    const evil = `[x](command:quit) $(trash)\u202e\u0000\n${'y'.repeat(10_000)}`;
    for (const session of [
      someSession('a', { name: evil }),
      someSession('a', { metadata: new Map([['job', evil]]) }),
      someSession('a', { tags: [`job:${evil}`] }),
      someSession('a', { pages: [page(evil, 'https://shop.example/')] }),
      someSession('a', { host: evil }),
    ]) {
      assert.match(textOf(session), /^\[x\] \(command:quit\) \$ \(trash\) y+/);
      assert.ok(textOf(session).length <= 80);
    }
    for (const empty of ['', '   ', '\u200b\u2060', '\n']) {
      assert.equal(textOf(someSession('a', { name: empty, pages: [cart] })), 'Cart · shop.example');
    }
  });
});
