import { strict as assert } from 'node:assert';
import type { AccountId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { History } from '../../../src/services/history/history.ts';
import { groupings } from '../../../src/services/sessions/grouping.ts';
import { type ArrangingParts, groupBy, listMenuHandlers, sortBy } from '../../../src/ui/commands/arranging.ts';
import { listMenuCommands } from '../../../src/ui/commands/listMenus.ts';
import type { Answer, AskRequest, PickRequest, Prompts } from '../../../src/ui/prompts.ts';
import { ListOptions, sortOrders } from '../../../src/ui/tree/listOptions.ts';
import { MapMemory, TestServices } from '../services/testServices.ts';
import { keepingAll, someSession } from '../sessions.ts';

describe('the commands that sort and group', () => {
  let services: TestServices;
  let account: AccountId;
  let key: string;
  let parts: ArrangingParts;
  /** What the user picks by its label, one after another, and types. */
  let picks: string[];
  let typed: string[];
  let offered: PickRequest<unknown>[];

  beforeEach(async () => {
    services = new TestServices();
    const { accounts, kinds, store, refresher } = services;
    account = await accounts.add({ provider: 'anchor', label: 'a', origin: 'https://a.example', credentials: {} });
    key = '';
    [picks, typed, offered] = [[], [], []];
    const memory = new MapMemory(0);
    const clock = { now: Date.now, monotonic: () => performance.now(), after: () => ({ dispose: () => {} }) };
    const prompts = {
      async pick<T>(request: PickRequest<T>): Promise<Answer<T>> {
        offered.push(request);
        const label = picks.shift();
        const choice = request.choices.find((one) => one.label === label);
        return choice === undefined ? { kind: 'left' } : { kind: 'answer', value: choice.value };
      },
      async ask({ refuse }: AskRequest): Promise<Answer<string>> {
        for (let value = typed.shift(); value !== undefined; value = typed.shift()) {
          if ((await refuse(value)) === undefined) return { kind: 'answer', value };
        }
        return { kind: 'left' };
      },
    } as Prompts;
    parts = {
      accounts,
      kinds,
      store,
      refresher,
      prompts,
      clock,
      history: new History(memory, store, accounts, clock.now, () => true),
      options: new ListOptions(memory, () => key),
      changeSetting: async (name, value) => {
        assert.equal(name, 'groupByMetadataKey');
        key = value;
      },
    };
  });
  afterEach(() => services.dispose());

  function list(...sessions: readonly Session[]): void {
    const run = services.store.beginList(account);
    run.arrive({ sessions, groups: [], faults: [], account: undefined });
    run.complete(keepingAll);
  }

  it('mark the current choice, and keep it when nothing is picked', async () => {
    picks = ['Oldest First'];
    await sortBy(parts);
    await sortBy(parts);
    assert.deepEqual(
      offered[1]?.choices.map(({ label, description, icon }) => [label, description, icon]),
      [
        ['Newest First', '', 'blank'],
        ['Oldest First', 'current', 'check'],
        ['Longest Idle First', '', 'blank'],
        ['Name', '', 'blank'],
        ['Highest Cost First', '', 'blank'],
      ],
    );
    assert.equal(parts.options.sortBy, 'oldest');
    picks = ['Tag'];
    await groupBy(parts);
    await groupBy(parts);
    const tag = offered[3]?.choices.find(({ label }) => label === 'Tag');
    assert.equal(tag?.description, 'the first tag of each session · current');
    assert.equal(parts.options.groupBy, 'tag');
  });

  it('offer the metadata keys that sessions have, the most common first, or take another', async () => {
    const having = (id: string, ...keys: string[]) =>
      someSession(id, { metadata: new Map(keys.map((one) => [one, 'x'])) });
    list(having('a', 'owner', 'job'), having('b', 'job', `$(x)\u202e`), having('c', 'k'.repeat(300)));
    picks = ['Metadata Key…', 'job'];
    await groupBy(parts);
    assert.deepEqual([key, parts.options.groupBy], ['job', 'metadata']);
    picks = ['Metadata Key…', 'Enter Another Metadata Key…'];
    typed = ['  ', 'x'.repeat(300), ' team '];
    await groupBy(parts);
    assert.equal(key, 'team');
    assert.deepEqual(
      offered[1]?.choices.map(({ label, description }) => [label, description]),
      [
        ['job', '2 sessions'],
        ['owner', '1 session'],
        ['$ (x)', '1 session'],
        ['Enter Another Metadata Key…', ''],
      ],
    );
  });

  it('ask for a key where no session has any, and change nothing when that is dismissed', async () => {
    list(someSession('a'));
    picks = ['Metadata Key…'];
    await groupBy(parts);
    assert.deepEqual([key, parts.options.groupBy], ['', 'batch']);
    picks = ['Metadata Key…'];
    typed = ['job'];
    await groupBy(parts);
    assert.deepEqual([key, parts.options.groupBy], ['job', 'metadata']);
  });

  it('do from the menu what each entry says, checked or not', async () => {
    list(someSession('a', { metadata: new Map([['job', 'x']]) }));
    const chosen = new Set<string>();
    for (const name of Object.keys(listMenuHandlers) as (keyof typeof listMenuHandlers)[]) {
      picks = ['job'];
      await listMenuHandlers[name](parts);
      const { title } = listMenuCommands[name];
      assert.equal(title.startsWith('✓ '), name.endsWith('Checked'), name);
      const expected = listMenuCommands[name].menus[0]?.when.split(' ').at(-1) ?? '';
      const { sortBy: sort, groupBy: group } = parts.options;
      assert.equal(name.startsWith('sort') ? sort : group, expected, name);
      chosen.add(expected);
    }
    assert.deepEqual([...chosen].sort(), [...sortOrders, ...groupings].sort());
  });
});
