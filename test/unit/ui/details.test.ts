import { strict as assert } from 'node:assert';
import type { Account } from '../../../src/core/account.ts';
import { accountId, pageId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { SessionStore } from '../../../src/services/sessionStore.ts';
import { detailsText } from '../../../src/ui/words/details.ts';
import { someSession } from '../sessions.ts';

const account: Account = {
  id: accountId('uuid-1'),
  provider: 'anchor',
  label: 'prod',
  origin: 'https://api.anchorbrowser.io',
};

/** The text about a session, and what it says. */
function detailsOf(session: Session) {
  const store = new SessionStore(() => Date.parse('2026-11-22T12:12:00Z'));
  store.setAccounts([account.id]);
  const run = store.beginList(account.id);
  run.arrive({ sessions: [session], groups: [], faults: [], account: undefined });
  run.complete(true);
  const text = detailsText(account, session, store);
  return { text, said: JSON.parse(text) };
}

describe('details', () => {
  it('say what is known of a session, and mask what may be a secret', () => {
    const urls = ['https://a.example/x?token=t-canary&q=1#f-canary', 'https://a.example/?b-canary', 'data:d-canary'];
    const { text, said } = detailsOf(
      someSession('a', {
        name: 'checkout',
        heldBack: 'It was started with apiKey=h-canary of your team.',
        tags: ['secret=g-canary'],
        metadata: new Map([
          ['password', 'm-canary'],
          ['owner', 'anna'],
        ]),
        pages: urls.map((url, index) => ({ id: pageId(`p${index}`), title: '', url })),
      }),
    );
    assert.doesNotMatch(text, /canary/);
    assert.deepEqual(said.metadata, { password: '•••', owner: 'anna' });
    assert.deepEqual(
      said.pages.map(({ url }: { url: string }) => url),
      ['https://a.example/x?token=•••&q=•••#•••', 'https://a.example/?•••', 'data:•••'],
    );
    assert.equal(said.startedAt, '2026-11-22T12:00:00.000Z');
  });

  it('mask the query of an address that stands for a title, as Chrome writes it where a page has none', () => {
    // [the page's address, what Chrome calls it, what is told of that]
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
      // The page has gone on, and its title not yet.
      ['http://a.example/next', 'a.example/?q=canary', 'a.example/?q=•••'],
    ] as const;
    for (const [url, title, told] of untitled) {
      const { text, said } = detailsOf(someSession('a', { name: title, pages: [{ id: pageId('p'), title, url }] }));
      assert.deepEqual([said.name, said.pages[0].title], [told, told]);
      assert.doesNotMatch(text, /canary|can ary/);
    }
  });

  it('leave titles that are no address as they are', () => {
    const urls = ['https://a.example/?q=1#top', ''];
    for (const title of [
      'What is new? - A',
      'Why?',
      'C# and F#',
      'a.example: what now?',
      'Note: really?',
      'a.example',
    ]) {
      const { said } = detailsOf(
        someSession('a', { name: title, pages: urls.map((url, index) => ({ id: pageId(`p${index}`), title, url })) }),
      );
      assert.deepEqual([said.name, said.pages[0].title], [title, title]);
    }
  });

  it('show what cannot be seen, and lose nothing of it', () => {
    const name = 'a\u202eb\u200bc\u{e0041}\ufeff';
    const { text, said } = detailsOf(someSession('a', { name, metadata: new Map([['\u2066key', '\u0085']]) }));
    assert.doesNotMatch(text, /[\p{Cf}\u007f-\u009f]/u);
    assert.match(text, /"a\\u202eb\\u200bc\\udb40\\udc41\\ufeff"/);
    assert.equal(said.name, name);
  });

  it('leave out a time that is none', () => {
    const { said } = detailsOf(someSession('a', { startedAt: 1e20 }));
    assert.equal(said.startedAt, undefined);
  });
});
