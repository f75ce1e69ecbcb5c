import { strict as assert } from 'node:assert';
import { startAnchor } from '../../../servers/anchor.ts';
import { startBrowserbase } from '../../../servers/browserbase.ts';
import { MapMemory, TestServices } from '../testServices.ts';

describe('a key for an address such as localhost', () => {
  const secretStore = () => new TestServices().secretStore;

  it('isn’t sent to another machine’s localhost in a remote window, until it’s entered there', async () => {
    const server = await startAnchor();
    const shared = { secretStore: secretStore(), memory: new MapMemory() };
    const local = new TestServices(shared);
    const id = await local.add('anchor', server.url, { apiKey: server.key });
    assert.equal(local.store.state(id)?.kind, 'ready');
    const before = server.requests.length;

    const remote = new TestServices({ ...shared, machine: 'ssh-remote build-7' });
    await remote.refresher.refresh(id);
    const state = remote.store.state(id);
    assert.deepEqual(state?.kind === 'failed' && state.trouble.trouble, { kind: 'noKey', why: 'otherMachine' });
    assert.equal(server.requests.length, before);

    await remote.accounts.replaceCredentials(id, { apiKey: server.key });
    await remote.refresher.refresh(id);
    assert.equal(remote.store.state(id)?.kind, 'ready');

    const after = server.requests.length;
    const third = new TestServices({ ...shared, machine: 'ssh-remote build-8' });
    await third.refresher.refresh(id);
    assert.equal(server.requests.length, after);
    for (const services of [local, remote, third]) services.dispose();
    await server.stop();
  });

  it('isn’t sent there either if only a further address of the account is such an address', async () => {
    const server = await startBrowserbase();
    const shared = { secretStore: secretStore(), memory: new MapMemory() };
    const local = new TestServices(shared);
    const id = await local.accounts.add({
      provider: 'browserbase',
      label: 'shop',
      origin: 'https://browserbase.example',
      credentials: { apiKey: server.key },
      further: [server.url],
    });
    const remote = new TestServices({ ...shared, machine: 'wsl Ubuntu' });
    await remote.refresher.refresh(id);
    const state = remote.store.state(id);
    assert.deepEqual(state?.kind === 'failed' && state.trouble.trouble, { kind: 'noKey', why: 'otherMachine' });
    assert.equal(server.requests.length, 0);
    for (const services of [local, remote]) services.dispose();
    await server.stop();
  });
});
