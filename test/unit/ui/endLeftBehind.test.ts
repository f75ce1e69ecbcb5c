import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import type { AccountId } from '../../../src/core/ids.ts';
import { openProcessReader } from '../../../src/local/openProcessReader.ts';
import { connectTo, thisMachine } from '../../../src/providers/local/thisMachine.ts';
import { History } from '../../../src/services/history/history.ts';
import { Protections } from '../../../src/services/sessions/protections.ts';
import type { EndParts } from '../../../src/ui/commands/ending.ts';
import { endLeftBehind } from '../../../src/ui/commands/endLeftBehind.ts';
import type { Prompts, Question } from '../../../src/ui/prompts.ts';
import { TreeFilter } from '../../../src/ui/tree/filter.ts';
import { ensureChromium, quietFlags } from '../../host/chromium.ts';
import { type LeftBehind, leaveBehind } from '../../host/leftBehind.ts';
import { isRunning, type Owned, start, temporaryFolder } from '../../host/processes.ts';
import { MapMemory, noOwnMachine, TestServices } from '../services/testServices.ts';
import { until } from '../until.ts';

(process.platform === 'linux' ? describe : describe.skip)('ending what was left behind (Linux only)', function () {
  this.timeout(60_000);
  const folder = temporaryFolder('left');
  let services: TestServices;
  let account: AccountId;
  let parts: EndParts;
  let used: Owned;
  let questions: Question[];
  let messages: string[];
  /** What happens while the dialog is open; returns whether the user confirms. */
  let answer: () => Promise<boolean>;
  const browsers: LeftBehind[] = [];

  async function left(): Promise<LeftBehind> {
    const one = await leaveBehind({ folder });
    browsers.push(one);
    return one;
  }

  before(async () => {
    // Only this test's browsers. It must leave others on this machine alone.
    const real = await openProcessReader();
    const own = {
      ...real,
      list: async (...asked: Parameters<typeof real.list>) => {
        const all = await real.list(...asked);
        return { ...all, found: all.found.filter(({ args }) => args.some((arg) => arg.includes(folder))) };
      },
    };
    const kind = {
      ...thisMachine,
      connect: (link: Parameters<typeof connectTo>[0]) => connectTo(link, async () => own, {}),
    };
    services = new TestServices({ kinds: [kind], clock: systemClock, interval: 0 });
    account = await services.add('thisMachine', 'http://localhost');
    const profile = `--user-data-dir=${folder}/puppeteer_dev_chrome_profile-used`;
    used = start(await ensureChromium(), [...quietFlags, '--headless', '--remote-debugging-port=0', profile]);
  });
  beforeEach(() => {
    [questions, messages] = [[], []];
    answer = async () => true;
    const prompts: Partial<Prompts> = {
      confirm: async (question) => {
        questions.push(question);
        return (await answer()) ? question.choices[0] : undefined;
      },
      tell: async (_level, message) => void messages.push(message),
      note: () => {},
      busy: (_, work) => work(() => {}),
      progress: (_title, work) => work(() => {}, new AbortController().signal),
    };
    const memory = new MapMemory(0);
    const { accounts, kinds, store, connections, refresher, ender, log, evidence } = services;
    parts = {
      ...{ accounts, kinds, store, connections, refresher, ender, evidence, logger: log, prompts, clock: systemClock },
      history: new History(memory, store, accounts, Date.now, () => true),
      filter: new TreeFilter({ accounts, kinds, store, memory }),
      protections: new Protections(memory, store, accounts, systemClock),
      liveViews: { isOpen: () => false },
      isMine: () => undefined,
      setting: (name: string) => (name === 'thisMachine.enabled' ? true : name === 'confirm.endAll' ? 'button' : ''),
      showLog: () => {},
      ownMachine: noOwnMachine,
    } as unknown as EndParts;
  });
  afterEach(() => {
    for (const one of browsers.splice(0)) one.stop();
  });
  after(async () => {
    services.dispose();
    await used.stop();
  });

  /** Waits until these are listed, and no others: those of earlier tests stay until they are confirmed gone. */
  const listed = (...all: readonly LeftBehind[]) =>
    until(async () => {
      await services.refresher.refresh(account);
      const ids = [...(services.store.state(account)?.contents.sessions.keys() ?? [])];
      const pids = [...all.map(({ pid }) => pid), used.child.pid];
      return ids.length === pids.length && pids.every((pid) => ids.some((id) => id.startsWith(`${pid}-`)));
    });

  it('ends nothing if the row of its menu is gone by now', async () => {
    await listed(await left());
    // This is what VS Code passes then.
    for (const args of [[undefined], [undefined, [undefined]], [{}]]) {
      assert.equal((await endLeftBehind(parts, args)).requested, 0);
    }
    assert.deepEqual(questions, []);
    assert.deepEqual(messages, Array(3).fill('Select a session, group, or account first.'));
  });

  it('ends all that its dialog lists, but none that is in use or was left behind while the dialog was open', async () => {
    const [first, second] = [await left(), await left()];
    await listed(first, second);
    let late: LeftBehind | undefined;
    answer = async () => {
      late = await left();
      await services.refresher.refresh(account);
      return true;
    };
    const report = await endLeftBehind(parts, []);
    const [{ message, detail, choices } = assert.fail()] = questions;
    assert.equal(message, 'End 2 browsers that were left behind?');
    assert.deepEqual(choices, ['End 2 Sessions']);
    assert.match(detail, /2 temporary profiles stay on disk\./);
    assert.deepEqual([report.requested, report.ended], [2, 2]);
    assert.deepEqual([isRunning(first.pid), isRunning(second.pid)], [false, false]);
    assert.ok(late && isRunning(late.pid) && isRunning(used.child.pid ?? 0));
  });

  it('leaves out those that a program is connected to, also one that runs in the same Node.js', async () => {
    const [first, second, other] = [await left(), await left(), await left()];
    await listed(first, second, other);
    const portOf = async ({ profile }: LeftBehind) => {
      const file = join(profile, 'DevToolsActivePort');
      await until(async () => existsSync(file) && statSync(file).size > 0);
      return readFileSync(file, 'utf8').split('\n')[0] ?? '';
    };
    const clients = [
      start('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${await portOf(first)}; exec cat <&3`]),
      start(process.execPath, ['-e', `require('net').connect(${await portOf(second)}, '127.0.0.1')`]),
    ];
    try {
      await until(async () => {
        await services.refresher.refresh(account);
        const sessions = [...(services.store.state(account)?.contents.sessions.values() ?? [])];
        const isUsedBy = ({ pid }: LeftBehind, program: string) =>
          sessions.some(({ id, inUseBy }) => id.startsWith(`${pid}-`) && inUseBy === program);
        return isUsedBy(first, 'cat') && isUsedBy(second, 'node');
      });
      const report = await endLeftBehind(parts, []);
      assert.equal(questions[0]?.message, 'End 1 browser that was left behind?');
      assert.equal(report.ended, 1);
      assert.deepEqual(
        [first, second, other].map(({ pid }) => isRunning(pid)),
        [true, true, false],
      );
    } finally {
      for (const client of clients) await client.stop();
    }
  });

  it('ends nothing without confirmation', async () => {
    const one = await left();
    await listed(one);
    answer = async () => false;
    assert.equal((await endLeftBehind(parts, [])).canceled, 1);
    assert.equal(questions[0]?.message, 'End 1 browser that was left behind?');
    assert.ok(isRunning(one.pid));
  });

  it('skips a protected one, and says so', async () => {
    const [kept, other] = [await left(), await left()];
    await listed(kept, other);
    const id = [...(services.store.state(account)?.contents.sessions.keys() ?? [])].find((its) =>
      its.startsWith(`${kept.pid}-`),
    );
    await parts.protections.set(account, id === undefined ? [] : [id], true);
    assert.equal((await endLeftBehind(parts, [{ kind: 'account', accountId: account }])).ended, 1);
    assert.match(questions[0]?.detail ?? '', /Skipped:\n.*It's protected\./);
    assert.deepEqual([isRunning(kept.pid), isRunning(other.pid)], [true, false]);
  });

  it('says that nothing was left behind, or that this machine’s browsers are hidden', async () => {
    await listed();
    await endLeftBehind(parts, []);
    assert.deepEqual(messages, ['No browsers were left behind.']);
    await endLeftBehind({ ...parts, setting: () => false } as unknown as EndParts, []);
    assert.match(messages[1] ?? '', /^Browsers on this machine are hidden\./);
    assert.deepEqual(questions, []);
    assert.ok(isRunning(used.child.pid ?? 0));
  });
});
