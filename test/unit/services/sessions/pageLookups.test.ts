import { strict as assert } from 'node:assert';
import { type SessionId, sessionId } from '../../../../src/core/ids.ts';
import { PageLookups } from '../../../../src/services/sessions/pageLookups.ts';
import { failure, type ScriptedProvider, type ScriptedServices, scriptedServices } from '../scriptedProvider.ts';

const minute = 60_000;

describe('page lookups', () => {
  let scene: ScriptedServices;
  let lookups: PageLookups;

  async function start(count: number, prepare: (provider: ScriptedProvider) => void = () => {}): Promise<void> {
    scene = await scriptedServices((provider) => {
      provider.mayLookUpPages = true;
      provider.onPages = (id) => [{ id: `page-${id}`, title: `Page of ${id}`, url: 'https://shop.example/' }];
      for (let n = 0; n < count; n++) provider.start(`s${n}`);
      prepare(provider);
    });
    lookups = new PageLookups({ ...scene.services, clock: scene.clock });
  }
  afterEach(() => {
    lookups.dispose();
    scene.services.dispose();
  });

  const ids = (count: number, from = 0): SessionId[] =>
    Array.from({ length: count }, (_, n) => sessionId(`s${n + from}`));
  const pass = (ms: number) => scene.over(scene.clock.wait(ms));
  const look = (visible = true, focused = true) => {
    scene.services.refresher.setAttention({ visible, focused });
    lookups.setAttention({ visible, focused });
  };
  const draw = (count: number) => lookups.draw(scene.id, 'acct', ids(count));
  const asked = () => scene.provider.asked('pages');
  const titleOf = (id: string) => {
    const list = scene.services.store.pages(scene.id, sessionId(id));
    return list?.kind === 'ready' ? list.pages[0]?.title : undefined;
  };

  it('fetch the pages of the rows that are drawn, three at a time, the first rows first', async () => {
    await start(12);
    look();
    draw(10);
    await pass(5_000);
    assert.deepEqual(asked(), ids(10));
    assert.equal(titleOf('s9'), 'Page of s9');
    assert.equal(titleOf('s10'), undefined);
    assert.equal(scene.provider.most.get('pages'), 3);
  });

  it('send at most 60 requests in ten minutes while nothing changes, lists included', async () => {
    await start(200);
    look();
    draw(200);
    const before = scene.provider.calls.length;
    await pass(10 * minute);
    const sent = scene.provider.calls.slice(before);
    assert.ok(sent.length <= 60, `${sent.length} requests`);
    assert.equal(asked().length, 30);
    // In any ten minutes, not only the first.
    await pass(50 * minute);
    const times = scene.provider.calls.map(({ at }) => at);
    for (const from of times) {
      const within = times.filter((at) => at >= from && at < from + 10 * minute).length;
      assert.ok(within <= 60, `${within} requests`);
    }
  });

  it('send nothing while the view is hidden or the window isn’t focused', async () => {
    await start(5);
    draw(5);
    look(false);
    await pass(10 * minute);
    assert.deepEqual(asked(), []);
    look(true, false);
    await pass(10 * minute);
    assert.deepEqual(asked(), []);
    look();
    await pass(minute);
    assert.equal(asked().length, 5);
    look(false);
    const before = scene.provider.calls.length;
    await pass(10 * minute);
    assert.equal(scene.provider.calls.length, before);
  });

  it('send nothing where asking may keep a session running', async () => {
    await start(5, (provider) => {
      provider.mayLookUpPages = undefined;
    });
    look();
    draw(5);
    await pass(10 * minute);
    assert.deepEqual(asked(), []);
  });

  it('send nothing for rows that are no longer drawn, sessions that are ending, and those whose list has pages', async () => {
    await start(6, (provider) => {
      provider.start('s4', { pages: [] });
    });
    scene.services.store.setLife(scene.id, [sessionId('s5')], { kind: 'ending', since: 0 });
    draw(6);
    draw(0);
    lookups.draw(scene.id, 'grp', ids(2));
    lookups.draw(scene.id, 'other', ids(2, 4));
    look();
    await pass(minute);
    assert.deepEqual(asked(), ids(2));
  });

  it('look again only after longer than the time in which an idle session ends', async () => {
    await start(2);
    look();
    draw(2);
    await pass(5 * minute);
    assert.equal(asked().length, 2);
    await pass(2 * minute);
    assert.deepEqual(asked(), [...ids(2), ...ids(2)]);
  });

  it('fire one event for each new name, and none if the pages are the same', async () => {
    await start(2);
    look();
    let events = 0;
    scene.services.store.onDidChange(() => events++);
    draw(2);
    await pass(30 * minute);
    assert.ok(asked().length > 6);
    assert.equal(events, 2);
  });

  it('keep the pages that are known when a lookup fails', async () => {
    await start(1);
    look();
    draw(1);
    await pass(minute);
    scene.provider.onPages = () => Promise.reject(failure({ kind: 'serverFault', status: 500 }));
    await pass(20 * minute);
    assert.equal(titleOf('s0'), 'Page of s0');
  });

  it('pause an account for as long as its provider says, and longer with each failure', async () => {
    await start(30);
    let retryAt: number | undefined = scene.clock.now() + 5 * minute;
    scene.provider.onPages = () => Promise.reject(failure({ kind: 'rateLimited', retryAt }));
    look();
    draw(30);
    await pass(4 * minute);
    assert.equal(asked().length, 3);
    retryAt = undefined;
    await pass(60 * minute);
    assert.ok(asked().length <= 12, `${asked().length} requests`);
  });

  it('go on with others when one session has none', async () => {
    await start(5);
    scene.provider.onPages = (id) =>
      id === 's1' ? Promise.reject(failure({ kind: 'notFound' })) : [{ id: 'p', title: id, url: '' }];
    look();
    draw(5);
    await pass(minute);
    assert.deepEqual(asked(), ids(5));
    assert.equal(titleOf('s4'), 's4');
    assert.equal(scene.services.store.pages(scene.id, sessionId('s1')), undefined);
  });

  it('count what expanded rows ask for, which a redraw doesn’t exceed', async () => {
    await start(40);
    look();
    draw(30);
    await pass(minute);
    assert.equal(asked().length, 30);
    await scene.over(lookups.load(scene.id, sessionId('s35')));
    assert.equal(asked().length, 31);
    for (let n = 0; n < 5; n++) {
      await pass(6_000);
      await scene.over(lookups.load(scene.id, sessionId('s35')));
    }
    assert.equal(asked().length, 31);
  });
});
