import { strict as assert } from 'node:assert';
import type { AccountChange } from '../../../../src/services/accounts/accounts.ts';
import { findSame } from '../../../../src/services/accounts/findSame.ts';
import { MemorySecretStore, TestServices } from '../testServices.ts';

const anchorAccount = {
  provider: 'anchor',
  label: 'prod',
  origin: 'https://api.anchorbrowser.io',
  credentials: { apiKey: 'sk-canary-1' },
};

/** Lets events of other windows, which are handled asynchronously, arrive. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 10));

describe('accounts', () => {
  let services: TestServices;
  let changes: AccountChange[];

  beforeEach(() => {
    services = new TestServices();
    changes = [];
    services.accounts.onDidChange((change) => changes.push(change));
  });
  afterEach(() => services.dispose());

  it('keep a key together with its address, in secret storage and nowhere else', async () => {
    const id = await services.accounts.add(anchorAccount);
    assert.deepEqual(services.accounts.all, [{ id, provider: 'anchor', label: 'prod', origin: anchorAccount.origin }]);
    const secret = JSON.parse(services.secretStore.values.get(`browserSessions.account.${id}`) ?? '');
    assert.equal(secret.origin, anchorAccount.origin);
    assert.equal(secret.credentials.apiKey, 'sk-canary-1');
    const elsewhere = JSON.stringify([...services.memory.values, services.accounts.all, changes, services.log.lines]);
    assert.ok(!elsewhere.includes('sk-canary-1'));
    await settle();
    assert.deepEqual(changes, [{ id, kind: 'added' }]);
  });

  it('are still there after a restart, in the order in which they were added', async () => {
    const first = await services.accounts.add(anchorAccount);
    await settle();
    const second = await services.accounts.add({ ...anchorAccount, label: 'staging' });
    const again = new TestServices({ secretStore: services.secretStore });
    again.memory.values.set('accounts', services.memory.get('accounts'));
    const restarted = new TestServices({ secretStore: services.secretStore });
    assert.deepEqual(restarted.accounts.all, []);
    for (const one of [again, restarted]) one.dispose();
    const { Accounts } = await import('../../../../src/services/accounts/accounts.ts');
    const accounts = new Accounts(services.secretStore, services.memory, Date.now, services.log);
    assert.deepEqual(
      accounts.all.map(({ id }) => id),
      [first, second],
    );
    assert.equal((await accounts.open(second))?.credentials['apiKey'], 'sk-canary-1');
  });

  it('follow changes from another window: added, renamed, new key, removed', async () => {
    const other = new TestServices({ secretStore: services.secretStore, memory: services.memory });
    const id = await other.accounts.add(anchorAccount);
    await settle();
    assert.equal(services.accounts.get(id)?.label, 'prod');
    await other.accounts.rename(id, 'live');
    await settle();
    assert.equal(services.accounts.get(id)?.label, 'live');
    await other.accounts.replaceCredentials(id, { apiKey: 'sk-canary-2' });
    await settle();
    assert.equal((await services.accounts.open(id))?.credentials['apiKey'], 'sk-canary-2');
    await other.accounts.remove(id);
    await settle();
    assert.equal(services.accounts.get(id), undefined);
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['added', 'renamed', 'connection', 'removed'],
    );
    other.dispose();
  });

  it('are checked on request for what another window has changed, where VS Code doesn’t tell', async () => {
    const { secretStore, memory } = services;
    const { values } = secretStore;
    const id = await services.accounts.add(anchorAccount);
    const untouched = await services.accounts.add({ ...anchorAccount, label: 'other' });
    await settle();
    const key = `browserSessions.account.${id}`;
    const secret = JSON.parse(values.get(key) ?? '');
    await services.accounts.checkStored(id);
    await services.accounts.checkStored(untouched);
    assert.equal(changes.length, 2);
    values.set(key, JSON.stringify({ ...secret, keyAt: secret.keyAt + 1, credentials: { apiKey: 'sk-canary-2' } }));
    await services.accounts.checkStored(id);
    assert.equal((await services.accounts.open(id))?.credentials['apiKey'], 'sk-canary-2');
    values.delete(key);
    await memory.update('removedAccounts', [id]);
    await services.accounts.checkStored(id);
    assert.deepEqual(
      changes.slice(2).map(({ kind, id: its }) => [kind, its]),
      [
        ['connection', id],
        ['removed', id],
      ],
    );
  });

  it('report a change as soon as it is visible', async () => {
    const other = new TestServices({ secretStore: services.secretStore, memory: services.memory });
    const seen: string[] = [];
    services.accounts.onDidChange(({ id, kind }) => seen.push(`${kind}: ${services.accounts.get(id)?.label}`));
    const watch = setInterval(() => {
      if (services.accounts.all.length > 0 && seen.length === 0) seen.push('visible before the event');
    }, 0);
    const id = await other.accounts.add(anchorAccount);
    await settle();
    await services.accounts.rename(id, 'mine');
    await settle();
    clearInterval(watch);
    assert.deepEqual(seen, ['added: prod', 'renamed: mine']);
    other.dispose();
  });

  it('find one that has the same address and key, whatever its other fields are', async () => {
    const isKey = (field: string) => field === 'apiKey';
    const id = await services.accounts.add(anchorAccount);
    const find = (change: object, except?: typeof id) =>
      findSame(services.accounts, { ...anchorAccount, ...change }, isKey, except);
    assert.equal((await find({}))?.id, id);
    assert.equal((await find({ credentials: { apiKey: 'sk-canary-1', projectId: 'p' } }))?.id, id);
    assert.equal(await find({ credentials: { apiKey: 'other' } }), undefined);
    assert.equal(await find({ credentials: {} }), undefined);
    assert.equal(await find({ origin: 'https://other.example' }), undefined);
    assert.equal(await find({}, id), undefined, 'the account whose key is replaced');
    const elsewhere = JSON.stringify([...services.memory.values, services.log.lines]);
    assert.ok(!elsewhere.includes('sk-canary-1'));
  });

  it('store nothing when secret storage fails', async () => {
    class NoKeyring extends MemorySecretStore {
      override async store(): Promise<void> {
        throw new Error('no keyring');
      }
    }
    const bare = new TestServices({ secretStore: new NoKeyring() });
    await assert.rejects(bare.accounts.add(anchorAccount), /no keyring/);
    assert.deepEqual(bare.accounts.all, []);
    assert.deepEqual([...bare.memory.values], []);
    bare.dispose();
  });

  it('don’t lose an account whose entry another version wrote, or one whose index is broken', async () => {
    const id = await services.accounts.add(anchorAccount);
    await services.secretStore.store(`browserSessions.account.${id}`, '{"v":2,"of":"the future"}');
    await settle();
    assert.equal(services.accounts.get(id)?.label, 'prod');
    services.memory.values.set('accounts', { not: 'a list' });
    const broken = new TestServices({ secretStore: services.secretStore });
    assert.deepEqual(broken.accounts.all, []);
    broken.dispose();
  });
});
