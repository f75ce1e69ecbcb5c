import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { type AccountId, accountId, groupId, pageId, sessionId } from '../../../src/core/ids.ts';
import type { Session } from '../../../src/core/session.ts';
import { History } from '../../../src/services/history/history.ts';
import { Protections } from '../../../src/services/sessions/protections.ts';
import {
  type ConfirmParts,
  confirmBy,
  confirmEnd,
  confirmEndOrEverything,
} from '../../../src/ui/commands/confirmEnd.ts';
import { type DescriptionParts, describeSessions } from '../../../src/ui/commands/descriptions.ts';
import { type EndPlan, type EndPlanParts, nothingToEnd, planEnd, planFor } from '../../../src/ui/commands/endPlan.ts';
import { asShown } from '../../../src/ui/commands/endReports.ts';
import { sessionsOf, wholeAccount } from '../../../src/ui/commands/targets.ts';
import { EndWithoutAsking } from '../../../src/ui/endWithoutAsking.ts';
import type { Prompts, Question } from '../../../src/ui/prompts.ts';
import { type SettingKey, settings } from '../../../src/ui/settings.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { ListOptions } from '../../../src/ui/tree/listOptions.ts';
import { startHostileChrome, tabOf } from '../../servers/hostileChrome.ts';
import { MapMemory, noOwnMachine, TestServices } from '../services/testServices.ts';
import { arranged, keepingAll, someSession } from '../sessions.ts';

describe('the plan of an end', () => {
  const account = accountId('a');
  const group = groupId('g');
  let services: TestServices;
  let parts: EndPlanParts;

  beforeEach(() => {
    services = new TestServices({ clock: systemClock });
    services.store.setAccounts([account]);
    const { accounts, kinds, store, refresher, log } = services;
    const memory = new MapMemory(0);
    const clock = { now: Date.now, monotonic: () => performance.now(), after: () => ({ dispose: () => {} }) };
    const prompts = { note: (message: string) => log.info(message) } as Prompts;
    parts = {
      accounts,
      kinds,
      store,
      refresher,
      prompts,
      clock,
      history: new History(memory, store, accounts, clock.now, () => true),
      filter: new TreeFilter({ accounts, kinds, store, memory }),
      protections: new Protections(memory, store, accounts, systemClock),
      ownMachine: noOwnMachine,
    };
  });
  afterEach(() => services.dispose());

  /**
   * What confirming needs, with a dialog that gets its answer from a function.
   * @param work happens while the dialog is open.
   * @param told receives the messages that follow.
   */
  const dialogDuring =
    (work: () => Promise<unknown>, told: string[]) =>
    (answer: (question: Question) => string | undefined): ConfirmParts =>
      ({
        ...parts,
        connections: services.connections,
        endWithoutAsking: new EndWithoutAsking(new MapMemory(0), () => 'always'),
        changeSetting: async () => {},
        liveViews: { isOpen: () => false },
        isMine: () => undefined,
        setting: (key: SettingKey) => settings[key].default,
        prompts: {
          ...parts.prompts,
          confirm: async (question: Question) => {
            await work();
            return answer(question);
          },
          tell: async (_: unknown, message: string) => void told.push(message),
        },
      }) as unknown as ConfirmParts;

  function list(...sessions: readonly Session[]): void {
    const run = services.store.beginList(account);
    const groups = [{ id: group, kind: 'metadata', name: 'g', status: undefined, createdAt: 0 } as const];
    run.arrive({ sessions, groups, faults: [], account: undefined });
    run.complete(keepingAll);
  }

  const whole = wholeAccount(account);
  const named = (id: string) => ({ ...whole, sessionId: sessionId(id) });
  const ids = (sessions: EndPlan['ends']) => sessions.map(({ session }) => session.id);

  it('calls sessions in dialogs and reports what they were called when it was made', async () => {
    const cart = { id: pageId('p'), title: 'Cart', url: 'https://shop.example/' };
    list(someSession('aaaaaaaa-1'), someSession('aaaaaaaa-2'));
    services.store.setPages(account, sessionId('aaaaaaaa-1'), { kind: 'ready', pages: [cart], asOf: 0 });
    const plan = await planEnd(parts, [named('aaaaaaaa-1')]);
    services.store.removeGone(account, [sessionId('aaaaaaaa-1')]);
    const shown = { name: 'Cart · shop.example', shortId: '…aaaaaa-1' };
    assert.deepEqual(
      plan.ends.map(({ shownAs }) => shownAs),
      [shown],
    );
    const descriptions = {
      ...parts,
      liveViews: { isOpen: () => false },
      isMine: () => undefined,
      setting: (key: SettingKey) => settings[key].default,
    };
    const [described] = describeSessions(descriptions as DescriptionParts, plan.ends);
    assert.deepEqual({ name: described?.name, shortId: described?.shortId }, shown);
    const [target] = plan.ends;
    assert.ok(target);
    const result = { ...target, outcome: 'failed', why: undefined, how: undefined, attempts: 1, ms: 1 } as const;
    const report = { results: [{ ...result, shownAs: undefined }] };
    assert.deepEqual(asShown(report, plan.ends).results[0]?.shownAs, shown);
  });

  it('names the pages that are open now, if only pages close and the list is old', async () => {
    const chrome = await startHostileChrome();
    chrome.targets = [tabOf('own', 'tab', { title: 'Inbox' })];
    const accountId = await services.add('localChrome', chrome.url);
    chrome.targets = [tabOf('own', 'tab', { title: 'Tax return' })];
    const clock = { ...parts.clock, now: () => Date.now() + 60_000 };
    const later = { ...parts, clock, prompts: { ...parts.prompts, busy: async () => {} } as unknown as Prompts };
    const { ends } = await planEnd(later, [{ ...wholeAccount(accountId), sessionId: sessionId('own') }]);
    assert.deepEqual(
      ends.map(({ session }) => session.pages?.map(({ title }) => title)),
      [['Tax return']],
    );
    await chrome.stop();
  });

  it('skips protected sessions and those their provider excludes from bulk ends, and gives the reason', async () => {
    list(
      someSession('plain'),
      someSession('kept'),
      someSession('held', { bulkEndExclusion: 'It is somebody else’s.' }),
    );
    await parts.protections.set(account, [sessionId('kept')], true);
    const plan = await planEnd(parts, [whole]);
    assert.deepEqual(ids(plan.ends), ['plain']);
    assert.deepEqual(ids(plan.leftOut), ['kept', 'held']);
    assert.equal(plan.isSingle, false);
    const none = await planEnd(parts, [named('kept'), named('held')]);
    assert.deepEqual(ids(none.ends), []);
    assert.equal(nothingToEnd(parts, none), "There are no sessions to end. It's protected. It is somebody else’s.");
  });

  it('ends a protected session only when it alone was named', async () => {
    list(someSession('one'), someSession('two'));
    await parts.protections.set(account, [sessionId('one')], true);
    const single = await planEnd(parts, [named('one')]);
    assert.deepEqual([ids(single.ends), ids(single.leftOut), single.isSingle], [['one'], [], true]);
    const both = await planEnd(parts, [named('one'), named('two')]);
    assert.deepEqual([ids(both.ends), ids(both.leftOut), both.isSingle], [['two'], ['one'], false]);
    // An account that has a single session doesn't count as a named session.
    const only = await planEnd(parts, [whole], ({ session }) => session.id === 'one');
    assert.deepEqual([ids(only.ends), ids(only.leftOut), only.isSingle], [[], ['one'], false]);
  });

  it('is never about a single session if it has several, so that its dialog lists them all', async () => {
    list(someSession('one'), someSession('guarded'));
    await parts.protections.set(account, [sessionId('guarded')], true);
    const plan = planFor(parts, sessionsOf(parts, [wholeAccount(account)]), true);
    assert.equal(plan.isSingle, false);
    assert.deepEqual(
      plan.ends.map(({ session }) => session.id),
      ['one'],
    );
  });

  it('includes only what the list shows of a row, and counts what a filter hides', async () => {
    list(someSession('one', { groupId: group }), someSession('two'), someSession('three'), someSession('kept'));
    await parts.protections.set(account, [sessionId('kept')], true);
    await parts.filter.set('two');
    const shown = await planEnd(parts, [{ ...whole, shownOnly: true }]);
    assert.deepEqual([ids(shown.ends), shown.partial, shown.hidden], [['two'], { shown: 1, of: 3 }, 3]);
    const all = await planEnd(parts, [whole]);
    assert.deepEqual([ids(all.ends), all.partial, all.hidden], [['one', 'two', 'three'], undefined, 0]);
    const none = await planEnd(parts, [{ ...whole, groupId: group, shownOnly: true }]);
    assert.equal(
      nothingToEnd(parts, none),
      'There are no sessions to end. The filter "two" hides the sessions that are running.',
    );
  });

  it('includes only the sessions in an account that match the condition', async () => {
    list(someSession('old'), someSession('new'));
    const plan = await planEnd(parts, [whole], ({ session }) => session.id === 'old');
    assert.deepEqual([ids(plan.ends), plan.hidden], [['old'], 0]);
  });

  it('of a group lists and ends its sessions only, though the list is grouped another way while the dialog is open', async () => {
    const tagged = (id: string, tag: string, more: Partial<Session> = {}) => someSession(id, { tags: [tag], ...more });
    list(tagged('one', 'red'), tagged('two', 'red', { groupId: group }), tagged('three', 'blue'), someSession('four'));
    const options = new ListOptions(new MapMemory(0), () => '');
    await options.setGroup('tag');
    const arrangement = arranged(parts.store, { options });
    const red = arrangement.of(account).groups.find(({ name }) => name === 'red');
    assert.ok(red);
    const plan = await planEnd(parts, [{ ...whole, groupId: red.id }]);
    assert.deepEqual(ids(plan.ends), ['one', 'two']);
    let listed: readonly string[] = [];
    const confirm: Prompts['confirm'] = async ({ choices, detail }) => {
      listed = [...detail.matchAll(/one|two|three|four|late/g)].map(([id]) => id);
      await options.setGroup('region');
      arrangement.reset();
      list(tagged('one', 'blue', { region: 'red' }), tagged('two', 'red'), tagged('late', 'red'));
      return choices[0];
    };
    const question = { message: '', detail: ids(plan.ends).join(), choices: ['End'] };
    const { connections, store } = services;
    const { protections } = parts;
    const prompts = { ...parts.prompts, confirm };
    const confirmed = await confirmBy({ connections, store, protections, prompts }, plan, question);
    assert.deepEqual(ids(confirmed?.ends ?? []), listed);
    assert.equal(arrangement.of(account).group(red.id), undefined);
    arrangement.dispose();
  });

  it('runs as it was confirmed, whatever starts or is added while the dialog is open', async () => {
    list(someSession('one'), someSession('two'));
    const picked = [...sessionsOf(parts, [whole])];
    const confirm: Prompts['confirm'] = async ({ choices }) => {
      list(someSession('one'), someSession('two'), someSession('late'));
      picked.push(...sessionsOf(parts, [named('late')]));
      return choices[0];
    };
    const plan = { ...planFor(parts, []), ends: picked };
    const question = { message: '', detail: '', choices: ['End'] };
    const prompts = { ...parts.prompts, confirm };
    const { connections, store } = services;
    const { protections } = parts;
    const confirmed = await confirmBy({ connections, store, protections, prompts }, plan, question);
    assert.deepEqual(ids(confirmed?.ends ?? []), ['one', 'two']);
    assert.equal(
      await confirmBy(
        { connections, store, protections, prompts: { ...prompts, confirm: async () => undefined } },
        plan,
        question,
      ),
      undefined,
    );
  });

  it('isn’t confirmed for an account that got another key while the dialog was open', async () => {
    const gateway = { provider: 'gateway', origin: 'https://gateway.example' };
    const add = (authorization: string) =>
      services.accounts.add({ ...gateway, label: authorization, credentials: { authorization } });
    const [changed, other] = [await add('key-of-a-team'), await add('key-of-another')];
    const told: string[] = [];
    const dialog = dialogDuring(
      () => services.accounts.replaceCredentials(changed, { authorization: crypto.randomUUID() }),
      told,
    );
    const first = dialog(({ choices }) => choices[0]);
    const planOf = (accountId: AccountId, isSingle: boolean) =>
      planFor(parts, [{ accountId, session: someSession('worker-1') }], isSingle);
    const everything = { accountId: changed, button: 'End Everything', explanation: '', generation: 0 };
    const last = dialog(({ choices }) => choices.at(-1));
    assert.equal(await confirmEnd(first, planOf(changed, true)), undefined);
    assert.equal(await confirmEnd(first, planOf(changed, false)), undefined);
    assert.equal(await confirmEndOrEverything(last, planOf(changed, false), {}, everything), undefined);
    assert.deepEqual(told, Array(3).fill('gateway · key-of-a-team has changed, so no request was sent. Try again.'));
    assert.notEqual(await confirmEnd(first, planOf(other, true)), undefined);
    assert.notEqual(await confirmEnd(first, planOf(other, false)), undefined);
  });

  it('says if sessions are counted twice, because several accounts list them', async () => {
    const add = (label: string, origin: string) =>
      services.accounts.add({ provider: 'gateway', origin, label, credentials: { authorization: label } });
    const ids = [await add('one', 'http://127.0.0.1:1'), await add('two', 'http://localhost:1')];
    const elsewhere = await add('three', 'http://127.0.0.1:2');
    let asked = '';
    const dialog = dialogDuring(async () => {}, []);
    const detailOf = async (sessions: readonly (readonly [AccountId, string])[]) => {
      const all = sessions.map(([accountId, id]) => ({ accountId, session: someSession(id) }));
      await confirmEnd(
        dialog(({ detail }) => {
          asked = detail;
          return undefined;
        }),
        planFor(parts, all),
      );
      return asked;
    };
    const both = (id: string) => ids.map((account) => [account, id] as const);
    assert.match(await detailOf(both('a')), /^1 session is listed in several accounts and counted in each\.$/m);
    const several = [...both('a'), ...both('b'), [elsewhere, 'a'], [elsewhere, 'c']] as const;
    assert.match(await detailOf(several), /^2 sessions are listed in several accounts and counted in each\.$/m);
    const different = [
      [ids[0] ?? elsewhere, 'a'],
      [elsewhere, 'a'],
      [elsewhere, 'b'],
    ] as const;
    assert.doesNotMatch(await detailOf(different), /counted in each/);
  });

  it('isn’t confirmed if one of its sessions was protected while the dialog was open, as in another window', async () => {
    const session = sessionId('worker-1');
    const told: string[] = [];
    const dialog = dialogDuring(() => parts.protections.set(account, [session], true), told);
    list(someSession('worker-1'), someSession('worker-2'));
    const first = dialog(({ choices }) => choices[0]);
    assert.equal(await confirmEnd(first, await planEnd(parts, [whole])), undefined);
    const sentence = 'worker-1 was protected while the dialog was open, so no request was sent. Try again.';
    assert.deepEqual(told.splice(0), [sentence]);
    await parts.protections.set(account, [session], false);
    const last = dialog(({ choices }) => choices.at(-1));
    const everything = { accountId: account, button: 'End Everything', explanation: '', generation: 0 };
    const plan = planFor(parts, [{ accountId: account, session: someSession('worker-2') }]);
    assert.equal(await confirmEndOrEverything(last, plan, {}, everything), undefined);
    assert.deepEqual(told.splice(0), [sentence]);
    // The same for one alone. Only a dialog that says that it's protected confirms it.
    await parts.protections.set(account, [session], false);
    assert.equal(await confirmEnd(first, await planEnd(parts, [named('worker-1')])), undefined);
    assert.deepEqual(told.splice(0), [sentence]);
    assert.notEqual(await confirmEnd(first, await planEnd(parts, [named('worker-1')])), undefined);
    assert.deepEqual(told, []);
  });

  it('is the only way that commands end sessions, and is confirmed in one file', () => {
    const folder = join('src', 'ui');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const having = (text: RegExp) =>
      files
        .filter((name) => text.test(readFileSync(join(folder, name), 'utf8')))
        .map((name) => name.replaceAll('\\', '/'));
    assert.deepEqual(having(/\bender\.end\(/), ['commands/runEnd.ts']);
    assert.deepEqual(having(/\bas ConfirmedPlan\b/), ['commands/confirmEnd.ts']);
  });
});
