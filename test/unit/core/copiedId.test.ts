import { strict as assert } from 'node:assert';
import { copiedSessionId } from '../../../src/core/copiedId.ts';
import { ownTimeOf } from '../../host/ownTime.ts';

const id = '9b6f4e2a-1c3d-4e5f-8a7b-0c1d2e3f4a5b';

describe('a copied session ID', () => {
  const understood: readonly (readonly [copied: string, found: string])[] = [
    [id, id],
    [`  ${id}\n`, id],
    [`"${id}"`, id],
    [`"${id}",`, id],
    [`'${id}';`, id],
    [`\`${id}\``, id],
    [`“${id}”`, id],
    [`<${id}>`, id],
    [`[ "${id}", ]`, id],
    [`\u200b${id}\ufeff`, id],
    [`"id": "${id}",`, id],
    [`{"sessionId":"${id}"}`, id],
    [`session_id=${id}`, id],
    [`ID: ${id}`, id],
    ['session-id-that-begins-with-a-key', 'session-id-that-begins-with-a-key'],
    ['id', 'id'],
    ['sess_a.b~c:d', 'sess_a.b~c:d'],
    // Pages that people open.
    [`https://www.browserbase.com/sessions/${id}`, id],
    [`https://www.browserbase.com/sessions/${id}?tab=logs#events`, id],
    [`https://app.anchorbrowser.io/sessions/${id}/`, id],
    [`https://dashboard.example/#/sessions/${id}`, id],
    [`www.browserbase.com/sessions/${id}`, id],
    [`"https://www.browserbase.com/sessions/${id}",`, id],
    // Live views.
    [`https://live.anchorbrowser.io?sessionId=${id}`, id],
    [`https://live.anchorbrowser.io/inspector.html?host=connect.anchorbrowser.io&sessionId=${id}`, id],
    [
      `https://www.browserbase.com/devtools-fullscreen/inspector.html?wss=connect.browserbase.com/debug/${id}/devtools/page/AB12?debug=true`,
      id,
    ],
    // Addresses that scripts connect to.
    [`wss://connect.browserbase.com?apiKey=bb_live_canary&sessionId=${id}`, id],
    [`wss://connect.anchorbrowser.io/?apiKey=sk-canary&session_id=${id}`, id],
    [`ws://127.0.0.1:3000/devtools/browser/${id}`, id],
    [`http://127.0.0.1:3000/devtools/inspector.html?ws=127.0.0.1:3000/devtools/browser/${id}`, id],
    // Addresses of API calls.
    [`https://api.browserbase.com/v1/sessions/${id}/debug`, id],
    [`https://api.anchorbrowser.io/v1/sessions/${id}/pages`, id],
    [`http://localhost:3000/kill/${id}?token=canary`, id],
    [`/kill/${id}`, id],
    [`http://gateway.example/api/sessions/${id}`, id],
    [`https://production-sfo.browserless.io/browser/${id}?token=canary`, id],
    ['https://api.example/v1/sessions/sess%5Fa', 'sess_a'],
  ];
  for (const [copied, found] of understood) {
    it(`is found in ${JSON.stringify(copied)}`, () => {
      assert.equal(copiedSessionId(copied), found);
    });
  }

  const refused: readonly string[] = [
    '',
    '  ',
    '","',
    'all',
    'ALL',
    '"all",',
    'id: all',
    '/kill/all',
    'http://localhost:3000/kill/all?token=canary',
    'http://localhost:3000/kill/%61ll',
    'https://api.anchorbrowser.io/v1/sessions/all',
    'https://api.anchorbrowser.io/v1/sessions/all/status',
    'https://live.anchorbrowser.io?sessionId=all',
    'a/b',
    '../sessions',
    'https://www.browserbase.com/sessions',
    'https://www.browserbase.com/sessions/',
    'https://www.browserbase.com/',
    'https://api.anchorbrowser.io/v1/batch-sessions/batch_1',
    'http://127.0.0.1:3000/devtools/page/AB12',
    'http://127.0.0.1:3000/devtools/inspector.html?ws=127.0.0.1:3000/devtools/page/AB12',
    'https://www.browserbase.com/sessions/a%2Fb',
    'https://www.browserbase.com/sessions/%E0%A4%A',
    'https://example.com/?token=secret',
    'two words',
    `${id} ${id}`,
    `${id}\n${id}`,
    `https://a.example/sessions/${id}\nhttps://a.example/sessions/${id}`,
    'x'.repeat(257),
    'x'.repeat(10_000),
    'half \ud800',
    'sess_a?x=1',
    'sess_a#b',
  ];
  for (const copied of refused) {
    it(`is not guessed from ${JSON.stringify(copied.slice(0, 90))}`, () => {
      assert.equal(copiedSessionId(copied), undefined);
    });
  }

  it('is found quickly, however long and odd the text is', () => {
    for (const piece of ['"', ' ', '{', '\u200b', 'id:', '/sessions/', 'https://', '?ws=']) {
      const long = piece.repeat(4_090 / piece.length);
      for (const text of [long, `x${long}x`]) {
        assert.ok(ownTimeOf(() => copiedSessionId(text)) < 50, piece);
      }
    }
    assert.equal(copiedSessionId('"" \u200b'), undefined);
  });
});
