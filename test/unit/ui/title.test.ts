import { strict as assert } from 'node:assert';
import { type AccountId, sessionId } from '../../../src/core/ids.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { keepTitle } from '../../../src/ui/tree/title.ts';
import { MapMemory, TestServices } from '../services/testServices.ts';
import { keepingOnly, someSession } from '../sessions.ts';
import { until } from '../until.ts';

describe('the list’s title', () => {
  const count = 5_000;
  const ids = Array.from({ length: count }, (_, index) => sessionId(`s${index}`));
  let services: TestServices;
  let filter: TreeFilter;
  let account: AccountId;
  /** How often a session was checked against the filter. */
  let looks: number;
  let titles: string[];
  let title: { dispose(): void };

  beforeEach(async () => {
    services = new TestServices();
    const { accounts, kinds, store } = services;
    account = await accounts.add({ provider: 'anchor', label: 'prod', origin: 'https://a.example', credentials: {} });
    filter = new TreeFilter({ accounts, kinds, store, memory: new MapMemory(0) });
    list(ids);
    looks = 0;
    titles = [];
    title = keepTitle(
      store,
      filter,
      () => `${store.state(account)?.contents.sessions.size} run`,
      (words) => titles.push(words),
    );
  });
  afterEach(() => {
    title.dispose();
    services.dispose();
  });

  function list(listed: readonly (typeof ids)[number][]): void {
    const run = services.store.beginList(account);
    const sessions = listed.map((id) =>
      Object.defineProperty(someSession(id), 'region', {
        enumerable: true,
        get: () => {
          looks += 1;
          return 'eu';
        },
      }),
    );
    run.arrive({ sessions, groups: [], faults: [], account: undefined });
    run.complete(keepingOnly(services.store, account, sessions));
  }

  it('is set at once, and then once for all that changes shortly afterwards', async () => {
    assert.deepEqual(titles, ['5000 run']);
    list(ids.slice(0, 10));
    list(ids.slice(0, 20));
    assert.equal(titles.length, 1);
    await until(() => titles.length > 1);
    assert.deepEqual(titles, ['5000 run', '20 run']);
    await filter.set('s1 eu');
    await until(() => titles.length > 2);
    assert.deepEqual(titles.slice(2), ['11 of 20 match "s1 eu"']);
  });

  it('counts what a filter shows once for a thousand changes', async () => {
    await filter.set('eu');
    await until(() => titles.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 150));
    looks = 0;
    for (const id of ids.slice(0, 1_000)) services.store.setLife(account, [id], { kind: 'ending', since: 0 });
    assert.equal(titles.length, 3, 'the first at once');
    await until(() => titles.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(titles.length, 4);
    assert.equal(looks, 2 * count);
  });

  it('is no longer set once the view is gone', async () => {
    list(ids.slice(0, 10));
    title.dispose();
    list(ids.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.deepEqual(titles, ['5000 run']);
  });
});
