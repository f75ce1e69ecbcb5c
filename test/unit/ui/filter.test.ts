import { strict as assert } from 'node:assert';
import { type AccountId, groupId, pageId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { groupFor } from '../../../src/services/sessions/grouping.ts';
import { filterToAccount, filterToGroup, setFilter } from '../../../src/ui/commands/filtering.ts';
import type { Answer, AskRequest, Prompts } from '../../../src/ui/prompts.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { MapMemory, TestServices } from '../services/testServices.ts';
import { keepingOnly, someSession } from '../sessions.ts';

describe('the list filter', () => {
  let services: TestServices;
  let memory: MapMemory;
  let filter: TreeFilter;
  let account: AccountId;
  const group = { id: groupId('g'), kind: 'metadata', name: 'job: crawl', status: undefined, createdAt: 0 } as const;
  const session = someSession('sess_0123', {
    name: 'Checkout',
    region: 'eu-central',
    groupId: group.id,
    tags: ['nightly'],
    metadata: new Map([['owner', 'Anna']]),
    pages: [{ id: pageId('p'), title: 'Cart', url: 'https://shop.example/?token=canary' }],
  });

  beforeEach(async () => {
    services = new TestServices();
    memory = new MapMemory(0);
    await services.kinds.load();
    account = await services.accounts.add({
      provider: 'anchor',
      label: 'prod',
      origin: 'https://a.example',
      credentials: {},
    });
    list(session, someSession('other'));
    filter = new TreeFilter({ accounts: services.accounts, kinds: services.kinds, store: services.store, memory });
  });
  afterEach(() => services.dispose());

  function list(...sessions: Session[]): void {
    const run = services.store.beginList(account);
    run.arrive({ sessions, groups: [group], faults: [], account: undefined });
    run.complete(keepingOnly(services.store, account, sessions));
  }

  it('finds each word anywhere in a session, in any letter case', async () => {
    for (const text of [
      'checkout',
      'SESS_01',
      'nightly',
      'owner=anna',
      'shop.example',
      'cart',
      'crawl',
      'prod eu check',
    ]) {
      await filter.set(text);
      assert.deepEqual([filter.shows(account, session), filter.count(text).shown >= 1], [true, true], text);
    }
    for (const text of ['checkout mail', 'canary', 'token']) {
      await filter.set(text);
      assert.equal(filter.shows(account, session), false, text);
    }
    assert.deepEqual(filter.count('checkout'), { shown: 1, of: 2 });
    assert.deepEqual(filter.count('  '), { shown: 2, of: 2 });
  });

  it('is kept, fires an event when it changes, and shows everything once it is cleared', async () => {
    let changes = 0;
    filter.onDidChange(() => changes++);
    await filter.set('  a \u202e [x](command:y) ');
    const again = new TreeFilter({ accounts: services.accounts, kinds: services.kinds, store: services.store, memory });
    assert.equal(again.text, 'a [x] (command:y)');
    await filter.set('');
    assert.equal(changes, 2);
    assert.ok(filter.shows(account, someSession('any')));
    assert.equal(memory.get('filter'), undefined);
    memory.values.set('filter', 7);
    assert.equal(
      new TreeFilter({ accounts: services.accounts, kinds: services.kinds, store: services.store, memory }).text,
      '',
    );
  });

  it('follows what is typed, and returns to the accepted text when that is dismissed', async () => {
    await filter.set('checkout');
    const texts: string[] = [];
    filter.onDidChange(() => texts.push(filter.text));
    const ask = (answer: Answer<string>, typed: readonly string[]) =>
      setFilter(
        {
          filter,
          prompts: {
            ask: async (request: AskRequest) => {
              assert.equal(request.value, 'checkout');
              for (const text of typed) request.typed?.(text);
              return answer;
            },
          } as Prompts,
        },
        [],
      );
    await ask({ kind: 'left' }, ['checkout', 'o', 'ot', 'oth']);
    assert.deepEqual(texts, ['o', 'ot', 'oth', 'checkout']);
    assert.equal(memory.get('filter'), 'checkout');
    await ask({ kind: 'answer', value: 'oth' }, ['oth']);
    assert.deepEqual([texts.slice(4), memory.get('filter')], [['oth'], 'oth']);
  });

  it('narrows the list to an account or a group, whatever is typed, until it is cleared', async () => {
    const other = await services.accounts.add({
      provider: 'browserbase',
      label: 'two',
      origin: 'https://b.example',
      credentials: {},
    });
    await filterToAccount({ filter }, [{ kind: 'account', accountId: account }]);
    assert.deepEqual(
      [filter.isOn, filter.name, filter.showsAccount(account), filter.showsAccount(other)],
      [true, 'Anchor Browser · prod', true, false],
    );
    assert.ok(filter.shows(account, session) && !filter.shows(other, session));
    const tag = groupFor({ by: ['tag'], metadataKey: '' }, new Map(), session);
    assert.ok(tag);
    await filterToGroup({ filter }, [{ kind: 'group', accountId: account, groupId: tag.id }]);
    assert.ok(filter.shows(account, session) && !filter.shows(account, someSession('other')));
    assert.deepEqual(filter.count(''), { shown: 1, of: 2 });
    await filter.set('mail');
    assert.equal(filter.name, 'nightly · mail');
    assert.ok(!filter.shows(account, session));
    const { accounts, kinds, store } = services;
    const again = new TreeFilter({ accounts, kinds, store, memory });
    assert.deepEqual([again.name, again.scope?.groupId], ['nightly · mail', tag.id]);
    await filter.clear();
    assert.deepEqual([filter.isOn, memory.get('filter'), memory.get('filterScope')], [false, undefined, undefined]);
    for (const odd of [7, { accountId: 7 }, { accountId: account, groupId: 'all' }, { accountId: 'gone' }]) {
      memory.values.set('filterScope', odd);
      assert.equal(new TreeFilter({ accounts, kinds, store, memory }).isOn, false);
    }
  });

  it('isn’t narrowed anymore once the account is removed', async () => {
    await filter.narrowTo(account, undefined);
    await services.accounts.remove(account);
    assert.deepEqual([filter.isOn, filter.name], [false, '']);
  });
});
