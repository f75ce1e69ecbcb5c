import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { accountId } from '../../../src/core/ids.ts';
import type { ThisMachine } from '../../../src/core/thisMachine.ts';
import { thisMachine } from '../../../src/local/thisMachine.ts';
import { History } from '../../../src/services/history/history.ts';
import { type DeleteProfileParts, deleteProfile } from '../../../src/ui/commands/deleteProfile.ts';
import type { Answer, PickRequest, Prompts, Question } from '../../../src/ui/prompts.ts';
import { endedRow } from '../../../src/ui/tree/endedRow.ts';
import { type Owned, start, temporaryFolder } from '../../host/processes.ts';
import { MapMemory, TestServices } from '../services/testServices.ts';
import { keepingOnly, localBrowser, someSession } from '../sessions.ts';
import { until } from '../until.ts';

const account = accountId('a');

/** Other programs on this machine may have a shorter name in their arguments. */
const profileName = `agent-browser-chrome-${randomUUID()}`;

(process.platform === 'linux' ? describe : describe.skip)('deleting a profile (Linux only)', function () {
  this.timeout(20_000);
  let services: TestServices;
  let history: History;
  let parts: DeleteProfileParts;
  let folder: string;
  let questions: Question[];
  let messages: string[];
  let lists: PickRequest<unknown>[];
  let whileAsked: () => Promise<void>;
  let press: boolean;
  let user: Owned | undefined;

  beforeEach(() => {
    services = new TestServices();
    services.store.setAccounts([account]);
    const memory = new MapMemory(0);
    history = new History(memory, services.store, services.accounts, Date.now, () => true);
    folder = join(temporaryFolder('profile'), profileName);
    mkdirSync(join(folder, 'Default'), { recursive: true });
    writeFileSync(join(folder, 'Default', 'Cookies'), 'x'.repeat(2_000_000));
    [questions, messages, lists, press, user] = [[], [], [], true, undefined];
    whileAsked = async () => {};
    const prompts: Partial<Prompts> = {
      confirm: async (question) => {
        questions.push(question);
        await whileAsked();
        return press ? question.choices[0] : undefined;
      },
      tell: async (_level, message) => void messages.push(message),
      note: (message) => void messages.push(message),
      busy: async (title, work) => {
        messages.push(title);
        return work(() => {});
      },
      pick: async <T>(request: PickRequest<T>): Promise<Answer<T>> => {
        lists.push(request);
        return { kind: 'left' };
      },
    };
    parts = { machine: async () => thisMachine, history, prompts: prompts as Prompts, clock: systemClock };
  });
  afterEach(async () => {
    await user?.stop();
    history.dispose();
    services.dispose();
  });

  /** Ends a session that had the profile. @returns its row. */
  function ended(afterEnd: 'kept' | 'deleted' | 'left' = 'left') {
    const local = localBrowser({ profile: { folder, afterEnd } });
    for (const sessions of [[someSession('s', { local })], []]) {
      const run = services.store.beginList(account);
      run.arrive({ sessions, groups: [], faults: [], account: undefined });
      run.complete(keepingOnly(services.store, account, sessions));
    }
    const [row] = history.all;
    assert.ok(row);
    return row;
  }
  const offers = (row: ReturnType<typeof ended>) =>
    endedRow(row, services.store, Date.now()).contextValue?.includes('+deletable') === true;

  it('names the folder and its size, and deletes it once the user confirms', async () => {
    const row = ended();
    assert.equal(offers(row), true);
    assert.equal(await deleteProfile(parts, [row]), true);
    const [{ message, detail, choices } = assert.fail()] = questions;
    assert.equal(message, `Delete the profile "${profileName}"?`);
    assert.match(detail, /^agent-browser: 2 MB, last used less than a minute ago\.\n/);
    assert.ok(detail.includes(folder));
    assert.match(detail, /lost\. This can't be undone\.$/);
    assert.deepEqual(choices, ['Delete Profile']);
    assert.equal(existsSync(folder), false);
    assert.deepEqual(messages, [`Deleted the profile "${profileName}".`]);
    const [after = assert.fail()] = history.all;
    assert.equal(offers(after), false);
    await deleteProfile(parts, [after]);
    assert.equal(messages[1], "This session didn't leave a profile.");
  });

  it('deletes nothing without confirmation, or if a process has started using the folder by then', async () => {
    const row = ended();
    press = false;
    assert.equal(await deleteProfile(parts, [row]), false);
    press = true;
    whileAsked = async () => {
      user = start('sleep', ['60'], { cwd: folder });
      await until(async () => (await thisMachine.checkProfile(folder, new AbortController().signal)).kind === 'inUse');
    };
    assert.equal(await deleteProfile(parts, [row]), false);
    assert.deepEqual(messages, [`A process is using the profile "${profileName}". It wasn't deleted.`]);
    assert.ok(existsSync(join(folder, 'Default', 'Cookies')));
    assert.equal(await deleteProfile(parts, [row]), false);
    assert.equal(questions.length, 2);
  });

  it('isn’t offered for a profile that is kept, or that its tool deletes', () => {
    assert.equal(offers(ended('kept')), false);
    assert.equal(offers(ended('deleted')), false);
  });

  it('takes the folder from the history, whatever a caller passes', async () => {
    const other = { accountId: account, sessionId: 'other', profile: folder };
    assert.equal(await deleteProfile(parts, [other]), false);
    assert.deepEqual(messages, ["This session didn't leave a profile."]);
    assert.ok(existsSync(folder));
  });

  it('says that a profile is already gone, and no longer offers it', async () => {
    folder = join(temporaryFolder('profile'), 'agent-browser-chrome-gone');
    const row = ended();
    assert.equal(await deleteProfile(parts, [row]), false);
    assert.deepEqual(messages, ['The profile "agent-browser-chrome-gone" no longer exists.']);
    assert.equal(offers(history.all[0] ?? assert.fail()), false);
  });

  it('says what it does when that takes long', async () => {
    const machine: ThisMachine = {
      ...thisMachine,
      leftProfiles: async () => {
        await until(() => messages.length > 0);
        return [];
      },
      deleteProfile: async (profile, signal) => {
        await until(() => messages.length > 0);
        return thisMachine.deleteProfile(profile, signal);
      },
    };
    const slow = { ...parts, machine: async () => machine };
    await deleteProfile(slow, []);
    assert.equal(messages[0], 'Looking for temporary profiles…');
    messages.length = 0;
    assert.equal(await deleteProfile(slow, [ended()]), true);
    assert.deepEqual(messages, [`Deleting the profile "${profileName}"…`, `Deleted the profile "${profileName}".`]);
  });

  it('lists what tools have left, with its age and size, when no session is named', async () => {
    const name = `agent-browser-chrome-listed-${process.pid}`;
    const left = {
      folder: `/tmp/${name}`,
      tool: 'agent-browser',
      bytes: 5e6,
      changedAt: Date.now() - 7_200_000,
      identity: '',
    };
    const machine = { ...thisMachine, leftProfiles: async () => [left] };
    await deleteProfile({ ...parts, machine: async () => machine }, []);
    const [{ choices } = assert.fail()] = lists;
    assert.deepEqual(
      choices.map(({ label, description, detail }) => [label, description, detail]),
      [[name, 'agent-browser · last used 2 hours ago · 5 MB', `/tmp/${name}`]],
    );
    await deleteProfile({ ...parts, machine: async () => ({ ...machine, leftProfiles: async () => [] }) }, []);
    assert.match(messages[0] ?? '', /^Automation tools haven't left any temporary profiles/);
  });
});
