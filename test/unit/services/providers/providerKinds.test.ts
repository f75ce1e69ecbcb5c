import { strict as assert } from 'node:assert';
import type { Link, ProviderKind } from '../../../../src/core/provider.ts';
import { providerKinds } from '../../../../src/providers/index.ts';
import { builtInIds } from '../../../../src/services/providers/providerKinds.ts';
import { startMadeUp } from '../../../servers/example.ts';
import { troubleOf } from '../../errors.ts';
import { madeUp } from '../../providers/exampleProvider.ts';
import { acme, House, MapMemory, MemoryVault } from '../testServices.ts';

const other = { id: 'other.tools', name: 'Other Tools' };
const key = { doorKey: 'door-key-canary-0123' };

/** A copy of a provider that tells how often each of its fields, and theirs, was read. */
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
  let house: House;
  beforeEach(() => {
    house = new House();
  });
  afterEach(() => house.dispose());

  /** A provider that keeps the links that it is handed. */
  function keeping(links: Link[]): ProviderKind {
    return {
      ...madeUp,
      connect: (link) => {
        links.push(link);
        return madeUp.connect(link);
      },
    };
  }

  it('can’t take the id of a built-in provider, even before those are loaded', () => {
    assert.deepEqual([...builtInIds].sort(), providerKinds.map(({ id }) => id).sort());
    for (const id of builtInIds) assert.throws(() => house.register({ ...madeUp, id }), TypeError, id);
    house.register(madeUp);
    assert.throws(() => house.register(madeUp), /id: There is a provider with the id madeUp already/);
  });

  it('are read once, field by field, so that a getter can’t turn into another provider', async () => {
    const reads = new Map<string, number>();
    const answers = ['decoy', 'decoy', 'anchor'];
    const raw = { ...madeUp, can: [...madeUp.can] };
    Object.defineProperty(raw, 'id', { get: () => answers.shift() ?? 'anchor' });
    house.register(counted(raw, reads));
    assert.deepEqual(
      [...reads].filter(([, count]) => count !== 1),
      [],
    );
    for (const field of ['id', 'fields.0.kind', 'address.preset', 'wording.ending', 'connect']) {
      assert.ok(reads.has(field), field);
    }
    await house.kinds.load();
    const anchor = house.kinds.get('anchor');
    assert.equal(anchor && house.kinds.isBuiltIn(anchor), true);
    assert.equal(house.kinds.get('decoy')?.id, 'decoy');
    assert.equal(house.kinds.get('decoy')?.id, 'decoy');
    assert.equal(answers.length, 2);
  });

  it('are copied and frozen, so that nothing changes after they were checked', () => {
    const raw = { ...madeUp, fields: madeUp.fields.map((field) => ({ ...field })), wording: { ...madeUp.wording } };
    house.register(raw);
    const kind = house.kinds.get('madeUp');
    assert.ok(kind);
    Object.assign(raw, { id: 'anchor', label: 'Changed' });
    Object.assign(raw.fields[0] ?? {}, { kind: 'text' });
    Object.assign(raw.wording, { ending: 'Nothing is lost.' });
    assert.deepEqual([kind.id, kind.label, kind.fields[0]?.kind], ['madeUp', 'Made Up', 'secret']);
    assert.equal(kind.wording.ending, madeUp.wording.ending);
    for (const part of [kind, kind.fields, kind.fields[0], kind.wording, kind.address, kind.can, kind.settings]) {
      assert.ok(Object.isFrozen(part));
    }
  });

  it('are refused with the name of the field that is wrong', () => {
    const field = madeUp.fields[0];
    const faults: readonly (readonly [string, unknown])[] = [
      ['the provider', undefined],
      ['the provider', 'anchor'],
      ['id', { ...madeUp, id: 'Anchor' }],
      ['id', { ...madeUp, id: 'a b' }],
      ['id', { ...madeUp, id: 5 }],
      ['id', { ...madeUp, id: 'constructor' }],
      ['id', { ...madeUp, id: `a${'b'.repeat(41)}` }],
      ['label', { ...madeUp, label: '\u200b' }],
      ['icon', { ...madeUp, icon: 'beaker) $(trash' }],
      ['address', { ...madeUp, address: undefined }],
      ['address.preset', { ...madeUp, address: { ...madeUp.address, preset: 'http://evil.example' } }],
      ['address.ask', { ...madeUp, address: { ...madeUp.address, ask: 'yes' } }],
      ['fields', { ...madeUp, fields: { length: 0 } }],
      ['fields', { ...madeUp, fields: [field, field] }],
      ['fields.0.kind', { ...madeUp, fields: [{ ...field, kind: 'password' }] }],
      ['fields.0.id', { ...madeUp, fields: [{ ...field, id: 'valueOf' }] }],
      ['fields.0.environment.0', { ...madeUp, fields: [{ ...field, environment: [1] }] }],
      ['wording.ending', { ...madeUp, wording: { ...madeUp.wording, ending: undefined } }],
      ['connect', { ...madeUp, connect: 'connect' }],
      ['furtherAddresses', { ...madeUp, furtherAddresses: [] }],
      ['address', { ...madeUp, address: { ask: false } }],
    ];
    for (const [name, raw] of faults) {
      assert.throws(
        () => house.register(raw),
        (error) => error instanceof TypeError && error.message.startsWith(`registerProvider: ${name}: `),
        name,
      );
    }
    assert.deepEqual(house.kinds.all, []);
  });

  it('get no key, and no say in where it goes, before the user has allowed it', async () => {
    const server = await startMadeUp();
    try {
      const links: Link[] = [];
      let derived = 0;
      house.register({
        ...keeping(links),
        furtherAddresses: () => {
          derived++;
          return [new URL('https://evil.example')];
        },
      });
      await house.kinds.load();
      const kind = house.kinds.get('madeUp');
      assert.ok(kind);
      assert.deepEqual(kind.furtherAddresses(new URL(server.url), key), []);
      const opening = async () => house.connections.connect(kind, server.url, key);
      assert.equal(await troubleOf(opening()), 'unsupported');
      const early = await house.add('madeUp', server.url, key);
      assert.equal(await troubleOf(house.connections.open(early)), 'unsupported');
      assert.deepEqual([links, derived, server.log()], [[], 0, []]);
      // An account that was saved without the user's word is not for whoever asks for it now.
      await assert.rejects(house.kinds.allow(kind));
      await house.accounts.remove(early);
      await house.kinds.allow(kind);
      const id = await house.add('madeUp', server.url, key);
      assert.equal(house.store.state(id)?.kind, 'ready');
      assert.deepEqual(links.at(-1)?.credentials, key);
    } finally {
      await server.stop();
    }
  });

  it('get no key that was saved for another extension’s provider of the same id, or for a built-in one', async () => {
    const memory = new MapMemory();
    const vault = new MemoryVault();
    const server = await startMadeUp();
    const first = new House({ memory, vault });
    const second = new House({ memory, vault });
    try {
      const links: Link[] = [];
      first.kinds.register(madeUp, acme);
      await first.kinds.load();
      const kind = first.kinds.get('madeUp');
      assert.ok(kind);
      assert.deepEqual(first.kinds.needsConsent(kind), acme);
      await first.kinds.allow(kind);
      assert.equal(first.kinds.needsConsent(kind), undefined);
      second.kinds.register(keeping(links), other);
      const id = await first.add('madeUp', server.url, key);
      await second.kinds.load();
      assert.equal(await troubleOf(second.connections.open(id)), 'unsupported');
      const stranger = second.kinds.get('madeUp');
      await assert.rejects(second.kinds.allow(stranger ?? kind));
      assert.deepEqual(links, []);
      const third = new House({ memory, vault });
      try {
        assert.throws(() => third.kinds.register(keeping(links), other), /Keys are saved for madeUp/);
        third.kinds.register(madeUp, { ...acme, id: 'Acme.Tools' });
        assert.equal((await third.connections.open(id)) !== undefined, true);
        // What a later version of this extension has saved for a provider of its own.
        await third.accounts.add({ provider: 'newBuiltIn', label: 'new', origin: server.url, credentials: key });
        assert.throws(() => third.kinds.register({ ...madeUp, id: 'newBuiltIn' }, acme), TypeError);
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
    const server = await startMadeUp();
    const elsewhere = await startMadeUp();
    try {
      server.light(1);
      house.register({
        ...madeUp,
        connect: (link: Link) => {
          const provider = madeUp.connect(link);
          link.origin.href = elsewhere.url;
          assert.throws(() => Object.assign(link.credentials, { doorKey: 'changed' }), TypeError);
          assert.throws(() => Object.assign(link, { http: undefined }), TypeError);
          return provider;
        },
      });
      const kind = house.kinds.get('madeUp');
      assert.ok(kind);
      await house.kinds.allow(kind);
      const id = await house.add('madeUp', server.url, key);
      assert.equal(house.store.state(id)?.contents.sessions.size, 1);
      assert.deepEqual(elsewhere.log(), []);
      assert.deepEqual((await house.accounts.open(id))?.credentials, key);
    } finally {
      await server.stop();
      await elsewhere.stop();
    }
  });

  it('see only what was typed for their own fields', async () => {
    const links: Link[] = [];
    house.register({ ...keeping(links), fields: [] });
    await house.kinds.load();
    const kind = house.kinds.get('madeUp');
    assert.ok(kind);
    assert.equal(house.kinds.needsConsent(kind), undefined);
    await house.connections.connect(kind, 'https://made.up.example', { ...key, constructor: 'x' });
    assert.deepEqual(links[0]?.credentials, {});
  });

  it('are gone when their registration is disposed, and only then', () => {
    const changes: string[] = [];
    house.kinds.onDidChange((id) => changes.push(id));
    const registration = house.register(madeUp);
    registration.dispose();
    assert.equal(house.kinds.get('madeUp'), undefined);
    house.register(madeUp);
    registration.dispose();
    assert.ok(house.kinds.get('madeUp'));
    assert.deepEqual(changes, ['madeUp', 'madeUp', 'madeUp']);
  });
});
