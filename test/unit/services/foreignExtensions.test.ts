import { strict as assert } from 'node:assert';
import { newGroup, newSession } from '../../../src/api/newSession.ts';
import { providerError } from '../../../src/api/providerError.ts';
import { sessionId } from '../../../src/core/ids.ts';
import { type Provider, usualEnding } from '../../../src/core/provider.ts';
import { providerKinds } from '../../../src/providers/index.ts';
import { troubleSentence } from '../../../src/ui/text/troubles.ts';
import { errorOf } from '../errors.ts';
import { unaborted } from '../testNetwork.ts';
import { fastClock, TestServices } from './testServices.ts';

const secret = 'sk-grid-canary-0123456789';

describe('a provider from another extension that declares only what it must', () => {
  let services: TestServices;
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  beforeEach(() => {
    services = new TestServices({ clock: fastClock(100), interval: 0 });
    unhandled.length = 0;
    process.on('unhandledRejection', hear);
  });
  afterEach(async () => {
    // Node reports unhandled rejections once the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', hear);
    services.dispose();
    assert.deepEqual(unhandled, []);
  });

  const necessary = {
    id: 'grid',
    label: 'Grid',
    address: { preset: 'https://grid.example' },
    wording: { ending: 'x' },
  };
  const key = { id: 'key', label: 'Key', prompt: 'The key', kind: 'secret' };

  /** A provider with these members, which has been allowed to receive its key. */
  async function connected(members: object, connect: () => unknown = () => members): Promise<Provider> {
    services.register({ ...necessary, fields: [key], connect });
    await services.kinds.load();
    const kind = services.kinds.get('grid');
    assert.ok(kind);
    await services.kinds.allow(kind);
    return services.connections.connect(kind, 'https://grid.example', { key: secret });
  }
  const listing = (page: unknown) => ({
    list: async function* () {
      yield page;
    },
  });
  const listed = async (provider: Provider) => {
    const [page = assert.fail()] = await Array.fromAsync(provider.list(unaborted));
    return page;
  };

  it('gets defaults for the rest when it registers', () => {
    services.register({ ...necessary, connect: () => ({}) });
    const [kind = assert.fail()] = services.kinds.all;
    const { furtherAddresses, connect, ...data } = kind;
    assert.deepEqual(data, {
      id: 'grid',
      label: 'Grid',
      icon: 'globe',
      address: { preset: 'https://grid.example', ask: false, prompt: 'Address of Grid', placeholder: '' },
      fields: [],
      settings: [],
      can: [],
      wording: { session: '', ending: 'x', endEverything: undefined, deleteGroup: undefined, watching: undefined },
    });
    assert.deepEqual(furtherAddresses(new URL('https://grid.example'), {}), []);
    services.register({ ...necessary, id: 'other', address: { ask: true }, connect });
    assert.equal(services.kinds.get('other')?.address.preset, undefined);
  });

  it('can list sessions made by newSession, and sessions with only an id', async () => {
    const provider = await connected(
      listing({ sessions: [newSession('a'), { id: 'b' }, newSession('all'), newSession('c', { phase: 'idle' })] }),
    );
    const { sessions, groups, faults, account } = await listed(provider);
    const [a, b, c] = sessions;
    assert.deepEqual({ ...b, id: 'a' }, a);
    assert.deepEqual([a?.phase, a?.canWatch, a?.ends, c?.phase], ['running', true, 'session', 'idle']);
    assert.deepEqual([groups, account], [[], undefined]);
    // One session with an invalid id hides none of the others.
    assert.deepEqual(
      faults.map(({ subject }) => subject),
      ['row 3'],
    );
  });

  it('keeps what newSession and newGroup were given, including metadata as a plain object', async () => {
    const fields = {
      name: 'Checkout',
      startedAt: 5,
      groupId: 'g',
      metadata: { job: '7' },
      pages: [{ id: 'p', url: 'https://shop.example' }],
      facts: [['Plan', 'Pro']] as const,
    };
    const page = { sessions: [newSession('a', fields), { id: 'b', metadata: { job: '8' } }], groups: [newGroup('g')] };
    const { sessions, groups } = await listed(await connected(listing(page)));
    const [a = assert.fail(), b = assert.fail()] = sessions;
    assert.deepEqual([a.name, a.startedAt, a.groupId, a.metadata.get('job')], ['Checkout', 5, 'g', '7']);
    assert.deepEqual(a.pages, [{ id: 'p', title: '', url: 'https://shop.example' }]);
    assert.deepEqual(a.facts, [['Plan', 'Pro']]);
    assert.equal(b.metadata.get('job'), '8');
    assert.deepEqual(
      groups.map(({ id, kind }) => [id, kind]),
      [['g', 'batch']],
    );
  });

  it('has ends confirmed by its lists alone when it can’t be asked about one session', async () => {
    const provider = await connected({
      ...listing({ sessions: [{ id: 'a' }] }),
      check: async () => {},
      end: async () => ({ outcome: 'accepted' }),
      ending: { lists: 'complete' },
    });
    const { sessions } = await listed(provider);
    const [session = assert.fail()] = sessions;
    assert.equal(await provider.probe(session, unaborted), 'unknown');
    assert.deepEqual(await provider.check(unaborted), {
      identity: undefined,
      sessionLimit: undefined,
      note: undefined,
    });
    assert.deepEqual(await provider.end(session, unaborted), { outcome: 'accepted', how: undefined });
    assert.deepEqual(provider.ending, { ...usualEnding, lists: 'complete', mayReuseIds: true });
  });

  it('shows the message of a plain error as an unexpected response, cleaned and without its key', async () => {
    let thrown: unknown;
    const provider = await connected({
      check: async () => {
        throw thrown;
      },
    });
    const shownFor = async (error: unknown) => {
      thrown = error;
      const caught = await errorOf(provider.check(unaborted));
      assert.equal(caught.trouble.kind, 'unexpectedAnswer');
      return troubleSentence(caught, 'grid.example');
    };
    assert.match(await shownFor(new Error('The grid has no browsers.')), /The grid has no browsers\./);
    assert.match(await shownFor(new SyntaxError('Unexpected token < in JSON')), /Unexpected token < in JSON/);
    assert.match(await shownFor('only text'), /only text/);
    assert.match(await shownFor({ message: 'like an error' }), /like an error/);
    assert.match(await shownFor(undefined), /the extension that adds this provider failed/);
    const link = await shownFor(new Error('[fine](command:workbench.action.quit) $(sync~spin)\n\u202eover'));
    assert.doesNotMatch(link, /\]\(|\$\(|\u202e|\n/);
    assert.doesNotMatch(await shownFor(new Error(`wrong key ${secret}`)), /sk-grid/);
    for (let before = 150; before < 200; before++) {
      const cut = await shownFor(new Error(`${'x'.repeat(before)}${secret}`));
      assert.ok(!cut.includes(secret.slice(0, 9)), cut);
    }
    for (const error of [new Error('boom'), 'text', undefined, new Proxy({}, { get: () => assert.fail() })]) {
      assert.doesNotMatch(await shownFor(error), /made this extension fail/);
    }
  });

  it('throws what providerError creates', async () => {
    const provider = await connected({
      check: async () => {
        throw providerError({ kind: 'forbidden' }, 'not your grid', 'Ask your admin');
      },
    });
    const { trouble, message, detail } = await errorOf(provider.check(unaborted));
    assert.deepEqual([trouble, message, detail], [{ kind: 'forbidden' }, 'not your grid', 'Ask your admin']);
  });

  it('leaves no rejection unhandled when it returns a promise where a value is needed at once', async () => {
    const late = () => Promise.reject(new Error('too late'));
    const provider = await connected({
      dashboard: late,
      get ending() {
        return late();
      },
      get pages() {
        return late();
      },
      devtools: async () => ({ connection: { send: late, onEvent: late, onClose: late, dispose: late }, owns: late }),
    });
    assert.throws(() => provider.dashboard?.(sessionId('a')), /“dashboard” returned a promise/);
    assert.deepEqual(provider.ending, { ...usualEnding, mayReuseIds: true });
    assert.equal(provider.pages, undefined);
    const { connection, owns } = (await provider.devtools?.(sessionId('a'), unaborted)) ?? assert.fail();
    assert.equal(owns('context'), false);
    connection.onEvent(() => {}).dispose();
    connection.onClose(() => {}).dispose();
    const sent = await errorOf(connection.send('Page.enable', {}, unaborted));
    assert.deepEqual(sent.trouble, { kind: 'unexpectedAnswer', what: 'too late' });
    connection.dispose();
  });

  it('leaves no rejection unhandled when connecting or further addresses come as a promise', async () => {
    const late = () => Promise.reject(new Error('too late'));
    const error = await errorOf(connected({}, late));
    assert.match(error.message, /“connect” returned a promise/);
    services.register({ ...necessary, id: 'further', furtherAddresses: late, connect: () => ({}) });
    const kind = services.kinds.get('further');
    assert.deepEqual(kind?.furtherAddresses(new URL('https://grid.example'), {}), []);
  });
});

describe('an extension that registers an invalid provider', () => {
  it('gets a TypeError that names the invalid field, and changes nothing', async () => {
    const services = new TestServices();
    try {
      const good = {
        id: 'grid',
        label: 'Grid',
        address: { preset: 'https://grid.example' },
        wording: { ending: 'x' },
        connect: () => ({}),
      };
      const throwing = (field: string) =>
        Object.defineProperty({ ...good }, field, {
          get: () => {
            throw new Error('no');
          },
          enumerable: true,
        });
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      const cyclic: Record<string, unknown> = { ...good };
      cyclic['wording'] = cyclic;
      const values: readonly unknown[] = [
        ...[
          undefined,
          null,
          0,
          -1,
          Number.NaN,
          1n,
          '',
          'grid',
          true,
          Symbol('grid'),
          [],
          [good],
          () => good,
          new Map(),
        ],
        ...[
          Promise.resolve(good),
          new (class Grid {})(),
          new Date(),
          Object.create(null),
          revoked.proxy,
          throwing('id'),
        ],
        ...[throwing('connect'), throwing('furtherAddresses'), cyclic],
      ];
      const fields = ['id', 'label', 'icon', 'address', 'fields', 'wording', 'furtherAddresses', 'connect'];
      const nonsense: (readonly [what: string, raw: unknown])[] = fields.flatMap((field) =>
        values.flatMap((value, index) =>
          value === undefined ? [] : ([[`${field} ${index}`, { ...good, [field]: value }]] as const),
        ),
      );
      nonsense.push(...values.map((value, index) => [`whole ${index}`, value] as const));
      nonsense.push(['fields', { ...good, fields: [{}] }], ['wording', { ...good, wording: {} }]);
      const accepted: string[] = [];
      for (const [what, raw] of nonsense) {
        try {
          services.register(raw).dispose();
          accepted.push(what);
        } catch (error) {
          assert.ok(error instanceof TypeError, String(error));
          assert.match(error.message, /^registerProvider: [\w. ]+: ./);
          assert.ok(error.message.length < 300);
        }
      }
      // Texts that may be an id, a label or the name of an icon, no fields, and a function where one belongs.
      assert.deepEqual(accepted, ['id 7', 'label 7', 'icon 7', 'fields 10', 'furtherAddresses 12', 'connect 12']);
      await services.kinds.load();
      assert.deepEqual(services.kinds.all, providerKinds);
      services.register(good);
      assert.equal(services.kinds.get('grid')?.label, 'Grid');
    } finally {
      services.dispose();
    }
  });
});
