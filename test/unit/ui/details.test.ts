import { strict as assert } from 'node:assert';
import type { Account } from '../../../src/core/account.ts';
import { accountId, pageId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import type { Cost } from '../../../src/services/sessions/cost.ts';
import { SessionStore } from '../../../src/services/sessions/sessionStore.ts';
import { detailsText } from '../../../src/ui/text/details.ts';
import { keepingAll, someSession } from '../sessions.ts';

const account: Account = {
  id: accountId('uuid-1'),
  provider: 'anchor',
  label: 'prod',
  origin: 'https://api.anchorbrowser.io',
};

/** The details text of a session, and the parsed JSON. */
function detailsOf(session: Session) {
  const store = new SessionStore(() => Date.parse('2026-11-22T12:12:00Z'));
  store.setAccounts([account.id]);
  const run = store.beginList(account.id);
  run.arrive({ sessions: [session], groups: [], faults: [], account: undefined });
  run.complete(keepingAll);
  const text = detailsText(account, session, store);
  return { text, said: JSON.parse(text) };
}

describe('session details', () => {
  it('show what is known of a session, and mask what may be a secret', () => {
    const urls = ['https://a.example/x?token=t-canary&q=1#f-canary', 'https://a.example/?b-canary', 'data:d-canary'];
    const { text, said } = detailsOf(
      someSession('a', {
        name: 'checkout',
        bulkEndExclusion: 'It was started with apiKey=h-canary of your team.',
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

  it('have what the session has cost so far', () => {
    const session = someSession('a');
    const store = new SessionStore(Date.now);
    const said = (cost: Cost) => JSON.parse(detailsText(account, session, store, { cost, currency: 'EUR' }));
    assert.deepEqual(said({ kind: 'estimated', amount: 4.0999 }).estimatedCost, { amount: 4.1, currency: 'EUR' });
    assert.deepEqual(said({ kind: 'reported', usage: { unit: 'credits', used: 3 } }).usage, { credits: 3 });
  });

  it('show invisible characters, and lose nothing of them', () => {
    const name = 'a\u202eb\u200bc\u{e0041}\ufeff';
    const { text, said } = detailsOf(someSession('a', { name, metadata: new Map([['\u2066key', '\u0085']]) }));
    assert.doesNotMatch(text, /[\p{Cf}\u007f-\u009f]/u);
    assert.match(text, /"a\\u202eb\\u200bc\\udb40\\udc41\\ufeff"/);
    assert.equal(said.name, name);
  });

  it('leave out an invalid time', () => {
    const { said } = detailsOf(someSession('a', { startedAt: 1e20 }));
    assert.equal(said.startedAt, undefined);
  });
});
