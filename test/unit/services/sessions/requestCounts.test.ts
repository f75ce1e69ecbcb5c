import { strict as assert } from 'node:assert';
import type { AccountId } from '../../../../src/core/ids.ts';
import type { Attention } from '../../../../src/services/sessions/refresher.ts';
import { type ReadSetting, type SettingKey, settingValue } from '../../../../src/ui/settings.ts';
import { backgroundInterval } from '../../../../src/ui/status/backgroundInterval.ts';
import type { Stage } from '../../providers/contract/stage.ts';
import {
  anchorStage,
  browserbaseStage,
  browserlessCloudStage,
  browserlessV1Stage,
  gatewayStage,
  strictBrowserlessV2Stage,
} from '../../providers/contract/stages.ts';
import { failure, ScriptedProvider } from '../scriptedProvider.ts';
import { MapMemory, TestServices } from '../testServices.ts';
import { VirtualClock } from '../virtualClock.ts';
import { virtualTimeServices } from '../virtualTime.ts';

/** Most requests an account may cost in ten minutes while the view is visible and nothing changes. */
const mostInTenMinutes = 25;

const stages: Readonly<Record<string, () => Promise<Stage>>> = {
  'Anchor Browser': anchorStage,
  Browserbase: browserbaseStage,
  'Browserless v1': browserlessV1Stage,
  'Browserless v2': strictBrowserlessV2Stage,
  'the Browserless cloud': browserlessCloudStage,
  'a session gateway': gatewayStage,
};

describe('the requests of ten minutes in which nothing changes', () => {
  for (const [name, open] of Object.entries(stages)) {
    it(`are at most ${mostInTenMinutes} to ${name} while the view is visible`, async () => {
      const stage = await open();
      const { kind, server, credentials, settings } = stage;
      const { services, pass } = virtualTimeServices({ settings });
      try {
        await stage.start(3);
        const id = await services.accounts.add({ provider: kind.id, label: name, origin: server.url, credentials });
        services.refresher.setAttention({ visible: true, focused: true });
        await pass(600);
        const sent = server.requests.length;
        assert.equal(services.store.state(id)?.contents.sessions.size, 3);
        assert.ok(sent >= 5 && sent <= mostInTenMinutes, `${sent} requests: ${server.log().slice(0, 12).join()}`);
      } finally {
        services.dispose();
        await stage.stop();
      }
    });
  }
});

describe('refreshing in the background', () => {
  const minutes = (count: number) => count * 60_000;
  const hidden: Attention = { visible: false, focused: true };
  let clock: VirtualClock;
  let provider: ScriptedProvider;
  let services: TestServices;
  let background: number;
  let interval: number;
  const lists = () => provider.asked('list').length;
  const pass = (ms: number) => clock.until(clock.wait(ms), ms + 1);
  const add = (label: string): Promise<AccountId> =>
    clock.until(
      services.accounts.add({ provider: 'scripted', label, origin: 'https://scripted.example', credentials: {} }),
      minutes(1),
    );

  beforeEach(() => {
    clock = new VirtualClock();
    provider = new ScriptedProvider(clock);
    provider.start('a');
    background = minutes(5);
    interval = 10_000;
    services = new TestServices({
      clock,
      kinds: [provider.kind],
      memory: new MapMemory(0),
      interval: () => interval,
      background: () => background,
    });
  });
  afterEach(() => services.dispose());

  it('lists an account that was never shown, soon after the start and then every five minutes', async () => {
    services.refresher.setAttention(hidden);
    await add('one');
    await pass(1_000);
    assert.equal(lists(), 0, 'it was listed while VS Code was still starting');
    await pass(30_000);
    assert.equal(lists(), 1);
    await pass(minutes(60));
    // Twelve times, give or take the spread of a fifth.
    assert.ok(lists() >= 10 && lists() <= 16, String(lists()));
  });

  it('asks nothing in a window that isn’t focused, and what has become due once it is', async () => {
    services.refresher.setAttention({ visible: false, focused: false });
    await add('one');
    await pass(minutes(60));
    assert.equal(lists(), 0);
    services.refresher.setAttention(hidden);
    await pass(1_000);
    assert.equal(lists(), 1);
    // Going to and fro between windows asks no more often.
    for (let times = 0; times < 60; times++) {
      services.refresher.setAttention({ visible: false, focused: false });
      await pass(1_000);
      services.refresher.setAttention(hidden);
      await pass(1_000);
    }
    assert.equal(lists(), 1);
  });

  it('asks nothing while it is turned off, nor where the user refreshes manually', async () => {
    services.refresher.setAttention(hidden);
    background = 0;
    await add('one');
    await pass(minutes(60));
    assert.equal(lists(), 0);
    background = minutes(5);
    interval = 0;
    services.refresher.reschedule();
    await pass(minutes(60));
    assert.equal(lists(), 0);
    interval = 10_000;
    services.refresher.reschedule();
    await pass(minutes(11));
    assert.ok(lists() >= 1);
  });

  it('asks nothing in ten minutes with a hidden view and the status bar, the badge and warnings turned off', async () => {
    const changed = new Map<SettingKey, unknown>();
    const setting: ReadSetting = (key) => settingValue(key, changed.get(key));
    for (const [key, value] of [
      ['statusBar.show', 'never'],
      ['badge', 'off'],
      ['warnings.show', false],
    ] as const) {
      background = backgroundInterval(setting);
      assert.ok(background > 0, `not needed for ${key}`);
      changed.set(key, value);
    }
    background = backgroundInterval(setting);
    services.refresher.setAttention(hidden);
    await add('one');
    await pass(minutes(10));
    assert.equal(lists(), 0);
    // As soon as one is turned on again, it is asked again.
    changed.delete('badge');
    background = backgroundInterval(setting);
    services.refresher.reschedule();
    await pass(minutes(1));
    assert.equal(lists(), 1);
  });

  it('asks nothing without accounts', async () => {
    services.refresher.setAttention(hidden);
    await pass(minutes(60));
    assert.equal(provider.calls.length, 0);
  });

  it('lists as often as ever while the view is visible, and seldom as soon as it is hidden', async () => {
    services.refresher.setAttention({ visible: true, focused: true });
    await add('one');
    await pass(minutes(10));
    const visible = lists();
    assert.ok(visible >= 8 && visible <= mostInTenMinutes, String(visible));
    services.refresher.setAttention(hidden);
    await pass(minutes(10));
    assert.ok(lists() - visible <= 3, String(lists() - visible));
    background = 0;
    services.refresher.reschedule();
    const before = lists();
    await pass(minutes(10));
    assert.equal(lists(), before);
  });

  it('doesn’t ask more often where lists fail, and not at all after a rejected key', async () => {
    services.refresher.setAttention(hidden);
    background = minutes(20);
    provider.onList = () => Promise.reject(failure({ kind: 'serverFault', status: 500 }));
    await add('one');
    await pass(minutes(120));
    assert.ok(lists() <= 9, String(lists()));
    provider.onList = () => Promise.reject(failure({ kind: 'unauthorized' }));
    await pass(minutes(40));
    const before = lists();
    await pass(minutes(120));
    assert.equal(lists(), before);
  });
});
