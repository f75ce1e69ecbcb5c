import { strict as assert } from 'node:assert';
import { accountId } from '../../../../src/core/ids.ts';
import type { Trouble } from '../../../../src/core/providerError.ts';
import { failure, type ScriptedProvider, type ScriptedServices, scriptedServices, takes } from '../scriptedProvider.ts';
import { TestServices } from '../testServices.ts';

const looking = { visible: true, focused: true };
const elsewhere = { visible: true, focused: false };
const hidden = { visible: false, focused: true };
/** How much earlier or later than planned a refresh may be, as a fraction of the wait. */
const jitter = 0.2;

describe('the refresh schedule', () => {
  let at: ScriptedServices;
  let provider: ScriptedProvider;

  const open = async (prepare: (provider: ScriptedProvider) => void = () => {}, interval = 10_000) => {
    at = await scriptedServices(prepare, { interval });
    ({ provider } = at);
  };
  afterEach(() => at.services.dispose());

  const lists = () => provider.asked('list').length;
  const pass = (ms: number) => at.clock.until(at.clock.wait(ms), 2 * ms);
  /** How long it waited before each list, since the end of the previous one, or since the services were created. */
  const waits = () => {
    const times = provider.times('list');
    return times.slice(1).map((time, index) => time - (times[index] ?? 0) - takes.list);
  };
  const isAbout = (actual: number | undefined, planned: number) => {
    assert.ok(actual !== undefined, 'it was not refreshed');
    const isWithin = actual >= planned * (1 - jitter) - 1 && actual <= planned * (1 + jitter) + 1;
    assert.ok(isWithin, `${actual} ms, and not about ${planned} ms`);
  };
  /** Lets time pass until this many lists have begun. */
  const until = async (count: number) => {
    for (let times = 0; lists() < count; times++) {
      assert.ok(times < 30_000, `${lists()} lists, and not ${count}`);
      await pass(1_000);
    }
  };

  it('requests nothing while the view is hidden', async () => {
    await open();
    await pass(3_600_000);
    assert.equal(lists(), 1);
    at.services.refresher.setAttention(hidden);
    await pass(3_600_000);
    assert.equal(lists(), 1);
  });

  it('lists at once an account that was never listed, and one whose list has become old', async () => {
    await open();
    await pass(3_600_000);
    const before = lists();
    at.services.refresher.setAttention(looking);
    await pass(1);
    assert.equal(lists(), before + 1);
    at.services.refresher.setAttention(hidden);
    at.services.refresher.setAttention(looking);
    await pass(1_000);
    assert.equal(lists(), before + 1, 'it was listed again though its list was new');
    const added = at.services.accounts.add({
      provider: 'scripted',
      label: 'b',
      origin: 'https://b.example',
      credentials: {},
    });
    await at.over(added);
    await pass(1);
    assert.equal(lists(), before + 2);
  });

  it('stops when the view is hidden', async () => {
    await open();
    at.services.refresher.setAttention(looking);
    await pass(30_000);
    const before = lists();
    assert.ok(before > 1);
    at.services.refresher.setAttention(hidden);
    await pass(3_600_000);
    assert.equal(lists(), before);
  });

  it('waits half as long again after each list that changes nothing, up to a minute', async () => {
    await open();
    at.services.refresher.setAttention(looking);
    await until(11);
    const planned = [10_000, 15_000, 22_500, 33_750, 50_625, 60_000, 60_000, 60_000, 60_000];
    for (const [index, wait] of planned.entries()) isAbout(waits()[index], wait);
  });

  it('waits the usual time again once something changes, or the view is shown again', async () => {
    await open();
    at.services.refresher.setAttention(looking);
    await until(9);
    await pass(takes.list);
    provider.start('another');
    await until(11);
    isAbout(waits()[9], 10_000);
    await until(16);
    at.services.refresher.setAttention(looking);
    const before = lists();
    await pass(12_001);
    assert.equal(lists(), before + 1);
  });

  it('varies refreshes by a fifth of the interval, earlier and later', async () => {
    await open();
    at.services.refresher.setAttention(elsewhere);
    await until(202);
    const all = waits().slice(2);
    for (const wait of all) isAbout(wait, 60_000);
    const earlier = all.filter((wait) => wait < 60_000 * 0.9).length;
    const later = all.filter((wait) => wait > 60_000 * 1.1).length;
    assert.ok(earlier > 20 && later > 20, `${earlier} earlier, ${later} later, of ${all.length}`);
  });

  it('lists once a minute while the window isn’t focused, or less often if so configured', async () => {
    await open();
    at.services.refresher.setAttention(elsewhere);
    await until(4);
    for (const wait of waits().slice(1)) isAbout(wait, 60_000);
    at.services.dispose();
    await open(undefined, 600_000);
    for (const attention of [elsewhere, looking]) {
      at.services.refresher.setAttention(attention);
      const before = lists();
      await until(before + 3);
      // The interval is longer than a minute already: lists without changes don't extend it.
      for (const wait of waits().slice(before)) isAbout(wait, 600_000);
    }
  });

  it('lists once, and then only on request, when the interval is 0', async () => {
    await open(undefined, 0);
    at.services.refresher.setAttention(looking);
    await pass(3_600_000);
    assert.equal(lists(), 1);
    const added = at.services.accounts.add({
      provider: 'scripted',
      label: 'b',
      origin: 'https://b.example',
      credentials: {},
    });
    await at.over(added);
    await pass(3_600_000);
    assert.equal(lists(), 2);
    await at.over(at.services.refresher.refreshAll());
    assert.equal(lists(), 4);
  });

  it('follows a change of the interval', async () => {
    let interval = 600_000;
    await open();
    at.services.dispose();
    at = await scriptedServices(() => {}, { interval: () => interval });
    ({ provider } = at);
    at.services.refresher.setAttention(looking);
    await pass(30_000);
    assert.equal(lists(), 1);
    interval = 5_000;
    at.services.refresher.reschedule();
    await pass(1);
    assert.equal(lists(), 2);
  });

  it('waits twice as long after each failed list in a row, up to five minutes', async () => {
    await open();
    provider.onList = () => {
      throw failure({ kind: 'serverFault', status: 500 });
    };
    at.services.refresher.setAttention(looking);
    await until(9);
    const planned = [20_000, 40_000, 80_000, 160_000, 300_000, 300_000];
    for (const [index, wait] of planned.entries()) isAbout(waits()[index + 1], wait);
    assert.match(at.services.log.lines.join('\n'), /^scripted: list failed: it failed: serverFault$/m);
    provider.onList = () => ({});
    await until(11);
    // Everything is as before; nothing has changed, so it is still slowed down.
    assert.ok((waits().at(-1) ?? 0) <= 72_000);
  });

  it('waits as long as the provider asks, and no longer once it responds', async () => {
    await open();
    const retryAt = at.clock.now() + 1_800_000;
    provider.onList = () => {
      throw failure({ kind: 'rateLimited', retryAt });
    };
    at.services.refresher.setAttention(looking);
    await until(3);
    assert.ok(at.clock.now() >= retryAt && at.clock.now() <= retryAt + 2_000);
    provider.onList = () => ({});
    const before = lists();
    await until(before + 3);
    assert.ok((waits().at(-1) ?? 0) <= 72_000);
  });

  it('doesn’t wait for a time that has passed, or that the provider doesn’t name', async () => {
    for (const retryAt of [undefined, 1]) {
      await open();
      provider.onList = () => {
        throw failure({ kind: 'rateLimited', retryAt });
      };
      at.services.refresher.setAttention(looking);
      await until(3);
      isAbout(waits()[1], 20_000);
      at.services.dispose();
    }
  });

  for (const trouble of [{ kind: 'unauthorized' }, { kind: 'forbidden' }] as const satisfies Trouble[]) {
    it(`no longer lists by itself once the key is ${trouble.kind}, but lists on request`, async () => {
      await open();
      provider.onList = () => {
        throw failure(trouble);
      };
      at.services.refresher.setAttention(looking);
      await pass(3_600_000);
      assert.equal(lists(), 2);
      provider.onList = () => ({});
      await at.over(at.services.refresher.refresh(at.id));
      await pass(100_000);
      assert.ok(lists() > 3);
    });
  }

  it('lists again with the new key once the key is replaced, even if the old one was rejected', async () => {
    await open((provider) => void provider.start('a'));
    provider.onList = () => {
      throw failure({ kind: 'unauthorized' });
    };
    at.services.refresher.setAttention(looking);
    await pass(60_000);
    const before = lists();
    provider.onList = () => ({});
    const replaced = at.services.accounts.replaceCredentials(at.id, { other: 'key' });
    await at.over(replaced);
    assert.equal(
      at.services.store.state(at.id)?.contents.sessions.size,
      0,
      'what another key has shown is there still',
    );
    await pass(1);
    assert.equal(lists(), before + 1);
    await pass(100);
    assert.equal(at.services.store.state(at.id)?.kind, 'ready');
  });

  it('drops a list in progress when the key is replaced, and releases its callers', async () => {
    await open((provider) => void provider.start('a'));
    provider.onList = async () => {
      await at.clock.wait(5_000);
      return {};
    };
    const waiting = [at.services.refresher.refresh(at.id), at.services.refresher.refresh(at.id)];
    await pass(1_000);
    await at.over(at.services.accounts.replaceCredentials(at.id, { other: 'key' }));
    await at.over(Promise.all(waiting));
    assert.equal(at.services.store.state(at.id)?.kind, 'disconnected');
    assert.equal(lists(), 2);
    assert.doesNotMatch(at.services.log.lines.join('\n'), /list failed/);
  });

  it('doesn’t report the failure of a list that no caller waits for any longer', async () => {
    await open();
    provider.onList = async () => {
      await at.clock.wait(5_000);
      throw failure({ kind: 'serverFault', status: 500 });
    };
    const waiting = at.services.refresher.refresh(at.id);
    await pass(1_000);
    at.services.refresher.setAttention(looking);
    await at.over(at.services.accounts.remove(at.id));
    await at.over(waiting);
    assert.equal(at.services.store.state(at.id), undefined);
    at.services.refresher.setAttention(looking);
    await pass(60_000);
    assert.equal(lists(), 2);
    assert.doesNotMatch(at.services.log.lines.join('\n'), /list failed/);
  });

  it('lists the existing accounts when the window opens', async () => {
    await open();
    const { secretStore, memory } = at.services;
    at.services.refresher.setAttention(hidden);
    const next = new TestServices({ clock: at.clock, kinds: [provider.kind], secretStore, memory });
    try {
      assert.equal(next.store.state(at.id)?.kind, 'disconnected');
      next.refresher.setAttention(looking);
      await pass(100);
      assert.equal(next.store.state(at.id)?.kind, 'ready');
    } finally {
      next.dispose();
    }
  });

  it('keeps an account up to date while one of its sessions is shown, even if the list is hidden', async () => {
    await open();
    const { refresher } = at.services;
    const watches = [refresher.watch(at.id), refresher.watch(at.id)] as const;
    await until(3);
    isAbout(waits()[0], 10_000);
    watches[0].dispose();
    watches[0].dispose();
    let before = lists();
    await until(before + 1);
    watches[1].dispose();
    before = lists();
    await pass(3_600_000);
    assert.equal(lists(), before);
    // A list of another account has no effect here.
    refresher.watch(accountId('another'));
    await pass(3_600_000);
    assert.equal(lists(), before);
  });

  it('lists an account once at a time; calls during a list share the one that follows', async () => {
    await open();
    const { refresher } = at.services;
    const first = refresher.refresh(at.id);
    const shared = [refresher.refresh(at.id), refresher.refresh(at.id), refresher.refresh(at.id)];
    await pass(5);
    assert.equal(lists(), 2);
    await at.over(Promise.all([first, ...shared]));
    assert.equal(lists(), 3);
    assert.equal(provider.most.get('list'), 1);
    await at.over(refresher.refresh(at.id));
    assert.equal(lists(), 4);
  });

  it('schedules no refresh while another is in progress or queued', async () => {
    await open();
    const { refresher } = at.services;
    refresher.setAttention(looking);
    provider.onList = async () => {
      await at.clock.wait(60_000);
      return {};
    };
    const both = Promise.all([refresher.refresh(at.id), refresher.refresh(at.id)]);
    refresher.setAttention(looking);
    await pass(30_000);
    assert.equal(lists(), 2);
    await at.over(both);
    assert.equal(lists(), 3);
    assert.equal(provider.most.get('list'), 1);
  });

  it('counts a requested refresh: the next is due a full interval later', async () => {
    await open();
    at.services.refresher.setAttention(looking);
    await pass(7_000);
    await at.over(at.services.refresher.refresh(at.id));
    await until(3);
    isAbout(waits()[1], 15_000);
  });

  it('does nothing for an account that it doesn’t have, or once it is disposed', async () => {
    await open();
    await at.over(at.services.refresher.refresh(accountId('another')));
    at.services.refresher.setAttention(looking);
    await pass(1_000);
    at.services.refresher.dispose();
    const before = lists();
    await at.over(at.services.refresher.refresh(at.id));
    await pass(3_600_000);
    assert.equal(lists(), before);
    // It doesn't follow account changes, either.
    await at.over(at.services.accounts.replaceCredentials(at.id, { other: 'key' }));
    assert.equal(at.services.store.state(at.id)?.kind, 'ready');
    await at.over(at.services.accounts.remove(at.id));
    assert.equal(at.services.store.state(at.id)?.kind, 'ready');
  });

  it('knows what can be done with sessions before it shows them, and before the list is there', async () => {
    await open((provider) => {
      provider.endEverything = async () => {};
    });
    const can = () => at.services.store.capabilities(at.id);
    await at.over(at.services.accounts.replaceCredentials(at.id, { other: 'key' }));
    provider.start('a');
    provider.onList = () => {
      assert.ok(can().has('endEverything'));
      assert.ok(!can().has('cancelGroup'));
      provider.cancelGroup = async () => {};
      return {};
    };
    const seen: boolean[] = [];
    at.services.store.onDidChange(() => {
      if (at.services.store.state(at.id)?.contents.sessions.size === 1) seen.push(can().has('cancelGroup'));
    });
    await at.over(at.services.refresher.refresh(at.id));
    assert.equal(at.services.store.state(at.id)?.kind, 'ready');
    assert.ok(seen.length > 0 && !seen.includes(false), seen.join());
  });
});
