import { strict as assert } from 'node:assert';
import type { AccountChange } from '../../../../src/services/accounts/accounts.ts';
import { House, MemoryVault } from '../testServices.ts';

const anchorAccount = {
  provider: 'anchor',
  label: 'prod',
  origin: 'https://api.anchorbrowser.io',
  credentials: { apiKey: 'sk-canary-1' },
};

/** Lets events of other windows, which are followed asynchronously, arrive. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 10));

describe('accounts', () => {
  let house: House;
  let changes: AccountChange[];

  beforeEach(() => {
    house = new House();
    changes = [];
    house.accounts.onDidChange((change) => changes.push(change));
  });
  afterEach(() => house.dispose());

  it('keep a key together with its address, in the vault and nowhere else', async () => {
    const id = await house.accounts.add(anchorAccount);
    assert.deepEqual(house.accounts.all, [{ id, provider: 'anchor', label: 'prod', origin: anchorAccount.origin }]);
    const secret = JSON.parse(house.vault.values.get(`browserSessions.account.${id}`) ?? '');
    assert.equal(secret.origin, anchorAccount.origin);
    assert.equal(secret.credentials.apiKey, 'sk-canary-1');
    const elsewhere = JSON.stringify([...house.memory.values, house.accounts.all, changes, house.log.lines]);
    assert.ok(!elsewhere.includes('sk-canary-1'));
    await settle();
    assert.deepEqual(changes, [{ id, kind: 'added' }]);
  });

  it('are there again after a restart, in the order in which they were added', async () => {
    const first = await house.accounts.add(anchorAccount);
    await settle();
    const second = await house.accounts.add({ ...anchorAccount, label: 'staging' });
    const again = new House({ vault: house.vault });
    again.memory.values.set('accounts', house.memory.get('accounts'));
    const restarted = new House({ vault: house.vault });
    assert.deepEqual(restarted.accounts.all, []);
    for (const one of [again, restarted]) one.dispose();
    const { Accounts } = await import('../../../../src/services/accounts/accounts.ts');
    const accounts = new Accounts(house.vault, house.memory, Date.now, house.log);
    assert.deepEqual(
      accounts.all.map(({ id }) => id),
      [first, second],
    );
    assert.equal((await accounts.open(second))?.credentials['apiKey'], 'sk-canary-1');
  });

  it('follow what another window does: add, rename, another key, removal', async () => {
    const other = new House({ vault: house.vault });
    const id = await other.accounts.add(anchorAccount);
    await settle();
    assert.equal(house.accounts.get(id)?.label, 'prod');
    await other.accounts.rename(id, 'live');
    await settle();
    assert.equal(house.accounts.get(id)?.label, 'live');
    await other.accounts.replaceCredentials(id, { apiKey: 'sk-canary-2' });
    await settle();
    assert.equal((await house.accounts.open(id))?.credentials['apiKey'], 'sk-canary-2');
    await other.accounts.remove(id);
    await settle();
    assert.equal(house.accounts.get(id), undefined);
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['added', 'renamed', 'connection', 'removed'],
    );
    other.dispose();
  });

  it('tell of a change at the moment from which it is seen', async () => {
    const other = new House({ vault: house.vault });
    const seen: string[] = [];
    house.accounts.onDidChange(({ id, kind }) => seen.push(`${kind}: ${house.accounts.get(id)?.label}`));
    const watch = setInterval(() => {
      if (house.accounts.all.length > 0 && seen.length === 0) seen.push('seen before it was told');
    }, 0);
    const id = await other.accounts.add(anchorAccount);
    await settle();
    await house.accounts.rename(id, 'mine');
    await settle();
    clearInterval(watch);
    assert.deepEqual(seen, ['added: prod', 'renamed: mine']);
    other.dispose();
  });

  it('find one that has the same address and key', async () => {
    const id = await house.accounts.add(anchorAccount);
    assert.equal((await house.accounts.findSame(anchorAccount))?.id, id);
    assert.equal(await house.accounts.findSame({ ...anchorAccount, credentials: { apiKey: 'other' } }), undefined);
    assert.equal(await house.accounts.findSame({ ...anchorAccount, origin: 'https://other.example' }), undefined);
  });

  it('store nothing when the vault cannot', async () => {
    class NoKeyring extends MemoryVault {
      override async store(): Promise<void> {
        throw new Error('no keyring');
      }
    }
    const bare = new House({ vault: new NoKeyring() });
    await assert.rejects(bare.accounts.add(anchorAccount), /no keyring/);
    assert.deepEqual(bare.accounts.all, []);
    assert.deepEqual([...bare.memory.values], []);
    bare.dispose();
  });

  it('do not lose an account whose entry another version wrote, nor one whose index is broken', async () => {
    const id = await house.accounts.add(anchorAccount);
    await house.vault.store(`browserSessions.account.${id}`, '{"v":2,"of":"the future"}');
    await settle();
    assert.equal(house.accounts.get(id)?.label, 'prod');
    house.memory.values.set('accounts', { not: 'a list' });
    const broken = new House({ vault: house.vault });
    assert.deepEqual(broken.accounts.all, []);
    broken.dispose();
  });
});
