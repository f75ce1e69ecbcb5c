import { strict as assert } from 'node:assert';
import { accountId } from '../../../../src/core/ids.ts';
import { findSame } from '../../../../src/services/accounts/findSame.ts';
import { KeychainError } from '../../../../src/services/accounts/secrets.ts';
import { until } from '../../until.ts';
import { Disk, type Window } from './windows.ts';

const anchorAccount = {
  provider: 'anchor',
  label: 'prod',
  origin: 'https://api.anchorbrowser.io',
  credentials: { apiKey: 'sk-canary-1' },
};
const chromeAccount = { provider: 'localChrome', label: 'here', origin: 'http://127.0.0.1:9222', credentials: {} };
const secretOf = (id: string) => `browserSessions.account.${id}`;

describe('accounts whose keychain fails', () => {
  let disk: Disk;
  let window: Window;

  beforeEach(() => {
    disk = new Disk();
    window = disk.open();
  });
  afterEach(() => {
    for (const one of disk.windows) one.close();
  });

  it('aren’t added when the keychain throws, and the error says what the system said', async () => {
    disk.fault = 'no keyring';
    await assert.rejects(window.accounts.add(anchorAccount), (error) => {
      return error instanceof KeychainError && error.reason === 'no keyring';
    });
    assert.deepEqual(window.accounts.all, []);
    assert.equal(disk.state, '{}');
  });

  it('aren’t added when the keychain keeps nothing, which reading back tells', async () => {
    disk.keepsNothing = true;
    await assert.rejects(window.accounts.add(anchorAccount), KeychainError);
    assert.deepEqual(window.accounts.all, []);
    assert.equal(disk.state, '{}');
  });

  it('work for this window only if the user wants that: the key is written nowhere', async () => {
    disk.fault = 'no keyring';
    const id = await window.accounts.add(anchorAccount, 'window');
    assert.equal((await window.accounts.open(id))?.credentials['apiKey'], 'sk-canary-1');
    assert.equal(window.accounts.isForThisWindow(id), true);
    assert.ok(!JSON.stringify([disk.state, ...disk.secrets, window.log.lines]).includes('canary'));
    disk.fault = undefined;
    const next = disk.open();
    assert.deepEqual(next.labels(), ['prod']);
    assert.equal(await next.accounts.open(id), undefined);
    assert.equal(await next.accounts.whyNoKey(id), 'missing');
    assert.equal(next.accounts.isForThisWindow(id), false);
  });

  it('are kept for good once their key is replaced and the keychain works', async () => {
    disk.fault = 'no keyring';
    const id = await window.accounts.add(anchorAccount, 'window');
    await assert.rejects(window.accounts.replaceCredentials(id, { apiKey: 'sk-canary-2' }), KeychainError);
    assert.equal((await window.accounts.open(id))?.credentials['apiKey'], 'sk-canary-1');
    await window.accounts.replaceCredentials(id, { apiKey: 'sk-canary-2' }, undefined, 'window');
    assert.equal((await window.accounts.open(id))?.credentials['apiKey'], 'sk-canary-2');
    disk.fault = undefined;
    await window.accounts.replaceCredentials(id, { apiKey: 'sk-canary-3' });
    assert.equal(window.accounts.isForThisWindow(id), false);
    assert.equal((await disk.open().accounts.open(id))?.credentials['apiKey'], 'sk-canary-3');
  });

  it('can be renamed and removed while they are for this window only', async () => {
    disk.fault = 'no keyring';
    const id = await window.accounts.add(anchorAccount, 'window');
    await window.accounts.rename(id, 'live');
    assert.deepEqual(disk.labels(), ['live']);
    assert.equal((await window.accounts.open(id))?.credentials['apiKey'], 'sk-canary-1');
    await window.accounts.remove(id);
    assert.deepEqual(disk.labels(), []);
  });

  it('are added, and work after a restart, where they have no key at all', async () => {
    disk.fault = 'no keyring';
    const id = await window.accounts.add(chromeAccount);
    assert.equal(window.accounts.isForThisWindow(id), false);
    const next = disk.open();
    assert.deepEqual(next.labels(), ['here']);
    assert.deepEqual(await next.accounts.open(id), { origin: chromeAccount.origin, credentials: {} });
    await next.accounts.rename(id, 'renamed');
    assert.deepEqual(disk.labels(), ['renamed']);
    await next.accounts.remove(id);
    assert.deepEqual(disk.labels(), []);
  });

  it('keep their key when replacing it fails in the middle', async () => {
    const id = await window.accounts.add(anchorAccount);
    disk.keepsNothing = true;
    await assert.rejects(window.accounts.replaceCredentials(id, { apiKey: 'sk-canary-2' }), KeychainError);
    assert.equal((await window.accounts.open(id))?.credentials['apiKey'], 'sk-canary-1');
  });

  it('stay when their key can’t be deleted, unless the user wants to remove them anyway', async () => {
    const id = await window.accounts.add(anchorAccount);
    disk.fault = 'locked';
    await assert.rejects(window.accounts.remove(id), KeychainError);
    assert.deepEqual(disk.labels(), ['prod']);
    await window.accounts.remove(id, 'leaveKey');
    assert.deepEqual(disk.labels(), []);
  });

  it('are found by address and key without the accounts whose key can’t be read', async () => {
    const id = await window.accounts.add(anchorAccount);
    const next = disk.open();
    disk.fault = 'locked';
    assert.equal(await findSame(next.accounts, anchorAccount, () => true), undefined);
    assert.equal(await next.accounts.whyNoKey(id), 'keychain');
    disk.fault = undefined;
    assert.equal((await findSame(next.accounts, anchorAccount, () => true))?.id, id);
    assert.equal(await next.accounts.whyNoKey(id), undefined);
  });
});

describe('accounts whose stored data is damaged', () => {
  let disk: Disk;
  beforeEach(() => {
    disk = new Disk();
  });
  afterEach(() => {
    for (const one of disk.windows) one.close();
  });

  it('stay, without a key, when their secret can’t be decrypted and the editor deletes it', async () => {
    const first = disk.open();
    const id = await first.accounts.add(anchorAccount);
    first.close();
    disk.undecryptable.add(secretOf(id));
    const [here, there] = [disk.open(), disk.open()];
    assert.equal(await here.accounts.open(id), undefined);
    await until(() => there.accounts.whyNoKey(id).then((why) => why === 'missing'));
    assert.deepEqual([here.labels(), there.labels(), disk.labels()], [['prod'], ['prod'], ['prod']]);
    await here.accounts.replaceCredentials(id, { apiKey: 'sk-canary-2' });
    await until(async () => (await there.accounts.open(id))?.credentials['apiKey'] === 'sk-canary-2');
  });

  it('stay when their secret is damaged or from a newer version, and say which', async () => {
    for (const [stored, why] of [
      ['', 'damaged'],
      ['{', 'damaged'],
      ['null', 'damaged'],
      ['[]', 'damaged'],
      ['"text"', 'damaged'],
      ['{"v":1}', 'damaged'],
      ['{"v":1,"provider":"anchor","label":"x","origin":"https://a.example","addedAt":1,"credentials":7}', 'damaged'],
      ['['.repeat(20_000), 'damaged'],
      ['{"v":2,"of":"the future"}', 'newer'],
    ] as const) {
      const first = disk.open();
      const id = await first.accounts.add(anchorAccount);
      first.close();
      disk.secrets.set(secretOf(id), stored);
      const window = disk.open();
      assert.equal(await window.accounts.open(id), undefined, stored.slice(0, 80));
      assert.equal(await window.accounts.whyNoKey(id), why, stored.slice(0, 80));
      await window.accounts.rename(id, 'renamed');
      assert.deepEqual(window.labels(), ['renamed']);
      // Renaming must not destroy what another version can read.
      assert.equal(disk.secrets.get(secretOf(id)), stored);
      await window.accounts.remove(id);
      window.close();
    }
  });

  it('are all there when one entry of their index is damaged, and its own data isn’t thrown away', async () => {
    const first = disk.open();
    await first.accounts.add(anchorAccount);
    first.close();
    const state = JSON.parse(disk.state);
    const odd = { id: 'future', what: 'a newer version wrote' };
    disk.state = JSON.stringify({ ...state, accounts: [null, odd, 7, ...state.accounts] });
    const window = disk.open();
    assert.deepEqual(window.labels(), ['prod']);
    await window.accounts.add({ ...anchorAccount, label: 'second' });
    assert.deepEqual(disk.labels(), ['prod', 'second']);
    assert.deepEqual(
      JSON.parse(disk.state).accounts.filter((entry: { id?: string } | null) => entry?.id === 'future'),
      [odd],
    );
  });

  it('are found again by their secrets when their index is no list', async () => {
    const first = disk.open();
    await first.accounts.add(anchorAccount);
    first.close();
    for (const accounts of [{ not: 'a list' }, 'text', 7, null]) {
      disk.state = JSON.stringify({ accounts });
      const window = disk.open();
      await until(() => window.labels().length > 0);
      assert.deepEqual([window.labels(), disk.labels()], [['prod'], ['prod']]);
      window.close();
    }
  });

  it('don’t fail for an account that isn’t there', async () => {
    const window = disk.open();
    await assert.rejects(window.accounts.rename(accountId('none'), 'x'), /no such account/);
    await assert.rejects(window.accounts.replaceCredentials(accountId('none'), {}), /no such account/);
    await window.accounts.remove(accountId('none'));
  });
});

describe('the accounts of two profiles', () => {
  it('stay apart, though the profiles share the keychain', async () => {
    const disk = new Disk();
    const other = new Disk(disk);
    const [work, demo, second] = [disk.open(), other.open(), disk.open()];
    const id = await work.accounts.add({ ...anchorAccount, label: 'work' });
    await demo.accounts.add({ ...anchorAccount, label: 'demo' });
    await until(async () => second.labels().length === 1);
    for (const key of ['second', 'third']) await work.accounts.replaceCredentials(id, { apiKey: key });
    // Usually, a window hears of an account within 100 ms.
    await until(async () => (await second.accounts.open(id))?.credentials['apiKey'] === 'third');
    assert.deepEqual(
      [work, demo, second].map((window) => window.labels().join()),
      ['work', 'demo', 'work'],
    );
    assert.deepEqual([disk.labels(), other.labels()], [['work'], ['demo']]);
    await demo.accounts.remove(id);
    assert.equal(disk.secrets.size, 2);
    for (const window of [work, demo, second]) window.close();
  });
});

describe('the accounts of two windows', () => {
  let disk: Disk;
  let here: Window;
  let there: Window;
  beforeEach(() => {
    disk = new Disk();
    [here, there] = [disk.open(), disk.open()];
  });
  afterEach(() => {
    for (const one of disk.windows) one.close();
  });

  /** Until both windows, and one opened now, have these accounts. */
  async function agree(...labels: string[]): Promise<void> {
    const all = () => [here.labels(), there.labels(), disk.labels()].map((one) => one.toSorted().join());
    const wanted = labels.toSorted().join();
    await until(() => all().every((one) => one === wanted)).catch(() => assert.deepEqual(all(), [wanted]));
  }

  it('are all there when both add some at once', async () => {
    const labels = Array.from({ length: 6 }, (_, index) => `account ${index}`);
    await Promise.all(
      labels.map((label, index) => (index % 2 === 0 ? here : there).accounts.add({ ...anchorAccount, label })),
    );
    await agree(...labels);
  });

  it('are gone when one removes them while the other adds and renames others', async () => {
    const first = await here.accounts.add({ ...anchorAccount, label: 'first' });
    const second = await here.accounts.add({ ...anchorAccount, label: 'second' });
    await agree('first', 'second');
    await Promise.all([
      here.accounts.remove(first),
      there.accounts.add({ ...anchorAccount, label: 'third' }),
      there.accounts.rename(second, 'renamed'),
    ]);
    await agree('renamed', 'third');
    assert.equal(disk.secrets.has(secretOf(first)), false);
  });

  it('have the new name and the new key when one renames and the other replaces the key at once', async () => {
    const id = await here.accounts.add(anchorAccount);
    await agree('prod');
    await there.accounts.open(id);
    for (const [one, other] of [
      [here, there],
      [there, here],
    ] as const) {
      const key = `sk-canary-${one === here ? 2 : 3}`;
      const label = `name ${one === here ? 2 : 3}`;
      await Promise.all([one.accounts.rename(id, label), other.accounts.replaceCredentials(id, { apiKey: key })]);
      await agree(label);
      for (const window of [here, there, disk.open()]) {
        await until(async () => (await window.accounts.open(id))?.credentials['apiKey'] === key);
      }
    }
  });

  it('have the key and the name that were entered last, even in a window whose clock is behind', async () => {
    const id = await here.accounts.add(anchorAccount);
    await agree('prod');
    const behind = disk.open(() => Date.now() - 3_600_000);
    await behind.accounts.replaceCredentials(id, { apiKey: 'sk-canary-2' });
    await behind.accounts.rename(id, 'live');
    await agree('live');
    for (const window of [here, there, behind, disk.open()]) {
      await until(async () => (await window.accounts.open(id))?.credentials['apiKey'] === 'sk-canary-2');
    }
  });

  it('are removed even if the other window renames them at the same time, and their key with them', async () => {
    const id = await here.accounts.add(anchorAccount);
    await agree('prod');
    await there.accounts.open(id);
    await Promise.allSettled([here.accounts.remove(id), there.accounts.rename(id, 'renamed')]);
    await agree();
    await until(() => disk.secrets.size === 0);
  });

  it('lose nothing when the same window renames one and replaces its key at once', async () => {
    const id = await here.accounts.add(anchorAccount);
    await Promise.all([
      here.accounts.rename(id, 'live'),
      here.accounts.replaceCredentials(id, { apiKey: 'sk-canary-2' }),
      here.accounts.keepFurther(id, ['https://further.example/']),
    ]);
    await agree('live');
    const secret = await disk.open().accounts.open(id);
    assert.equal(secret?.credentials['apiKey'], 'sk-canary-2');
    assert.deepEqual(secret?.further, ['https://further.example/']);
  });

  it('don’t come back when a window that hasn’t heard of the removal writes its own', async () => {
    const id = await here.accounts.add(anchorAccount);
    await agree('prod');
    const removed = here.accounts.remove(id);
    await there.accounts.add({ ...anchorAccount, label: 'second' });
    await removed;
    await agree('second');
  });
});
