import { strict as assert } from 'node:assert';
import type { Session } from '../../../../src/core/session.ts';
import { ThisMachineAccount, thisMachineAccount } from '../../../../src/services/accounts/thisMachineAccount.ts';
import { keepingAll, someSession } from '../../sessions.ts';
import { MapMemory, TestServices } from '../testServices.ts';
import { VirtualClock } from '../virtualClock.ts';

describe('the account of this machine', () => {
  let clock: VirtualClock;
  let services: TestServices;
  let memory: MapMemory;
  let isFound: boolean;
  let isEnabled: boolean;
  let isUnreadable: boolean;
  let looks: number;
  let machine: ThisMachineAccount;

  beforeEach(() => {
    clock = new VirtualClock();
    memory = new MapMemory(0);
    services = new TestServices({ clock, memory });
    [isFound, isEnabled, isUnreadable, looks] = [false, true, false, 0];
    machine = new ThisMachineAccount({
      accounts: services.accounts,
      store: services.store,
      clock,
      isEnabled: () => isEnabled,
      place: undefined,
      interval: () => 10_000,
      find: async () => {
        looks++;
        if (isUnreadable) throw new Error('no processes');
        return isFound;
      },
    });
  });
  afterEach(() => {
    machine.dispose();
    services.dispose();
  });
  const pass = (ms: number) => clock.until(clock.wait(ms), ms + 1_000);
  const isThere = () => services.accounts.all.some(({ id }) => id === thisMachineAccount.id);

  it('looks for nothing while the list is hidden', async () => {
    isFound = true;
    await pass(600_000);
    assert.equal(looks, 0);
    machine.setVisible(true);
    machine.setVisible(false);
    await pass(600_000);
    assert.equal(looks, 1);
    assert.equal(isThere(), false);
  });

  it('is there as soon as something is found, and nothing of it is stored', async () => {
    machine.setVisible(true);
    await pass(100);
    assert.equal(isThere(), false);
    isFound = true;
    await pass(60_000);
    assert.equal(isThere(), true);
    assert.deepEqual(services.accounts.get(thisMachineAccount.id), thisMachineAccount);
    assert.doesNotMatch(JSON.stringify([...memory.values]), /this-machine/);
  });

  it('is there if the processes can’t be read, so that its row says so, but not if that was only once', async () => {
    isUnreadable = true;
    machine.setVisible(true);
    await pass(100);
    assert.deepEqual([looks, isThere()], [1, false]);
    isUnreadable = false;
    await pass(60_000);
    assert.equal(isThere(), false);
    isUnreadable = true;
    await pass(200_000);
    assert.equal(isThere(), true);
  });

  it('looks less and less often while nothing is found, at least once a minute', async () => {
    machine.setVisible(true);
    await pass(600_000);
    assert.ok(looks >= 10 && looks <= 16, String(looks));
  });

  it('is looked for when a command asks, also while the list is hidden, but not while the setting is off', async () => {
    isEnabled = false;
    isFound = true;
    await machine.findNow();
    assert.deepEqual([looks, isThere()], [0, false]);
    isEnabled = true;
    await machine.findNow();
    assert.deepEqual([looks, isThere()], [1, true]);
    await machine.findNow();
    assert.equal(looks, 1);
  });

  it('leaves again at once if it was shown for a question and has nothing, but not while the list is visible', async () => {
    const listed = (...sessions: readonly Session[]) => {
      const run = services.store.beginList(thisMachineAccount.id);
      run.arrive({ sessions, groups: [], faults: [], account: undefined });
      run.complete(keepingAll);
    };
    machine.show();
    machine.leaveIfEmpty();
    assert.ok(isThere(), 'it left before it was listed');
    listed(someSession('one'));
    machine.leaveIfEmpty();
    assert.ok(isThere());
    services.store.reset(thisMachineAccount.id);
    listed();
    machine.setVisible(true);
    machine.leaveIfEmpty();
    assert.ok(isThere());
    machine.setVisible(false);
    machine.leaveIfEmpty();
    assert.ok(!isThere());
  });

  it('is called by the remote machine in a remote window', async () => {
    const remote = new ThisMachineAccount({
      accounts: services.accounts,
      store: services.store,
      clock,
      isEnabled: () => true,
      place: 'WSL: Ubuntu',
      interval: () => 0,
      find: async () => true,
    });
    await remote.findNow();
    assert.equal(services.accounts.get(thisMachineAccount.id)?.label, 'WSL: Ubuntu');
    remote.dispose();
  });

  it('leaves at once when the setting is turned off, and comes back when it is turned on', async () => {
    isFound = true;
    machine.setVisible(true);
    await pass(100);
    isEnabled = false;
    machine.follow();
    assert.equal(isThere(), false);
    await pass(600_000);
    assert.equal(looks, 1);
    isEnabled = true;
    machine.follow();
    await pass(100);
    assert.equal(isThere(), true);
  });
});
