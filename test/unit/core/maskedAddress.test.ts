import { strict as assert } from 'node:assert';
import { titleWithoutValues } from '../../../src/core/maskedAddress.ts';

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

  it('is short and quick to check, however long the page’s title is', () => {
    // A pattern that tries each position against every other would take days for this.
    for (const part of ['/', 'a', 'a.', '?', 'a?', '%41', ';a=', ' ']) {
      const long = part.repeat(1_000_000);
      for (const url of ['', long]) assert.ok(titleWithoutValues(long, url).length <= 1_500, part);
    }
  });

  it('stays unchanged when it isn’t an address', () => {
    const titles = ['', 'What is new? - A', 'Why?', 'C# and F#', 'a.example: what now?', 'Note: really?', 'a.example'];
    for (const title of titles) {
      for (const url of ['https://a.example/?q=1#top', '']) assert.equal(titleWithoutValues(title, url), title);
    }
  });
});
