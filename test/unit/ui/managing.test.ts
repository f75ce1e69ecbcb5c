import { strict as assert } from 'node:assert';
import { setTimeout as after } from 'node:timers/promises';
import { systemClock } from '../../../src/core/clock.ts';
import type { AccountId } from '../../../src/core/ids.ts';
import { History } from '../../../src/services/history/history.ts';
import { Protections } from '../../../src/services/sessions/protections.ts';
import { testConnection } from '../../../src/ui/commands/accounts.ts';
import { planEnd } from '../../../src/ui/commands/endPlan.ts';
import { type InspectParts, openRecording as openRecordingOf } from '../../../src/ui/commands/inspecting.ts';
import { manageAccounts } from '../../../src/ui/commands/manageAccounts.ts';
import { type RemoveParts, removeAccount } from '../../../src/ui/commands/removeAccount.ts';
import { wholeAccount } from '../../../src/ui/commands/targets.ts';
import type { Answer, AskRequest, Choice, PickRequest, Prompts, Question } from '../../../src/ui/prompts.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { type AnchorServer, startAnchor } from '../../servers/anchor.ts';
import { MapMemory, noOwnMachine, TestServices } from '../services/testServices.ts';
import { until } from '../until.ts';

describe('managing accounts', function () {
  this.timeout(20_000);
  let server: AnchorServer;
  let services: TestServices;
  let parts: RemoveParts;
  let id: AccountId;
  let questions: Question[];
  let messages: string[];
  /** The buttons pressed in modal dialogs; none cancels. */
  let presses: string[];
  /** What happens elsewhere while a button is pressed. */
  let meanwhile: (button: string) => void;
  let typed: string[];
  /** What the user does in each pick list. */
  let inLists: ((request: PickRequest<unknown>) => unknown)[];

  beforeEach(async () => {
    server = await startAnchor();
    for (const name of ['one', 'two']) server.add({ id: `sess_${name}`, domains: [`${name}.example`] });
    services = new TestServices();
    id = await services.accounts.add({
      provider: 'anchor',
      label: 'prod',
      origin: server.url,
      credentials: { apiKey: server.key },
    });
    await services.refresher.refresh(id);
    meanwhile = () => {};
    [questions, messages, presses, typed, inLists] = [[], [], [], [], []];
    const prompts: Partial<Prompts> = {
      confirm: async (question) => {
        questions.push(question);
        const button = presses.shift();
        meanwhile(button ?? '');
        assert.ok(
          button === undefined || question.choices.includes(button),
          `${button} isn't in ${question.choices.join(', ')}`,
        );
        return button;
      },
      tell: async (_level, message) => void messages.push(message),
      note: () => {},
      busy: (_, work) => work(() => {}),
      ask: async (request: AskRequest): Promise<Answer<string>> => {
        const value = typed.shift();
        if (value === undefined) return { kind: 'left' };
        const wrong = await request.refuse(value);
        return wrong === undefined ? { kind: 'answer', value } : assert.fail(wrong);
      },
      pick: async <T>(request: PickRequest<T>): Promise<Answer<T>> => {
        const value = await inLists.shift()?.(request);
        return value === undefined ? { kind: 'left' } : { kind: 'answer', value: value as T };
      },
      progress: (_title, work) => work(() => {}, new AbortController().signal),
    };
    const { accounts, kinds, store, connections, refresher, ender, log } = services;
    const memory = new MapMemory(0);
    parts = {
      accounts,
      kinds,
      store,
      connections,
      refresher,
      ender,
      logger: log,
      prompts,
      clock: systemClock,
      history: new History(memory, store, accounts, Date.now, () => true),
      filter: new TreeFilter({ accounts, kinds, store, memory }),
      protections: new Protections(memory, store, accounts, systemClock),
      ownMachine: noOwnMachine,
      liveViews: { isOpen: () => false },
      isMine: () => undefined,
      setting: (name: string) => (name === 'confirm.endAll' ? 'button' : ''),
      selection: () => [],
      showLog: () => {},
    } as unknown as RemoveParts;
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  it('sends only some of the requests that an extension could cause with commands in a loop', async () => {
    const before = server.requests.length;
    await testConnection(parts, [{ accountId: id }]);
    const once = server.requests.length - before;
    for (let times = 1; times < 150; times++) await testConnection(parts, [{ accountId: id }]);
    assert.equal(server.requests.length - before, 100 * once);
    assert.match(
      messages.at(-1) ?? '',
      /^Too many requests like this were made to 127\.0\.0\.1:\d+ in the last few seconds\./,
    );
    server.misbehave('GET', /sessions/, { kind: 'answer', answer: { status: 200, json: { hello: 'there' } } });
    for (let times = 0; times < 10; times++) await planEnd(parts, [wholeAccount(id)]);
    const after = server.requests.length;
    void planEnd(parts, [wholeAccount(id)]);
    await fetch(`${server.url}/nothing`);
    assert.equal(server.requests.length, after + 1);
  });

  it('requests only some of the recordings that an extension asks for in a loop', async () => {
    const openRecording = () =>
      openRecordingOf({ ...parts, openUrl: async () => {} } as unknown as InspectParts, [
        { accountId: id, sessionId: 'sess_one' },
      ]);
    const before = server.requests.length;
    await openRecording();
    const once = server.requests.length - before;
    for (let times = 1; times < 150; times++) await openRecording();
    assert.equal(server.requests.length - before, 100 * once);
    assert.match(messages.at(-1) ?? '', /^Too many requests like this/);
  });

  const remove = () => removeAccount(parts, [{ accountId: id }]);

  describe('and removing one', () => {
    it('says that others may be running if some can’t be shown, and keeps the account after ending those that can', async () => {
      // No request could be about this ID.
      server.add({ id: '..' });
      await services.refresher.refresh(id);
      presses = ['End Sessions and Remove', 'End 2 Sessions'];
      await remove();
      assert.match(
        questions[0]?.detail ?? '',
        /Couldn't list all the sessions in .*\. Sessions that aren't listed also keep running\./,
      );
      assert.match(questions[1]?.detail ?? '', /Not all sessions in .* can be listed, so some may be missing here\./);
      assert.match(
        messages.at(-1) ?? '',
        /wasn't removed\. Couldn't list its sessions afterwards, so some may still be running\./,
      );
      assert.ok(services.accounts.get(id));
    });

    it('says how many sessions keep running and keep costing money, and removes only the account', async () => {
      presses = ['Remove Account'];
      await remove();
      const [{ message, detail, choices } = assert.fail()] = questions;
      assert.equal(message, 'Remove account "Anchor Browser · prod"?');
      assert.match(detail, /^2 sessions will keep running and may keep costing money\.\n\nIts key will be deleted/);
      assert.deepEqual(choices, ['Remove Account', 'End Sessions and Remove']);
      assert.deepEqual(services.accounts.all, []);
      assert.equal(services.secretStore.values.size, 0);
      assert.equal(server.running.length, 2);
    });

    it('counts sessions that started since the last list', async () => {
      server.add({ id: 'sess_late' });
      // Older than a list may be for such a question.
      parts = { ...parts, clock: { ...parts.clock, now: () => Date.now() + 3_600_000 } };
      await remove();
      assert.match(questions[0]?.detail ?? '', /^3 sessions/);
    });

    it('says so when the sessions can’t be listed, and doesn’t wait for a server that is gone', async () => {
      server.keys.clear();
      await services.refresher.refresh(id);
      const before = server.requests.length;
      await remove();
      assert.match(questions[0]?.detail ?? '', /Sessions that aren't listed also keep running\./);
      assert.equal(server.requests.length, before);
    });

    it('ends its sessions first if the user confirms that in a dialog that lists them', async () => {
      presses = ['End Sessions and Remove', 'End 2 Sessions'];
      await remove();
      assert.equal(questions[1]?.message, 'End all 2 sessions in Anchor Browser · prod and remove the account?');
      assert.match(questions[1]?.detail ?? '', /• one\.example[\s\S]*• two\.example/);
      assert.deepEqual(server.running, []);
      assert.deepEqual(services.accounts.all, []);
      assert.ok(!server.log().includes('DELETE /v1/sessions/all'));
    });

    it('ends nothing and keeps the account if the list of sessions isn’t confirmed', async () => {
      presses = ['End Sessions and Remove'];
      await remove();
      assert.equal(questions.length, 2);
      assert.equal(server.running.length, 2);
      assert.equal(services.accounts.all.length, 1);
    });

    it('keeps the account, and names what is left, if a session can’t be ended', async () => {
      server.endLagMs = 3_600_000;
      presses = ['End Sessions and Remove', 'End 2 Sessions'];
      await remove();
      assert.equal(services.accounts.all.length, 1);
      assert.match(
        messages.at(-1) ?? '',
        /^The account "Anchor Browser · prod" wasn't removed\. 2 sessions are still running or not confirmed gone: (one|two)\.example, (one|two)\.example\.$/,
      );
    });

    it('keeps the account if a session is protected', async () => {
      const [first] = services.store.state(id)?.contents.sessions.keys() ?? [];
      await parts.protections.set(id, [first ?? assert.fail()], true);
      presses = ['End Sessions and Remove', 'End Session'];
      await remove();
      assert.match(questions[1]?.detail ?? '', /Skipped:/);
      assert.equal(services.accounts.all.length, 1);
      assert.equal(server.running.length, 1);
      assert.match(
        messages.at(-1) ?? '',
        /wasn't removed\. 1 session is still running or not confirmed gone: \w+\.example\./,
      );
      questions = [];
      await remove();
      assert.deepEqual(questions[0]?.choices, ['Remove Account'], 'nothing can be ended');
    });

    it('keeps the account, and the new session, if one starts while the dialog is open', async () => {
      meanwhile = (button) => {
        if (button === 'End 2 Sessions') server.add({ id: 'sess_late', domains: ['late.example'] });
      };
      presses = ['End Sessions and Remove', 'End 2 Sessions'];
      await remove();
      assert.deepEqual(server.running, ['sess_late']);
      assert.equal(services.accounts.all.length, 1);
      assert.match(
        messages.at(-1) ?? '',
        /wasn't removed\. 1 session is still running or not confirmed gone: late\.example\./,
      );
    });

    it('keeps the account if the provider can’t be asked afterwards', async () => {
      presses = ['End Sessions and Remove', 'End 2 Sessions'];
      const end = parts.ender.end.bind(parts.ender);
      const ended = services.ender;
      ended.end = async (...asked) => {
        const report = await end(...asked);
        server.keys.clear();
        return report;
      };
      await remove();
      assert.deepEqual(server.running, []);
      assert.equal(services.accounts.all.length, 1);
      assert.match(messages.at(-1) ?? '', /wasn't removed\. Couldn't list its sessions afterwards/);
    });
  });

  describe('in the list', () => {
    const labels = (choices: readonly Choice<unknown>[]) => choices.map(({ label }) => label);
    const buttons = (request: PickRequest<unknown>, at: number) => {
      const value = request.choices[at]?.value;
      return value === undefined ? [] : (request.buttonsOf?.(value) ?? []);
    };
    const press = (tooltip: string) => (request: PickRequest<unknown>) => {
      const button = buttons(request, 0).find((one) => one.tooltip === tooltip);
      return button !== undefined && 'value' in button ? button.value : assert.fail(tooltip);
    };

    it('has a button for each action, and returns after each until it is closed', async () => {
      typed = ['live'];
      let last: PickRequest<unknown> | undefined;
      inLists = [
        press('Rename…'),
        press('Remove…'),
        (request) => {
          last = request;
          return undefined;
        },
      ];
      await manageAccounts(parts);
      assert.equal(services.accounts.all[0]?.label, 'live');
      assert.equal(questions[0]?.message, 'Remove account "Anchor Browser · live"?');
      assert.deepEqual(labels(last?.choices ?? []), ['Anchor Browser · live', 'Add Account…']);
      assert.deepEqual(
        buttons(last ?? assert.fail(), 0).map(({ tooltip }) => tooltip),
        ['Rename…', 'Replace Key…', 'Test Connection', 'Remove…'],
      );
      assert.equal(last?.choices[0]?.description, '2 sessions');
    });

    it('shows the same actions as a list on Enter, with a way back', async () => {
      let actions: PickRequest<unknown> | undefined;
      inLists = [
        (request) => request.choices[0]?.value,
        (request) => {
          actions = request;
          return undefined;
        },
        () => undefined,
      ];
      await manageAccounts(parts);
      assert.deepEqual(labels(actions?.choices ?? []), ['Rename…', 'Replace Key…', 'Test Connection', 'Remove…']);
      assert.equal(actions?.back, true);
      assert.equal(actions?.title, 'Anchor Browser · prod');
      assert.equal(inLists.length, 0);
    });

    it('tests a connection without closing, and follows accounts that other windows add', async () => {
      const other = new TestServices({ secretStore: services.secretStore, memory: services.memory });
      let shown: readonly Choice<unknown>[] = [];
      inLists = [
        async (request) => {
          const following = request.follow?.((choices) => {
            shown = choices;
          });
          const test = press('Test Connection')(request);
          assert.equal(request.stays?.(test), true);
          assert.equal(shown[0]?.detail, 'Testing the connection…');
          await until(() => /^127\.0\.0\.1:\d+ responded in \d+ ms\./.test(shown[0]?.detail ?? ''));
          await other.accounts.add({ provider: 'anchor', label: 'second', origin: server.url, credentials: {} });
          await until(() => labels(shown).includes('Anchor Browser · second'));
          following?.dispose();
          return undefined;
        },
      ];
      await manageAccounts(parts);
      other.dispose();
    });

    it('counts no sessions where they can’t be listed, and says what is wrong', async () => {
      await services.add('anchor', server.url, { apiKey: 'sk-wrong-canary' });
      let descriptions: string[] = [];
      inLists = [
        (request) => {
          descriptions = request.choices.map(({ description }) => description);
          return undefined;
        },
      ];
      await manageAccounts(parts);
      assert.deepEqual(descriptions, ['2 sessions', 'key rejected', '']);
    });

    it('sets the list again only when what it shows has changed', async () => {
      let times = 0;
      inLists = [
        async (request) => {
          request.follow?.(() => times++);
          await services.refresher.refresh(id);
          const after1 = times;
          await services.refresher.refresh(id);
          assert.equal(times, after1);
          await after(0);
          return undefined;
        },
      ];
      await manageAccounts(parts);
    });
  });
});
