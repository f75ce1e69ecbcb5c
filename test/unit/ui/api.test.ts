import { strict as assert } from 'node:assert';
import type { BrowserSessionsApi } from '../../../src/api/browserSessions.ts';
import { onListenerError } from '../../../src/core/event.ts';
import { createApi } from '../../../src/ui/api.ts';
import { type AnchorServer, startAnchor } from '../../servers/anchor.ts';
import { exampleProvider } from '../providers/exampleProvider.ts';
import { acme, TestServices } from '../services/testServices.ts';

describe('the API for other extensions', () => {
  let services: TestServices;
  let server: AnchorServer;
  let api: BrowserSessionsApi;

  beforeEach(async () => {
    server = await startAnchor();
    services = new TestServices();
    api = createApi({ ...services, findExtension: (id) => (id.toLowerCase() === acme.id ? acme : undefined) });
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  const add = () => services.add('anchor', server.url, { apiKey: server.key });

  it('makes no more requests than the shortest interval would, however often it is asked to refresh', async () => {
    server.add({ id: 'sess_a' });
    await add();
    const before = server.requests.length;
    const lists = () =>
      server
        .log()
        .slice(before)
        .filter((line) => line === 'GET /v1/sessions/all/status').length;
    const end = Date.now() + 1_500;
    // The services' clock runs 20 times as fast: this is half a minute.
    while (Date.now() < end) await api.refresh();
    assert.ok(lists() >= 11, `${lists()} lists`);
    assert.ok(lists() <= 26, `${lists()} lists`);
  });

  it('returns copies that can’t be changed, down to the tags', async () => {
    server.add({ id: 'sess_a', tags: ['prod'] });
    const id = await add();
    const [session] = api.sessions(id);
    const [account] = api.accounts;
    assert.ok(session && account);
    for (const part of [api.sessions(), api.accounts, session, session.tags, account]) assert.ok(Object.isFrozen(part));
    assert.throws(() => (session.tags as string[]).push('mine'), TypeError);
    assert.notEqual(session.tags, api.sessions(id)[0]?.tags);
    const kept = [...(services.store.state(id)?.contents.sessions.values() ?? [])];
    assert.deepEqual(kept[0]?.tags, ['prod']);
  });

  it('doesn’t let another extension’s listener keep an end from being sent, confirmed and reported', async () => {
    const heard: unknown[] = [];
    const handler = onListenerError((error) => heard.push(error));
    try {
      for (const name of ['a', 'b', 'c']) server.add({ id: `sess_${name}` });
      const id = await add();
      api.onDidChange(() => {
        throw new Error('a listener of another extension');
      });
      const later: () => unknown = async () => {
        await Promise.resolve();
        throw new Error('another one');
      };
      api.onDidChange(later);
      const targets = [...(services.store.state(id)?.contents.sessions.values() ?? [])].map((session) => {
        return { accountId: id, session };
      });
      const options = { stop: new AbortController().signal, onProgress: () => {} };
      const { results } = await services.ender.end(targets, options);
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        ['ended', 'ended', 'ended'],
      );
      assert.deepEqual(server.running, []);
      assert.deepEqual(api.sessions(), []);
      assert.ok(heard.length > 0);
    } finally {
      handler.dispose();
    }
  });

  it('accepts only functions as listeners', () => {
    assert.throws(() => api.onDidChange('listener' as never), TypeError);
  });

  it('believes a caller’s extension id only if that extension is installed', () => {
    for (const id of ['nobody.nothing', '', 5, {}, undefined]) {
      assert.throws(
        () => api.registerProvider(exampleProvider, id as string),
        /extensionId: There is no such extension/,
      );
    }
    api.registerProvider(exampleProvider, 'Acme.Tools');
    const [kind] = services.kinds.all;
    assert.deepEqual(kind && services.kinds.needsConsent(kind), acme);
  });
});
