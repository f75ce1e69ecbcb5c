import { strict as assert } from 'node:assert';
import type { Screencast } from '../../../../src/cdp/screencast.ts';
import type { ScreencastState } from '../../../../src/cdp/screencastState.ts';
import { accountId, type PageId, pageId, sessionId } from '../../../../src/core/ids.ts';
import type { LiveView } from '../../../../src/core/liveView.ts';
import { anchor } from '../../../../src/providers/anchor/index.ts';
import { SessionStore } from '../../../../src/services/sessions/sessionStore.ts';
import { needsNewFrame, panelState, type Shown } from '../../../../src/ui/liveView/panelState.ts';
import { keepingAll, someSession } from '../../sessions.ts';

const account = { id: accountId('uuid-1'), provider: 'anchor', label: 'prod', origin: 'https://api.anchorbrowser.io' };
const session = someSession('sess_a', { startedAt: 0 });
const view: LiveView = {
  url: new URL('https://live.anchorbrowser.io/x?rt=canary'),
  sandbox: 'allow-scripts',
  allow: '',
  fixedMode: false,
  singleUse: 'no',
  disconnectMessage: undefined,
};
const now = 12 * 60_000;

describe('the state a panel draws', () => {
  let store: SessionStore;
  const usual: Shown = {
    target: { accountId: account.id, sessionId: session.id, pageId: undefined },
    mode: 'watch',
    stage: { kind: 'frame', view, url: view.url, number: 1, forgives: 0 },
    name: 'checkout',
    account,
    kind: anchor,
    session,
    firstStart: session.startedAt,
    keyAt: 1_000,
    pages: [
      { id: pageId('p1'), title: '<img src=x> \u202e](command:x)', url: 'https://a.example/' },
      { id: pageId('p2'), title: '', url: 'https://b.example/?secret=canary' },
    ],
    hasSeenInteractNotice: false,
    seenClipboardUse: undefined,
    hint: false,
    lasts: true,
  };
  const drawn = (more: Partial<Shown> = {}) => panelState({ ...usual, ...more }, store, now);
  /** A stage with a screencast in this state. */
  const cast = (state: Partial<ScreencastState>): Shown['stage'] => {
    const whole = { pages: usual.pages, shown: undefined, condition: 'live', dialog: undefined, ...state } as const;
    return { kind: 'cast', screencast: { state: whole } as Screencast };
  };

  beforeEach(() => {
    store = new SessionStore(() => now);
    store.setAccounts([account.id]);
    list();
  });

  function list(): void {
    const run = store.beginList(account.id);
    run.arrive({ sessions: [session], groups: [], faults: [], account: undefined });
    run.complete(keepingAll);
  }

  it('says which session is shown and how long it has run, and has no address except the frame’s', () => {
    const { identity, name, account: where, status, dot, dotWord, pages, stage, can } = drawn();
    assert.deepEqual([name, where, status], ['checkout', 'Anchor Browser · prod', 'running for 12 minutes']);
    assert.deepEqual([dot, dotWord], ['live', 'running']);
    assert.deepEqual(pages, [
      { id: 'p1', label: '<img src=x> ] (command:x)' },
      { id: 'p2', label: 'b.example/' },
    ]);
    assert.doesNotMatch(JSON.stringify({ identity, pages, can, name, where }), /canary/);
    assert.ok(stage.kind === 'frame' && stage.url === view.url.href);
    assert.deepEqual([can.mode, can.fit, can.endSession], [true, false, true]);
  });

  it('follows the session’s state', () => {
    store.setLife(account.id, [session.id], { kind: 'ending', since: now });
    assert.deepEqual([drawn().dot, drawn().status, drawn().can.endSession], ['ending', 'ending…', false]);
    store.setLife(account.id, [session.id], {
      kind: 'stuck',
      since: now,
      why: { kind: 'stillRuns', found: true, said: undefined },
    });
    assert.deepEqual([drawn().dot, drawn().status], ['trouble', 'not ended: still running']);
    store.setLife(account.id, [session.id], { kind: 'running' });
    store.beginList(account.id).complete(keepingAll);
    assert.deepEqual(
      [drawn().dot, drawn().dotWord, drawn().status],
      ['unknown', 'may still be running', 'not in the latest list'],
    );
    // A browser that sends pictures is running, whatever a list leaves out.
    assert.equal(drawn({ stage: cast({}) }).dot, 'live');
    list();
    assert.equal(drawn({ session: { ...session, phase: 'idle' } }).dotWord, 'idle');
    store.reset(account.id);
    assert.equal(drawn().dot, 'unknown');
  });

  it('warns before the first interaction, about keys too when they go to a picture, and only once', () => {
    assert.equal(drawn().notice, undefined);
    const framed = drawn({ mode: 'interact' }).notice;
    assert.match(framed?.text ?? '', /go to the page/);
    assert.doesNotMatch(framed?.text ?? '', /F6/);
    assert.match(drawn({ mode: 'interact', stage: cast({}) }).notice?.text ?? '', /until you press F6/);
    const seen = { hasSeenInteractNotice: true, seenClipboardUse: 'change' } as const;
    assert.equal(drawn({ mode: 'interact', ...seen }).notice, undefined);
    assert.equal(drawn({ mode: 'interact', stage: { kind: 'lost' } }).notice, undefined);
  });

  it('explains a frame that may be blank, with a button that dismisses nothing else', () => {
    const { notice } = drawn({ hint: true });
    assert.match(notice?.text ?? '', /Blank\?/);
    assert.deepEqual(
      notice?.buttons.map(({ button }) => button),
      ['openExternal', 'hideHint'],
    );
    assert.deepEqual(
      drawn({ hint: true, mode: 'interact' }).notice?.buttons.map(({ button }) => button),
      ['understood'],
    );
  });

  it('puts a page’s dialog before everything else, as plain text', () => {
    const question = { type: 'confirm', message: 'Really [x](command:y)\u202e?' };
    const { notice } = drawn({ stage: cast({ dialog: question }), mode: 'interact' });
    assert.equal(notice?.text, 'The page says: Really [x] (command:y)?');
    assert.deepEqual(
      notice.buttons.map(({ button }) => button),
      ['acceptDialog', 'dismissDialog'],
    );
    const alert = drawn({ stage: cast({ dialog: { type: 'alert', message: 'Hello' } }) }).notice;
    assert.deepEqual(
      alert?.buttons.map(({ button }) => button),
      ['acceptDialog'],
    );
  });

  it('dims a frame that is out of date, and hides it behind an end card unless the session may continue', () => {
    const stale = (stage: Shown['stage']) => {
      const { stage: its } = drawn({ stage });
      return its.kind === 'cast' && its.stale;
    };
    const conditions = ['live', 'background', 'opening', 'crashed', 'noPage'] as const;
    assert.deepEqual(
      conditions.map((condition) => stale(cast({ condition }))),
      [false, false, true, true, true],
    );
    assert.equal(stale({ kind: 'lost' }), true);
    const card = { heading: 'Over', lines: [], buttons: [] };
    const over = drawn({ stage: { kind: 'over', card, knownEnd: { how: 'completed', endedAt: now } } });
    assert.deepEqual(over.stage, { kind: 'card', card, overLast: true });
    assert.deepEqual([over.dot, over.status, over.pages, over.can.reload], ['ended', 'not running', [], false]);
    const hidden = drawn({ stage: { kind: 'over', card, knownEnd: { how: 'completed', endedAt: now } }, lasts: false });
    assert.deepEqual(hidden.stage, { kind: 'card', card, overLast: false });
    const orphan = drawn({ stage: { kind: 'over', card, knownEnd: undefined }, account: undefined });
    assert.deepEqual(orphan.stage, { kind: 'card', card, overLast: false });
  });

  it('doesn’t say that a session isn’t running when its end is unconfirmed', () => {
    const card = { heading: "Couldn't confirm that this session ended", lines: [], buttons: [] };
    for (const more of [{}, { account: undefined }]) {
      const { dot, dotWord, status, can } = drawn({ stage: { kind: 'over', card, knownEnd: undefined }, ...more });
      assert.deepEqual([dot, dotWord, status], ['unknown', 'may still be running', 'may still be running']);
      assert.deepEqual([can.endSession, can.copyLink, can.reload], [false, false, false]);
    }
  });

  it('names the page that is shown', () => {
    assert.equal(drawn().shownPage, 'p1');
    const target = { ...usual.target, pageId: pageId('p2') };
    assert.equal(drawn({ target }).shownPage, 'p2');
    assert.equal(drawn({ target, stage: cast({ shown: 'p1' as PageId }) }).shownPage, 'p1');
    assert.equal(drawn({ pages: [], target: { ...usual.target, sessionId: sessionId('x') } }).shownPage, '');
  });

  describe('for a provider’s viewer', () => {
    const clipboard = 'clipboard-read; clipboard-write';
    const framed = (more: Partial<LiveView>, rest: Partial<Shown> = {}) =>
      drawn({
        stage: { kind: 'frame', view: { ...view, allow: clipboard, ...more }, url: view.url, number: 1, forgives: 0 },
        ...rest,
      });
    const allow = ({ stage }: ReturnType<typeof drawn>) => (stage.kind === 'frame' ? stage.allow : undefined);

    it('gives a viewer nothing while it is view only, and the clipboard only if it needs it to interact', () => {
      assert.equal(allow(framed({})), '');
      assert.equal(allow(framed({}, { mode: 'interact' })), clipboard);
      assert.equal(allow(framed({ allow: '' }, { mode: 'interact' })), '');
    });

    it('requests a viewer again after interacting if its frame would stay, in which the last click still counts', () => {
      for (const [more, isNeeded] of [
        [{ allow: '', singleUse: 'no' }, true],
        [{ allow: clipboard, singleUse: 'unknown' }, true],
        [{ allow: clipboard, singleUse: 'yes' }, true],
        [{ allow: clipboard, singleUse: 'no' }, false],
      ] as const) {
        assert.equal(needsNewFrame({ ...view, fixedMode: false, ...more }, 'watch'), isNeeded);
        assert.equal(needsNewFrame({ ...view, fixedMode: false, ...more }, 'interact'), false);
        assert.ok(needsNewFrame({ ...view, ...more, fixedMode: true }, 'interact'));
      }
    });

    it('never reloads a link that may be single-use to allow the clipboard', () => {
      for (const singleUse of ['yes', 'unknown'] as const) {
        assert.equal(allow(framed({ singleUse })), '');
        assert.equal(allow(framed({ singleUse }, { mode: 'interact' })), '');
      }
    });

    it('says once that a viewer can use the clipboard, even to someone who has seen the interaction warning', () => {
      const says = (more: Partial<LiveView>, rest: Partial<Shown>) => framed(more, rest).notice?.text ?? '';
      const interact = { mode: 'interact', hasSeenInteractNotice: true } as const;
      assert.match(says({}, interact), /read and change your clipboard/);
      assert.equal(says({}, { ...interact, mode: 'watch' }), '');
      assert.match(says({}, { ...interact, seenClipboardUse: 'change' }), /read and change your clipboard/);
      assert.equal(says({}, { ...interact, seenClipboardUse: 'readAndChange' }), '');
      // Without a permission, it can still copy.
      assert.match(says({ allow: '' }, interact), /can also change your clipboard/);
      assert.equal(says({ allow: '' }, { ...interact, seenClipboardUse: 'change' }), '');
      assert.equal(says({ allow: '' }, { ...interact, seenClipboardUse: 'readAndChange' }), '');
    });
  });
});
