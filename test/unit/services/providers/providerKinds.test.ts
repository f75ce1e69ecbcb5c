import { strict as assert } from 'node:assert';
import { sessionId } from '../../../../src/core/ids.ts';
import { newSession } from '../../../../src/core/newSession.ts';
import type { Link, Provider, ProviderKind } from '../../../../src/core/provider.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import { providerKinds } from '../../../../src/providers/index.ts';
import { builtInIds } from '../../../../src/services/providers/providerKinds.ts';
import { startExample } from '../../../servers/example.ts';
import { troubleOf } from '../../errors.ts';
import { exampleProvider } from '../../providers/exampleProvider.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';
import { acme, fastClock, MapMemory, MemorySecretStore, TestServices } from '../testServices.ts';

const other = { id: 'other.tools', name: 'Other Tools' };
const key = { doorKey: 'door-key-canary-0123' };

/** A copy of a provider that counts how often each of its fields, and theirs, was read. */
function counted(value: object, reads: Map<string, number>, path = ''): object {
  return new Proxy(value, {
    get: (target, name) => {
      const inner: unknown = Reflect.get(target, name);
      if (typeof name === 'symbol' || (Array.isArray(target) && name === 'length')) return inner;
      const at = path === '' ? name : `${path}.${name}`;
      reads.set(at, (reads.get(at) ?? 0) + 1);
      return typeof inner === 'object' && inner !== null ? counted(inner, reads, at) : inner;
    },
  });
}

describe('providers of other extensions', () => {
  let services: TestServices;
  beforeEach(() => {
    services = new TestServices();
  });
  afterEach(() => services.dispose());

  /** A provider that keeps the connections that it is given. */
  function keeping(links: Link[]): ProviderKind {
    return {
      ...exampleProvider,
      connect: (link) => {
        links.push(link);
        return exampleProvider.connect(link);
      },
    };
  }

  it('can’t take the id of a built-in provider, even before those are loaded', () => {
    assert.deepEqual([...builtInIds].sort(), providerKinds.map(({ id }) => id).sort());
    for (const id of builtInIds) assert.throws(() => services.register({ ...exampleProvider, id }), TypeError, id);
    services.register(exampleProvider);
    assert.throws(
      () => services.register(exampleProvider),
      /id: There is a provider with the id exampleProvider already/,
    );
  });

  it('are read once, field by field, so that a getter can’t turn into another provider', async () => {
    const reads = new Map<string, number>();
    const answers = ['decoy', 'decoy', 'anchor'];
    const raw = { ...exampleProvider, can: [...exampleProvider.can] };
    Object.defineProperty(raw, 'id', { get: () => answers.shift() ?? 'anchor' });
    services.register(counted(raw, reads));
    assert.deepEqual(
      [...reads].filter(([, count]) => count !== 1),
      [],
    );
    for (const field of ['id', 'fields.0.kind', 'address.preset', 'wording.ending', 'connect']) {
      assert.ok(reads.has(field), field);
    }
    await services.kinds.load();
    const anchor = services.kinds.get('anchor');
    assert.equal(anchor && services.kinds.isBuiltIn(anchor), true);
    assert.equal(services.kinds.get('decoy')?.id, 'decoy');
    assert.equal(services.kinds.get('decoy')?.id, 'decoy');
    assert.equal(answers.length, 2);
  });

  it('aren’t told to end another session that got a confirmed one’s ID since an old list, whatever their lists are worth', async () => {
    const clock = fastClock(20);
    services.dispose();
    services = new TestServices({ clock });
    const { ender, store } = services;
    const began = Date.now() - 3_600_000;
    let running = newSession(sessionId('worker-1'), { startedAt: began });
    const ended: (number | undefined)[] = [];
    const connect = (): Partial<Provider> => ({
      check: async () => ({ identity: undefined, sessionLimit: undefined, note: undefined }),
      list: async function* () {
        yield { sessions: [running], groups: [], faults: [], account: undefined };
      },
      end: async () => {
        ended.push(running.startedAt);
        return { outcome: 'ended', how: undefined };
      },
    });
    services.register({ ...exampleProvider, fields: [], connect: connect as ProviderKind['connect'] });
    const accountId = await services.add('exampleProvider', 'https://made.up.example', {});
    const state = store.state(accountId);
    assert.ok(state?.kind === 'ready');
    const session = running;
    running = newSession(sessionId('worker-1'), { startedAt: began + 60_000 });
    await until(() => clock.now() - state.asOf > 6_000);
    const { results } = await ender.end([{ accountId, session }], { stop: unaborted, onProgress: () => {} });
    assert.deepEqual(ended, []);
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['alreadyGone'],
    );
  });

  it('aren’t told to end what has a confirmed session’s ID if that can’t be listed again, though they say that something with this ID is running', async () => {
    services.dispose();
    for (const [isListed, says] of [
      [true, undefined],
      [true, 'unknown'],
      [true, 'running'],
      [false, 'gone'],
    ] as const) {
      const clock = fastClock(20);
      services = new TestServices({ clock, interval: 0 });
      const session = newSession(sessionId('worker-1'), { startedAt: Date.now() - 3_600_000 });
      let fails = !isListed;
      let ends = 0;
      const connect = (): Partial<Provider> => ({
        list: async function* () {
          yield { sessions: [session], groups: [], faults: [], account: undefined };
          if (fails) throw new ProviderError({ kind: 'serverFault', status: 500 }, '500');
        },
        end: async () => {
          ends++;
          return { outcome: 'accepted', how: undefined };
        },
        ...(says && { probe: async () => says }),
      });
      services.register({ ...exampleProvider, fields: [], connect: connect as ProviderKind['connect'] });
      const accountId = await services.add('exampleProvider', 'https://made.up.example', {});
      const since = clock.now();
      assert.equal(services.store.state(accountId)?.kind, isListed ? 'ready' : 'failed');
      fails = true;
      await until(() => clock.now() - since > 6_000);
      const { results } = await services.ender.end([{ accountId, session }], { stop: unaborted, onProgress: () => {} });
      const [{ outcome, why } = assert.fail()] = results;
      assert.deepEqual([ends, outcome, why?.kind], [0, 'failed', 'failed'], says);
      services.dispose();
    }
  }).timeout(20_000);

  it('are copied and frozen, so that nothing changes after they were checked', () => {
    const raw = {
      ...exampleProvider,
      fields: exampleProvider.fields.map((field) => ({ ...field })),
      wording: { ...exampleProvider.wording },
    };
    services.register(raw);
    const kind = services.kinds.get('exampleProvider');
    assert.ok(kind);
    Object.assign(raw, { id: 'anchor', label: 'Changed' });
    Object.assign(raw.fields[0] ?? {}, { kind: 'text' });
    Object.assign(raw.wording, { ending: 'Nothing is lost.' });
    assert.deepEqual([kind.id, kind.label, kind.fields[0]?.kind], ['exampleProvider', 'Made Up', 'secret']);
    assert.equal(kind.wording.ending, exampleProvider.wording.ending);
    for (const part of [kind, kind.fields, kind.fields[0], kind.wording, kind.address, kind.can, kind.settings]) {
      assert.ok(Object.isFrozen(part));
    }
  });

  it('are rejected with the name of the invalid field', () => {
    const field = exampleProvider.fields[0];
    const faults: readonly (readonly [string, unknown])[] = [
      ['the provider', undefined],
      ['the provider', 'anchor'],
      ['id', { ...exampleProvider, id: 'Anchor' }],
      ['id', { ...exampleProvider, id: 'a b' }],
      ['id', { ...exampleProvider, id: 5 }],
      ['id', { ...exampleProvider, id: 'constructor' }],
      ['id', { ...exampleProvider, id: `a${'b'.repeat(41)}` }],
      ['label', { ...exampleProvider, label: '\u200b' }],
      ['icon', { ...exampleProvider, icon: 'beaker) $(trash' }],
      ['address', { ...exampleProvider, address: undefined }],
      [
        'address.preset',
        { ...exampleProvider, address: { ...exampleProvider.address, preset: 'http://evil.example' } },
      ],
      ['address.ask', { ...exampleProvider, address: { ...exampleProvider.address, ask: 'yes' } }],
      ['fields', { ...exampleProvider, fields: { length: 0 } }],
      ['fields', { ...exampleProvider, fields: [field, field] }],
      ['fields.0.kind', { ...exampleProvider, fields: [{ ...field, kind: 'password' }] }],
      ['fields.0.id', { ...exampleProvider, fields: [{ ...field, id: 'valueOf' }] }],
      ['fields.0.environment.0', { ...exampleProvider, fields: [{ ...field, environment: [1] }] }],
      ['wording.ending', { ...exampleProvider, wording: { ...exampleProvider.wording, ending: undefined } }],
      ['connect', { ...exampleProvider, connect: 'connect' }],
      ['furtherAddresses', { ...exampleProvider, furtherAddresses: [] }],
      ['address', { ...exampleProvider, address: { ask: false } }],
    ];
    for (const [name, raw] of faults) {
      assert.throws(
        () => services.register(raw),
        (error) => error instanceof TypeError && error.message.startsWith(`registerProvider: ${name}: `),
        name,
      );
    }
    assert.deepEqual(services.kinds.all, []);
  });

  it('get no key, and no say in where it goes, before the user has allowed it', async () => {
    const server = await startExample();
    try {
      const links: Link[] = [];
      let derived = 0;
      services.register({
        ...keeping(links),
        furtherAddresses: () => {
          derived++;
          return [new URL('https://evil.example')];
        },
      });
      await services.kinds.load();
      const kind = services.kinds.get('exampleProvider');
      assert.ok(kind);
      assert.deepEqual(kind.furtherAddresses(new URL(server.url), key), []);
      const opening = async () => services.connections.connect(kind, server.url, key);
      assert.equal(await troubleOf(opening()), 'unsupported');
      const early = await services.add('exampleProvider', server.url, key);
      assert.equal(await troubleOf(services.connections.open(early)), 'unsupported');
      assert.deepEqual([links, derived, server.log()], [[], 0, []]);
      // An account that was saved without the user's permission isn't available to a provider that asks for it now.
      await assert.rejects(services.kinds.allow(kind));
      await services.accounts.remove(early);
      await services.kinds.allow(kind);
      const id = await services.add('exampleProvider', server.url, key);
      assert.equal(services.store.state(id)?.kind, 'ready');
      assert.deepEqual(links.at(-1)?.credentials, key);
    } finally {
      await server.stop();
    }
  });

  it('get no key that was saved for another extension’s provider of the same id, or for a built-in one', async () => {
    const memory = new MapMemory();
    const secretStore = new MemorySecretStore();
    const server = await startExample();
    const first = new TestServices({ memory, secretStore });
    const second = new TestServices({ memory, secretStore });
    try {
      const links: Link[] = [];
      first.kinds.register(exampleProvider, acme);
      await first.kinds.load();
      const kind = first.kinds.get('exampleProvider');
      assert.ok(kind);
      assert.deepEqual(first.kinds.needsConsent(kind), acme);
      await first.kinds.allow(kind);
      assert.equal(first.kinds.needsConsent(kind), undefined);
      second.kinds.register(keeping(links), other);
      const id = await first.add('exampleProvider', server.url, key);
      await second.kinds.load();
      assert.equal(await troubleOf(second.connections.open(id)), 'unsupported');
      const stranger = second.kinds.get('exampleProvider');
      await assert.rejects(second.kinds.allow(stranger ?? kind));
      assert.deepEqual(links, []);
      const third = new TestServices({ memory, secretStore });
      try {
        assert.throws(() => third.kinds.register(keeping(links), other), /Keys are saved for exampleProvider/);
        third.kinds.register(exampleProvider, { ...acme, id: 'Acme.Tools' });
        assert.equal((await third.connections.open(id)) !== undefined, true);
        // What a later version of this extension has saved for one of its own providers.
        await third.accounts.add({ provider: 'newBuiltIn', label: 'new', origin: server.url, credentials: key });
        assert.throws(() => third.kinds.register({ ...exampleProvider, id: 'newBuiltIn' }, acme), TypeError);
      } finally {
        third.dispose();
      }
    } finally {
      first.dispose();
      second.dispose();
      await server.stop();
    }
  });

  it('can change neither the address nor the key that the rest of the extension works with', async () => {
    const server = await startExample();
    const elsewhere = await startExample();
    try {
      server.light(1);
      services.register({
        ...exampleProvider,
        connect: (link: Link) => {
          const provider = exampleProvider.connect(link);
          link.origin.href = elsewhere.url;
          assert.throws(() => Object.assign(link.credentials, { doorKey: 'changed' }), TypeError);
          assert.throws(() => Object.assign(link, { http: undefined }), TypeError);
          return provider;
        },
      });
      const kind = services.kinds.get('exampleProvider');
      assert.ok(kind);
      await services.kinds.allow(kind);
      const id = await services.add('exampleProvider', server.url, key);
      assert.equal(services.store.state(id)?.contents.sessions.size, 1);
      assert.deepEqual(elsewhere.log(), []);
      assert.deepEqual((await services.accounts.open(id))?.credentials, key);
    } finally {
      await server.stop();
      await elsewhere.stop();
    }
  });

  it('see only what was typed for their own fields', async () => {
    const links: Link[] = [];
    services.register({ ...keeping(links), fields: [] });
    await services.kinds.load();
    const kind = services.kinds.get('exampleProvider');
    assert.ok(kind);
    assert.equal(services.kinds.needsConsent(kind), undefined);
    await services.connections.connect(kind, 'https://made.up.example', { ...key, constructor: 'x' });
    assert.deepEqual(links[0]?.credentials, {});
  });

  it('are gone when their registration is disposed, and only then', () => {
    const changes: string[] = [];
    services.kinds.onDidChange((id) => changes.push(id));
    const registration = services.register(exampleProvider);
    registration.dispose();
    assert.equal(services.kinds.get('exampleProvider'), undefined);
    services.register(exampleProvider);
    registration.dispose();
    assert.ok(services.kinds.get('exampleProvider'));
    assert.deepEqual(changes, ['exampleProvider', 'exampleProvider', 'exampleProvider']);
  });
});
