import { strict as assert } from 'node:assert';
import type { CdpConnection, CdpEvent, SessionDevtools } from '../../../../src/core/cdp.ts';
import { Emitter } from '../../../../src/core/event.ts';
import { groupId, pageId, sessionId } from '../../../../src/core/ids.ts';
import type { Inventory } from '../../../../src/core/inventory.ts';
import {
  allCapabilities,
  capabilitiesOf,
  type Link,
  type Provider,
  type ProviderKind,
} from '../../../../src/core/provider.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import type { Session } from '../../../../src/core/session.ts';
import { detailsText } from '../../../../src/ui/text/details.ts';
import { ownTimeOf, watchTurns } from '../../../host/ownTime.ts';
import { startBrowserlessV2 } from '../../../servers/browserlessV2.ts';
import { type ExampleServer, startExample } from '../../../servers/example.ts';
import { exampleProvider } from '../../providers/exampleProvider.ts';
import { someSession } from '../../sessions.ts';
import { connect, unaborted } from '../../testNetwork.ts';
import { TestServices } from '../testServices.ts';

const key = 'door-key-canary-0123';

describe('a provider’s output', () => {
  /** A provider of another extension, which returns the key wherever it can, on top of the example provider. */
  function telling(changes: (link: Link) => Partial<Provider>, credentials = { doorKey: key }): Provider {
    const kind: ProviderKind = {
      ...exampleProvider,
      connect: (link) => ({ ...exampleProvider.connect(link), ...changes(link) }),
    };
    return connect(kind, 'https://made.up.example', credentials).provider;
  }

  const listing = (...sessions: Session[]): Partial<Provider> => ({
    async *list() {
      yield { sessions, groups: [], faults: [], account: undefined };
    },
  });

  async function listed(provider: Provider): Promise<Inventory> {
    const pages = await Array.fromAsync(provider.list(unaborted));
    return pages[0] ?? assert.fail('it lists nothing');
  }

  it('contains no address whose host holds the key, because hosts are shown and looked up', async () => {
    for (const [host, isFine] of [
      ['made.up.example', true],
      [`${key}.made.up.example`, false],
    ] as const) {
      const url = new URL(`https://${host}/?q=${key}`);
      const view = { sandbox: '', allow: '', fixedMode: false, singleUse: 'no', disconnectMessage: undefined } as const;
      const provider = telling(() => ({ liveView: async () => ({ ...view, url }), recording: async () => url }));
      const calls = [
        () => provider.liveView?.(sessionId('a'), undefined, 'watch', unaborted),
        () => provider.recording?.(sessionId('a'), unaborted),
      ];
      for (const call of calls) {
        if (isFine) assert.ok(await call());
        else await assert.rejects(async () => call(), ProviderError.is);
      }
    }
  });

  it('is without most of the key where the text was cut inside it', async () => {
    const cut = (longest: number) => `${'x'.repeat(longest - 12)}${key}`.slice(0, longest);
    const provider = telling(() => listing(someSession('a', { name: cut(1_000), tags: [cut(512), cut(2_000)] })));
    const { sessions } = await listed(provider);
    assert.doesNotMatch(JSON.stringify(sessions), /door-key/);
  });

  it('is searched once while a session stays as it is, and again after a change', async () => {
    let sessions = [someSession('same'), someSession('told', { name: `a ${key}` }), someSession('news')];
    const provider = telling(() => ({
      async *list() {
        yield { sessions, groups: [], faults: [], account: undefined };
      },
    }));
    const before = (await listed(provider)).sessions;
    assert.doesNotMatch(JSON.stringify(before), /door-key/);
    sessions = [someSession('same'), someSession('told', { name: `a ${key}` }), someSession('news', { tags: [key] })];
    const after = (await listed(provider)).sessions;
    assert.equal(after[0], before[0]);
    assert.equal(after[1], before[1]);
    assert.doesNotMatch(JSON.stringify(after), /door-key/);
    assert.throws(() => (after[0]?.tags as string[] | undefined)?.push('x'));
  });

  it('doesn’t block others while it is searched, however long and full of the key it is', async () => {
    const text = key + 'x'.repeat(4 * 2 ** 20);
    const rows = Array.from({ length: 8 }, (_, index) => someSession(`s${index}`, { status: text, tags: [text] }));
    const provider = telling(() => listing(...rows));
    const longest = await longestTurn(() => listed(provider));
    assert.ok(longest < 200, `${longest} ms`);
  });

  it('is without the key, in any field of a session', async () => {
    const provider = telling(() => ({
      async *list() {
        yield {
          sessions: [
            someSession('a', {
              name: `named ${key}`,
              status: key,
              region: key.toUpperCase(),
              tags: ['ok', key],
              metadata: new Map([
                [key, 'v'],
                ['owner', `${key.slice(0, 6)}\u200b${key.slice(6)}`],
              ]),
              traits: [Buffer.from(key).toString('base64')],
              pages: [
                { id: pageId('p'), title: `Page ${key}`, url: `https://a.example/?q=${encodeURIComponent(key)}` },
              ],
              bulkEndExclusion: `It was started with ${key}.`,
              inUseBy: `agent ${key}`,
              otherId: `job-${key}`,
              facts: [[key, key]],
            }),
          ],
          groups: [{ id: groupId('g'), kind: 'batch', name: key, status: key, createdAt: undefined }],
          faults: [{ subject: key, what: `its name is ${key}` }],
          account: { identity: key, sessionLimit: 5, note: `Key ${key}` },
        } as const;
      },
      check: async () => ({ identity: key, sessionLimit: undefined, note: undefined }),
      end: async () => ({ outcome: 'ended', how: `With ${key}.` }) as const,
      pages: async () => [{ id: pageId('p'), title: key, url: key }],
      deleteGroup: async () => ({
        deleted: 0,
        failed: 1,
        failures: [{ sessionId: key, reason: `no: ${key}` }],
        message: key,
      }),
    }));
    const page = await listed(provider);
    const output = [
      page,
      [...(page.sessions[0]?.metadata ?? [])],
      await provider.check(unaborted),
      await provider.end(someSession('a'), unaborted),
      await provider.pages?.(sessionId('a'), unaborted),
      await provider.deleteGroup?.(groupId('g'), unaborted),
    ];
    assert.doesNotMatch(JSON.stringify(output), /canary|ZG9vci1rZXk/i);
    assert.equal(page.sessions[0]?.name, 'named •••');
    assert.deepEqual(page.sessions[0]?.tags, ['ok', '•••']);
    assert.equal(page.account?.sessionLimit, 5);
    assert.deepEqual([page.sessions[0]?.id, page.sessions[0]?.pages?.[0]?.id], ['a', 'p']);
  });

  it('is without the key in each of thousands of sessions, and blocks nothing for long', async () => {
    const sessions = Array.from({ length: 5_000 }, (_, index) => someSession(`s${index}`, { name: `${index} ${key}` }));
    const provider = telling(() => listing(...sessions));
    let turns = 0;
    const turn = setInterval(() => turns++, 0);
    const contents = await listed(provider);
    clearInterval(turn);
    assert.deepEqual(
      contents.sessions.map(({ name }) => name),
      sessions.map((_, index) => `${index} •••`),
    );
    assert.ok(turns >= 1, String(turns));
  });

  it('is otherwise unchanged, word for word', async () => {
    const session = someSession('a', {
      name: 'token=ordinary a\u200bb [x](command:y)',
      tags: ['password: 1'],
      metadata: new Map([['apiKey', 'x']]),
      pages: [{ id: pageId('p'), title: 'Cart', url: 'https://a.example/?token=1' }],
      facts: [['Label', 'value']],
    });
    assert.deepEqual((await listed(telling(() => listing(session)))).sessions, [session]);
    assert.deepEqual((await listed(telling(() => listing(session), { doorKey: '' }))).sessions, [session]);
  });

  it('leaves out what has the key in its id, and says so without naming it', async () => {
    const long = `x-${key}-y`;
    const provider = telling(() => ({
      async *list() {
        yield {
          sessions: [
            someSession(key),
            someSession(long),
            someSession('b', {
              groupId: groupId(key),
              pages: [
                { id: pageId(key), title: '', url: '' },
                { id: pageId('p'), title: '', url: '' },
              ],
            }),
          ],
          groups: [{ id: groupId(key), kind: 'batch', name: undefined, status: undefined, createdAt: undefined }],
          faults: [],
          account: undefined,
        } as const;
      },
    }));
    const { sessions, groups, faults } = await listed(provider);
    assert.deepEqual(
      sessions.map(({ id }) => id),
      ['b'],
    );
    assert.deepEqual([sessions[0]?.groupId, sessions[0]?.pages?.map(({ id }) => id), groups], [undefined, ['p'], []]);
    assert.equal(faults.length, 2);
    for (const { what, unnamed } of faults) assert.ok(unnamed === true && /this account's key/.test(what));
    assert.doesNotMatch(JSON.stringify(faults), /canary/);
  });

  it('has the key in no error, whatever was thrown', async () => {
    const odd = Object.assign(new Error(`odd ${key}`, { cause: { key } }), { key });
    for (const thrown of [
      new ProviderError({ kind: 'unexpectedAnswer', what: `it said ${key}` }, `GET ${key}`, {
        detail: key,
        cause: odd,
      }),
      new ProviderError({ kind: 'forbidden' }, 'x', { cause: { key } }),
      new ProviderError({ kind: 'forbidden' }, 'x', { cause: Object.assign(new Error('y'), { key }) }),
      odd,
      new TypeError(`Invalid header ${Buffer.from(`:${key}`).toString('base64')}`),
    ]) {
      const fail = () => Promise.reject(thrown);
      const provider = telling(() => ({
        check: fail,
        list: async function* () {
          await fail();
          yield { sessions: [], groups: [], faults: [], account: undefined };
        },
        end: fail,
        probe: fail,
        probeMany: fail,
        endEverything: fail,
        deleteGroup: fail,
        finishedGroups: async function* () {
          await fail();
          yield { groups: [], faults: [] };
        },
        cancelGroup: fail,
        pages: fail,
        liveView: fail,
        devtools: fail,
        screenshot: fail,
        recording: fail,
        endCause: fail,
      }));
      const view = { sandbox: '', allow: '', fixedMode: false, singleUse: 'no', disconnectMessage: undefined } as const;
      const closing = telling(() => ({
        liveView: async () => ({ ...view, url: new URL('https://made.up.example/'), close: fail }),
      }));
      const id = sessionId('a');
      for (const work of [
        () => provider.check(unaborted),
        () => listed(provider),
        () => provider.end(someSession('a'), unaborted),
        () => provider.probe(someSession('a'), unaborted),
        () => provider.probeMany?.([], unaborted),
        () => provider.endEverything?.(unaborted),
        () => provider.deleteGroup?.(groupId('g'), unaborted),
        () => provider.finishedGroups?.(unaborted)[Symbol.asyncIterator]().next(),
        () => provider.cancelGroup?.(groupId('g'), unaborted),
        () => closing.liveView?.(id, undefined, 'watch', unaborted).then((view) => view.close?.(unaborted)),
        () => provider.pages?.(id, unaborted),
        () => provider.liveView?.(id, undefined, 'watch', unaborted),
        () => provider.devtools?.(id, unaborted),
        () => provider.screenshot?.(id, unaborted),
        () => provider.recording?.(id, unaborted),
        () => provider.endCause?.(id, unaborted),
      ]) {
        await assert.rejects(
          async () => work(),
          (error) => {
            assert.ok(ProviderError.is(error), String(work));
            const cause = error.cause instanceof Error ? error.cause : undefined;
            const all = [
              error.message,
              error.stack,
              error.detail,
              error.trouble,
              error.cause,
              cause?.message,
              cause?.stack,
            ];
            assert.doesNotMatch(
              JSON.stringify([...all, { ...cause }, String(cause?.cause)]),
              /canary|9vci1rZXktY2FuYXJ5/,
            );
            return true;
          },
        );
      }
    }
    const group = {
      id: groupId('g'),
      kind: 'batch',
      name: key,
      status: key,
      createdAt: undefined,
      canCancel: true,
    } as const;
    const ended = telling(() => ({
      async *finishedGroups() {
        yield { groups: [group, { ...group, id: groupId(key) }], faults: [{ subject: key, what: key }] };
      },
    }));
    const pages = await Array.fromAsync(ended.finishedGroups?.(unaborted) ?? []);
    assert.equal(pages[0]?.groups.length, 1);
    assert.equal(pages[0].groups[0]?.canCancel, true);
    assert.doesNotMatch(JSON.stringify(pages), /canary/);
    const clean = new ProviderError({ kind: 'forbidden' }, 'GET /rooms answered 403', { cause: new Error('plain') });
    const check = async () => {
      throw clean;
    };
    await assert.rejects(telling(() => ({ check })).check(unaborted), (error) => error === clean);
    assert.throws(
      () =>
        connect({ ...exampleProvider, connect: () => assert.fail(key) }, 'https://made.up.example', { doorKey: key }),
      (error) => ProviderError.is(error) && !JSON.stringify([error.message, error.stack, error.cause]).includes(key),
    );
  });

  it('keeps its capabilities, which may come and go', async () => {
    const changing: { provider: Partial<Provider> } = { provider: {} };
    const provider = telling(() => changing.provider);
    assert.deepEqual([...capabilitiesOf(provider)].sort(), ['endEverything', 'liveView']);
    const kind: ProviderKind = {
      ...exampleProvider,
      connect: (link) => ({
        ...exampleProvider.connect(link),
        get endEverything() {
          return changing.provider.endEverything;
        },
      }),
    };
    const { provider: coming } = connect(kind, 'https://made.up.example', { doorKey: key });
    assert.ok(!capabilitiesOf(coming).has('endEverything'));
    let ended = 0;
    changing.provider = { endEverything: async () => void ended++ };
    await coming.endEverything?.(unaborted);
    assert.equal(ended, 1);
    const every = Object.fromEntries(allCapabilities.map((name) => [name, async () => undefined]));
    assert.deepEqual([...capabilitiesOf(telling(() => every))], [...allCapabilities]);
  });

  it('has the key in no error that the address of its own page throws', () => {
    const provider = telling(() => ({
      dashboard: () => {
        throw new Error(`no page for ${key}`);
      },
    }));
    assert.throws(
      () => provider.dashboard?.(sessionId('a')),
      (error: Error) => error.message.includes('no page for') && !`${error.message} ${error.stack}`.includes(key),
    );
  });

  it('calls the provider’s methods on the object itself', async () => {
    class Rooms {
      readonly #title = 'own';
      readonly ending = exampleProvider.connect({ credentials: {} } as Link).ending;
      async check() {
        return { identity: this.#title, sessionLimit: undefined, note: undefined };
      }
      async *list() {
        yield { sessions: [], groups: [], faults: [], account: await this.check() };
      }
      end = async () => ({ outcome: 'ended', how: undefined }) as const;
      probe = async () => 'gone' as const;
      async recording() {
        return new URL(`https://example.com/${this.#title}`);
      }
      dashboard() {
        return new URL(`https://example.com/${this.#title}`);
      }
    }
    const { provider } = connect({ ...exampleProvider, connect: () => new Rooms() }, 'https://made.up.example', {
      doorKey: key,
    });
    assert.equal((await provider.check(unaborted)).identity, 'own');
    assert.equal((await listed(provider)).account?.identity, 'own');
    assert.equal((await provider.recording?.(sessionId('a'), unaborted))?.pathname, '/own');
    assert.equal(provider.dashboard?.(sessionId('a')).pathname, '/own');
  });

  it('has the key in no title, address or dialog that a browser reports by DevTools, and frames pass through', async () => {
    const events = new Emitter<CdpEvent>();
    const info = { targetInfo: { targetId: 't', title: `Hi ${key}`, url: `https://a.example/${key}` } };
    const connection: CdpConnection = {
      send: async (method) => (method === 'Target.getTargets' ? { targetInfos: [info.targetInfo] } : info),
      onEvent: events.event,
      onClose: () => ({ dispose: () => {} }),
      dispose: () => {},
    };
    const devtools = async (): Promise<SessionDevtools> => ({ connection, owns: (context) => context === 'c' });
    const opened = await telling(() => ({ devtools })).devtools?.(sessionId('a'), unaborted);
    assert.ok(opened?.owns('c') === true && !opened.owns('d'));
    const seen: CdpEvent[] = [];
    opened.connection.onEvent((event) => seen.push(event));
    const frame = { method: 'Page.screencastFrame', params: { data: key }, target: 't' };
    events.fire({ method: 'Target.targetInfoChanged', params: info, target: undefined });
    events.fire({ method: 'Page.javascriptDialogOpening', params: { message: key }, target: 't' });
    events.fire(frame);
    assert.equal(seen.pop(), frame);
    seen.push({
      method: '',
      params: await opened.connection.send('Target.getTargets', {}, unaborted),
      target: undefined,
    });
    assert.doesNotMatch(JSON.stringify(seen), /canary/);
    assert.match(JSON.stringify(seen), /"title":"Hi •••"/);
  });

  it('lets others have their turns while the pages of one session are searched, if that takes long', async () => {
    const pages = Array.from({ length: 100 }, (_, index) => {
      return { id: pageId(`P${index}`), title: slow(1_000), url: `https://x.example/${slow(2_000)}` };
    });
    const listing = telling(() => ({
      async *list() {
        yield { sessions: [someSession('a', { pages })], groups: [], faults: [], account: undefined };
      },
      pages: async () => pages,
    }));
    const listed = await longestTurn(() => Array.fromAsync(listing.list(unaborted)));
    const asked = await longestTurn(async () => listing.pages?.(sessionId('a'), unaborted));
    assert.ok(listed < 200 && asked < 200, `${listed} and ${asked} ms`);
  });

  describe('a DevTools message with more than can be shown', () => {
    const noneFound = { dispose: () => {} };
    async function open(params: Readonly<Record<string, unknown>>) {
      const events = new Emitter<CdpEvent>();
      const connection: CdpConnection = {
        send: async () => params,
        onEvent: events.event,
        onClose: () => noneFound,
        dispose: () => {},
      };
      const devtools = async (): Promise<SessionDevtools> => ({ connection, owns: () => true });
      const opened = await telling(() => ({ devtools })).devtools?.(sessionId('a'), unaborted);
      assert.ok(opened);
      return { events, connection: opened.connection };
    }
    async function received(
      params: Readonly<Record<string, unknown>>,
    ): Promise<{ readonly text: string; readonly ownMs: number }> {
      const { events, connection } = await open(params);
      let seen: unknown;
      connection.onEvent((event) => {
        seen = event.params;
      });
      const ownMs = ownTimeOf(() => events.fire({ method: 'Target.targetInfoChanged', params, target: undefined }));
      return { text: JSON.stringify(seen), ownMs };
    }
    const answered = async (params: Readonly<Record<string, unknown>>) =>
      (await open(params)).connection.send('Target.getTargets', {}, unaborted);

    it('doesn’t block others, and shows the key nowhere', async () => {
      for (const [count, length] of [
        [1_400, 16_000],
        [90_000, 200],
      ] as const) {
        const targetInfos = Array.from({ length: count }, () => ({ title: 'x'.repeat(length) + key }));
        const { text, ownMs } = await received({ targetInfos });
        assert.ok(!text.includes('canary'));
        assert.ok(ownMs < 250, `${count} of ${length} took ${Math.round(ownMs)} ms`);
      }
    });

    it('keeps the IDs of all its pages, even if their titles and addresses are long', async () => {
      const targetInfos = Array.from({ length: 500 }, (_, index) => ({
        targetId: `T${index}`,
        title: 'x'.repeat(3_000),
        url: `data:text/html,${'x'.repeat(30_000)}`,
      }));
      const kept = (await answered({ targetInfos })) as { targetInfos: typeof targetInfos };
      assert.deepEqual(
        kept.targetInfos.map(({ targetId }) => targetId),
        targetInfos.map(({ targetId }) => targetId),
      );
    });

    it('lets others have their turns while texts are searched that take long', async () => {
      const targetInfos = Array.from({ length: 100 }, (_, index) => ({ targetId: `T${index}`, title: slow(4_000) }));
      const longest = await longestTurn(() => answered({ targetInfos }));
      assert.ok(longest < 200, `${longest} ms`);
      // An event is searched at once.
      const { ownMs } = await received({ targetInfos });
      assert.ok(ownMs < 250, `${Math.round(ownMs)} ms`);
    });
  });
});

/** A text of this length that takes long to search: each letter is compared as 18, and there are escapes of each kind. */
function slow(length: number): string {
  return `%41&amp;\\n${'ﷺ'.repeat(length - 9)}`;
}

/** The longest turn while something is done, in milliseconds of this thread's own work. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  const turns = watchTurns();
  await work();
  return turns.stop();
}

describe('a session whose name contains the key', () => {
  let server: ExampleServer;
  let services: TestServices;

  before(async () => {
    server = await startExample();
  });
  after(() => server.stop());
  afterEach(() => services.dispose());

  it('shows it nowhere: not in the store, the details or the log', async () => {
    server.rooms.set(server.doorKey, 'lit').set('r1', `status ${server.doorKey}`);
    services = new TestServices({ kinds: [exampleProvider] });
    const id = await services.add('exampleProvider', server.url, { doorKey: server.doorKey });
    const account = services.accounts.get(id) ?? assert.fail();
    const { contents } = services.store.state(id) ?? assert.fail();
    assert.deepEqual([...contents.sessions.keys()], ['r1']);
    assert.equal(contents.faults.length, 1);
    const [session] = contents.sessions.values();
    const texts = [JSON.stringify([...contents.sessions.values(), contents.faults]), ...services.log.lines];
    texts.push(detailsText(account, session ?? assert.fail(), services.store));
    assert.doesNotMatch(texts.join('\n'), /canary/);
    assert.equal(session?.status, 'status •••');
  });
});

describe('a session whose id contains a short key by chance', () => {
  it('isn’t called ended while its row is listed and can’t be read', async () => {
    const server = await startBrowserlessV2();
    server.token = 'abcd';
    const { id } = server.add({ id: '11111111-abcd-4111-8111-111111111111' });
    const services = new TestServices();
    try {
      const account = await services.add('browserless', server.url, { token: server.token });
      const [session] = services.store.state(account)?.contents.sessions.values() ?? [];
      assert.ok(session);
      server.immortal.add(id);
      const row = { status: 200, json: [{ browserId: id }] };
      server.misbehave('GET', /^\/sessions/, { kind: 'answer', answer: row });
      const options = { stop: unaborted, onProgress: () => {} };
      const { results } = await services.ender.end([{ accountId: account, session }], options);
      assert.deepEqual([...server.browsers.keys()], [id]);
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        ['stuck'],
      );
      assert.ok(services.store.session(account, session.id));
      // Each list of a round has that row.
      assert.equal(services.store.state(account)?.contents.faults.length, 1);
    } finally {
      services.dispose();
      await server.stop();
    }
  });
});
