import { strict as assert } from 'node:assert';
import { titleWithoutValues } from '../../../src/core/maskedAddress.ts';
import { ownTimeOf } from '../../host/ownTime.ts';

describe('a title that may be an address', () => {
  it('keeps none of the address’s values, as Chrome writes them when a page has no title', () => {
    // [the page's address, Chrome's title for it, the masked title]
    const untitled = [
      [
        'http://127.0.0.1:80/form?code=can%20ary&x=%C3%A9#canary',
        '127.0.0.1/form?code=can ary&x=é#canary',
        '127.0.0.1/form?code=•••&x=•••#•••',
      ],
      ['https://a.example/?canary', 'https://a.example/?canary', 'https://a.example/?•••'],
      ['http://xn--bcher-kva.example/?q=canary', 'bücher.example/?q=canary', 'bücher.example/?q=•••'],
      ['file:///tmp/report.html?q=canary', 'report.html?q=canary', 'report.html?q=•••'],
      ['view-source:http://a.example/?q=canary', 'view-source:a.example/?q=canary', 'view-source:a.example/?q=•••'],
      ['about:blank?canary', 'about:blank?canary', 'about:blank?•••'],
      ['data:text/html,canary', 'data:text/html,canary', 'data:•••'],
      [
        'view-source:https://a.example/?q=canary',
        'view-source:https://a.example/?q=canary',
        'view-source:https://a.example/?q=•••',
      ],
      // The page has moved on, but its title hasn't yet.
      ['http://a.example/next', 'a.example/?q=canary', 'a.example/?q=•••'],
      ['http://127.0.0.1/slow', 'localhost:8080/cb?code=canary', 'localhost:8080/cb?code=•••'],
      ['https://b.example/', 'https://login.example/cb?code=canary#canary', 'https://login.example/cb?code=•••#•••'],
      // Text that ends like a file name, but isn't one.
      ['https://a.example/', 'a.example/invite?dG9rZW4tY2FuYXJ5LWNhbmFyeQ==', 'a.example/invite?•••'],
      ['https://a.example/', 'a.example/x;jsessionid=canary?q=', 'a.example/x;jsessionid=•••?q=•••'],
    ] as const;
    for (const [url, title, masked] of untitled) assert.equal(titleWithoutValues(title, url), masked);
  });

  it('keeps no value of its path, even if it has no query', () => {
    const url = 'https://shop.example/cart;jsessionid=0123456789';
    assert.equal(
      titleWithoutValues('shop.example/cart;jsessionid=0123456789', url),
      'shop.example/cart;jsessionid=•••',
    );
    assert.equal(titleWithoutValues('Bread; butter=soft', url), 'Bread; butter=soft');
  });

  it('is short and quick to check, however long the page’s title is', () => {
    // A pattern that tries each position against every other would take days for this.
    for (const part of ['/', 'a', 'a.', '?', 'a?', '%41', ';a=', ' ']) {
      const long = part.repeat(1_000_000);
      for (const url of ['', long]) assert.ok(titleWithoutValues(long, url).length <= 1_500, part);
    }
  });

  it('is quick to check for thousands of pages, whatever their titles are made of', function () {
    // Takes a tenth of a second. A pattern that tries each position against every other would take 15 s.
    this.timeout(5_000);
    for (const part of ['.', './', ':', ';', ';a', '.;'])
      for (let page = 0; page < 5_000; page++) titleWithoutValues(part.repeat(500), '');
  });

  it('is quick to compare with the page’s address, however long that is and whatever it contains', () => {
    for (const part of ['a%ff', 'a%41', '%', '%e3%81%82', '%zz']) {
      const url = `https://a.example/#${part.repeat(480_000)}`;
      const ms = ownTimeOf(() => {
        for (let pages = 0; pages < 100; pages++) titleWithoutValues('Shop #2', url);
        for (let pages = 0; pages < 100; pages++) titleWithoutValues('Shop #2', url.slice(0, 8_192));
      });
      assert.ok(ms < 100, `${part}: ${Math.round(ms)} ms`);
    }
    // What can't be compared may be an address.
    assert.equal(titleWithoutValues('Shop #2', `https://a.example/${'a'.repeat(8_192)}`), 'Shop #•••');
  });

  it('keeps none of an address with bytes that aren’t UTF-8', () => {
    const url = 'http://a.example/%E4?q=%41%ff&r=%zz%4g#%e3%81%82';
    for (const tail of ['?q=A%ff&r=%zz%4g#あ', '?q=%41%ff&r=%zz%4g#%E3%81%82']) {
      assert.equal(titleWithoutValues(`Ä${tail}`, url), 'Ä?q=•••&r=•••#•••');
    }
  });

  it('stays unchanged when it isn’t an address', () => {
    const titles = ['', 'What is new? - A', 'Why?', 'C# and F#', 'a.example: what now?', 'Note: really?', 'a.example'];
    for (const title of titles) {
      for (const url of ['https://a.example/?q=1#top', '']) assert.equal(titleWithoutValues(title, url), title);
    }
  });
});
