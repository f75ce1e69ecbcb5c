import { strict as assert } from 'node:assert';
import { systemClock } from '../../../../src/core/clock.ts';
import { groupId, sessionId } from '../../../../src/core/ids.ts';
import { mostPages } from '../../../../src/core/page.ts';
import type { Provider } from '../../../../src/core/provider.ts';
import { capabilitiesOf, usualEnding } from '../../../../src/core/provider.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import type { Session } from '../../../../src/core/session.ts';
import { mostTexts } from '../../../../src/services/sessions/listBounds.ts';
import { troubleOf as accountTrouble } from '../../../../src/services/sessions/sessionsView.ts';
import { troubleSentence } from '../../../../src/ui/text/troubles.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { errorOf, troubleOf } from '../../errors.ts';
import { exampleProvider } from '../../providers/exampleProvider.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';
import { fastClock, TestServices } from '../testServices.ts';

const never = () => new Promise<never>(() => {});
const row = {
  id: 'r1',
  name: 'One',
  phase: 'running',
  status: undefined,
  startedAt: 1,
  region: undefined,
  groupId: undefined,
  tags: ['a'],
  metadata: new Map([['job', 'x']]),
  traits: [],
  pages: undefined,
  canWatch: true,
  ends: 'session',
  bulkEndExclusion: undefined,
  facts: [],
};
const page = (...sessions: readonly unknown[]) => ({ sessions, groups: [], faults: [], account: undefined });

describe('the code of another extension’s provider', () => {
  let services: TestServices;
  let server: AnchorServer;
  beforeEach(async () => {
    server = await startAnchor();
    services = new TestServices({ clock: fastClock(100), interval: 0 });
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  /** A provider with these members, the rest of which works. */
  async function connected(members: object): Promise<Provider> {
    const works = {
      ending: { ...usualEnding, lists: 'complete' },
      check: async () => ({ identity: undefined, sessionLimit: undefined, note: undefined }),
      list: async function* () {
        yield page(row);
      },
      end: async () => ({ outcome: 'ended', how: undefined }),
      probe: async () => 'running',
    };
    services.register({ ...exampleProvider, fields: [], connect: () => Object.setPrototypeOf(members, works) });
    await services.kinds.load();
    const kind = services.kinds.get('exampleProvider');
    assert.ok(kind);
    return services.connections.connect(kind, 'https://made.up.example', {});
  }

  it('keeps no other account waiting when its list never responds, and reports a timeout', async () => {
    server.add({ id: 'sess_a' });
    await connected({ list: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }) });
    const hanging = await services.accounts.add({
      provider: 'exampleProvider',
      label: 'hangs',
      origin: 'https://made.up.example',
      credentials: {},
    });
    const anchor = await services.add('anchor', server.url, { apiKey: server.key });
    // On a busy machine, a request of the other account can take longer than this clock allows.
    const lists = (count: number) =>
      until(async () => {
        await services.refresher.refreshAll();
        return services.store.state(anchor)?.contents.sessions.size === count;
      });
    await lists(1);
    server.add({ id: 'sess_b' });
    await lists(2);
    const state = services.store.state(hanging);
    assert.equal(state && accountTrouble(state)?.trouble.kind, 'timedOut');
    // The next one is a new attempt, which waits no longer than the first.
    await services.refresher.refresh(hanging);
  });

  it('has a group reported that can’t be read, like a session', async () => {
    const provider = await connected({
      async *list() {
        yield { ...page(row), groups: [{ id: 'g', name: 7 }, { id: 'h' }] };
      },
    });
    const [inventory] = await Array.fromAsync(provider.list(unaborted));
    assert.deepEqual(
      inventory?.groups.map(({ id }) => id),
      ['h'],
    );
    assert.deepEqual(inventory?.faults, [{ subject: 'Groups: g', what: 'its "name" isn\'t as documented' }]);
  });

  it('has its errors read as those of its calls wherever they come from, even ones that look like ours', async () => {
    const lookalike = () => {
      throw Object.assign(new Error('x'), { name: 'ProviderError', trouble: null });
    };
    const iterators: readonly object[] = [
      { next: async () => undefined },
      { next: async () => null },
      { next: async () => 5 },
      { next: async () => ({}) },
      { next: () => Object.defineProperty({}, 'done', { get: lookalike }) },
      { next: () => Object.defineProperty({ done: false }, 'value', { get: lookalike }) },
      Object.defineProperty({}, 'next', { get: lookalike }),
    ];
    let iterator: object = {};
    const provider = await connected({ list: () => ({ [Symbol.asyncIterator]: () => iterator }) });
    for (iterator of iterators) {
      assert.equal(await troubleOf(Array.fromAsync(provider.list(unaborted))), 'unexpectedAnswer');
    }
  });

  it('has rows reported that throw when they are read, and the others shown', async () => {
    const fails = () => assert.fail('read');
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const metadata = new Map([['job', 'nightly']]);
    Object.defineProperty(metadata, Symbol.iterator, { value: fails });
    const provider = await connected({
      async *list() {
        const bad = [Object.defineProperty({}, 'id', { get: fails }), proxy];
        const good = [
          { ...row, metadata },
          { ...row, id: 'long', metadata: 'x'.repeat(1_000_000) },
        ];
        yield page(...bad, ...good);
      },
    });
    const [inventory] = await Array.fromAsync(provider.list(unaborted));
    assert.deepEqual(
      inventory?.sessions.map((session) => [session.id, session.metadata]),
      [
        [row.id, new Map([['job', 'nightly']])],
        ['long', new Map()],
      ],
    );
    assert.deepEqual(
      inventory?.faults.map(({ subject, unnamed }) => [subject, unnamed]),
      [
        ['row 1', true],
        ['row 2', true],
      ],
    );
  });

  it('has the same time limit for a whole list, however fast its pages come', async () => {
    const provider = await connected({
      list: async function* () {
        for (let index = 0; ; index++) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          yield page({ ...row, id: `r${index}` });
        }
      },
    });
    const read = async () => {
      let pages = 0;
      for await (const _ of provider.list(unaborted)) pages++;
      return pages;
    };
    assert.equal(await troubleOf(read()), 'timedOut');
  });

  it('isn’t waited for once its account is gone', async () => {
    services.dispose();
    // In real time: only the removal ends it while this test runs.
    services = new TestServices({ clock: systemClock, interval: 0 });
    await connected({ list: () => ({ [Symbol.asyncIterator]: () => ({ next: never, return: never }) }) });
    const account = { provider: 'exampleProvider', label: 'x', origin: 'https://made.up.example', credentials: {} };
    const id = await services.accounts.add(account);
    const refreshing = services.refresher.refresh(id);
    await services.accounts.remove(id);
    await refreshing;
  });

  it('has each call stopped in time, whether or not it listens to its signal', async () => {
    const members = ['check', 'end', 'probe', 'probeMany', 'pages', 'liveView', 'screenshot', 'recording', 'endCause'];
    const provider = await connected(Object.fromEntries(members.map((name) => [name, never])));
    const [session] = (await Array.fromAsync((await connectedAgain()).list(unaborted))).flatMap((one) => one.sessions);
    assert.ok(session);
    const { id } = session;
    const calls = [
      provider.check(unaborted),
      provider.end(session, unaborted),
      provider.probe(session, unaborted),
      provider.probeMany?.([session], unaborted),
      provider.pages?.(id, unaborted),
      provider.liveView?.(id, undefined, 'watch', unaborted),
      provider.screenshot?.(id, unaborted),
      provider.recording?.(id, unaborted),
      provider.endCause?.(id, unaborted),
    ];
    const troubles = await Promise.all(calls.map(troubleOf));
    assert.deepEqual(
      troubles,
      calls.map(() => 'timedOut'),
    );
    const stop = new AbortController();
    const asked = provider.check(stop.signal);
    stop.abort();
    assert.equal(await troubleOf(asked), 'canceled');
  });

  it('has two and a half minutes for any kind of end, since a provider may end a thousand sessions in one call', async () => {
    // 100 times as fast as on the clock: 60 seconds.
    const after = (answer: unknown) => () => new Promise((resolve) => setTimeout(resolve, 600, answer));
    const working = await connected({
      end: after({ outcome: 'accepted', how: undefined }),
      endEverything: after(undefined),
      deleteGroup: after({ deleted: 1_000, failed: 0, failures: [], message: undefined }),
      cancelGroup: after(undefined),
    });
    const [session] = (await Array.fromAsync(working.list(unaborted))).flatMap((one) => one.sessions);
    assert.ok(session);
    const batch = groupId('b');
    await working.end(session, unaborted);
    await working.endEverything?.(unaborted);
    await working.deleteGroup?.(batch, unaborted);
    await working.cancelGroup?.(batch, unaborted);
    const hanging = await connectedAgain({ end: never, endEverything: never, deleteGroup: never, cancelGroup: never });
    const calls = [
      hanging.end(session, unaborted),
      hanging.endEverything?.(unaborted),
      hanging.deleteGroup?.(batch, unaborted),
      hanging.cancelGroup?.(batch, unaborted),
    ];
    for (const { trouble } of await Promise.all(calls.map(errorOf))) {
      assert.deepEqual(trouble, { kind: 'timedOut', afterMs: 150_000 });
    }
  });

  async function connectedAgain(members: object = {}): Promise<Provider> {
    services.dispose();
    services = new TestServices({ clock: fastClock(100), interval: 0 });
    return connected(members);
  }

  it('fails with a provider error, whatever it throws', async () => {
    const hostile = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('unreadable');
      },
    });
    const forged = Object.assign(new Error('m'), {
      name: 'ProviderError',
      trouble: { kind: 'rateLimited', retryAt: 'x' },
    });
    let thrown: unknown;
    const provider = await connected({
      check: () => {
        throw thrown;
      },
    });
    for (thrown of ['text', undefined, new Error('boom'), hostile, forged, { trouble: { kind: 'unauthorized' } }]) {
      const error = await errorOf(provider.check(unaborted));
      assert.equal(error.trouble.kind, 'unexpectedAnswer');
    }
    thrown = new ProviderError({ kind: 'rateLimited', retryAt: 5 }, 'slow down', { detail: 'please' });
    const error = await errorOf(provider.check(unaborted));
    assert.notEqual(error, thrown);
    assert.deepEqual([error.trouble, error.detail], [{ kind: 'rateLimited', retryAt: 5 }, 'please']);
  });

  it('has its rows checked one by one: an invalid one doesn’t hide the others', async () => {
    const bad = [
      { ...row, id: 'all' },
      { ...row, id: '../../x' },
      { ...row, id: 'r2', ends: 'world' },
      undefined,
      { ...row, id: 'r3', startedAt: Number.NaN },
    ];
    const provider = await connected({
      list: async function* () {
        yield page(row, ...bad, { ...row, id: 'r4', phase: 'brandNew', tags: 'x', metadata: { job: 'x' } });
      },
    });
    const [inventory] = await Array.fromAsync(provider.list(unaborted));
    assert.deepEqual(
      inventory?.sessions.map(({ id, phase, tags }) => [id, phase, tags]),
      [
        ['r1', 'running', ['a']],
        ['r4', 'unknown', []],
      ],
    );
    assert.deepEqual(
      inventory?.faults.map(({ subject, unnamed }) => [subject, unnamed]),
      [
        ['row 2', true],
        ['row 3', true],
        ['r2', undefined],
        ['row 5', true],
        ['r3', undefined],
      ],
    );
  });

  it('can’t report times that can’t be shown', async () => {
    const far = 1e300;
    const members = {
      list: async function* () {
        yield { ...page({ ...row, startedAt: far }), groups: [{ id: 'b', createdAt: -far }] };
      },
      endCause: async () => ({ how: 'failed', endedAt: far }),
      check: async () => {
        throw new ProviderError({ kind: 'rateLimited', retryAt: far }, 'slow down');
      },
    };
    const provider = await connected(members);
    const [inventory] = await Array.fromAsync(provider.list(unaborted));
    assert.equal(inventory?.sessions[0]?.startedAt, undefined);
    assert.equal(inventory?.groups[0]?.createdAt, undefined);
    assert.deepEqual(await provider.endCause?.(sessionId('r1'), unaborted), { how: 'failed', endedAt: undefined });
    const error = await errorOf(provider.check(unaborted));
    assert.deepEqual(error.trouble, { kind: 'rateLimited', retryAt: undefined });
    assert.match(troubleSentence(error, 'made.up.example'), /rate limiting/);
  });

  it('may report what its sessions and its account have used: figures that aren’t plausible are left out', async () => {
    const usage = { unit: 'credits', used: 3, included: -1, limit: Number.NaN, left: '2.5', price: 7 };
    const odd = [
      null,
      7,
      { unit: 'dollars', used: 3 },
      { unit: 'credits', used: Number.POSITIVE_INFINITY },
      { unit: 'credits' },
    ];
    const account = { sessionLimit: Number.NaN, usage: [...odd, usage, ...Array.from({ length: 50 }, () => usage)] };
    const provider = await connected({
      list: async function* () {
        yield {
          ...page({ ...row, usage }, ...odd.map((one, index) => ({ ...row, id: `odd${index}`, usage: one }))),
          account,
        };
      },
    });
    const [inventory] = await Array.fromAsync(provider.list(unaborted));
    const read = { unit: 'credits', used: 3, left: 2.5 };
    assert.deepEqual(
      inventory?.sessions.map((session) => session.usage),
      [read, ...odd.map(() => undefined)],
    );
    assert.deepEqual(
      inventory?.account?.usage,
      Array.from({ length: 5 }, () => read),
    );
    assert.equal(inventory?.account?.sessionLimit, undefined);
  });

  it('may report details that help confirm an end, which are copied as well', async () => {
    const group = { id: 'g', kind: 'batch', name: 'b', status: 'making', createdAt: 1 };
    let closed = 0;
    const view = {
      url: 'https://made.up.example/live',
      sandbox: '',
      allow: '',
      fixedMode: false,
      singleUse: 'no',
      disconnectMessage: undefined,
      expiresInMs: 5_000,
      close: () => void closed++,
    };
    const provider = await connected({
      list: async function* () {
        const groups = [
          { ...group, canCancel: true, counts: { total: 3, failed: 1, more: 'x' } },
          { ...group, id: 'h', counts: 7 },
        ];
        yield { ...page(row), groups, counted: 4 };
      },
      finishedGroups: async function* () {
        yield { groups: [group], faults: [] };
      },
      end: async () => ({ outcome: 'ended', how: undefined }),
      liveView: async () => view,
    });
    const [first] = await Array.fromAsync(provider.list(unaborted));
    assert.ok(first);
    assert.equal(first.counted, 4);
    assert.deepEqual(
      first.groups.map(({ canCancel, counts }) => [canCancel, counts]),
      [
        [true, { total: 3, failed: 1 }],
        [undefined, undefined],
      ],
    );
    const [session] = first.sessions;
    assert.ok(session);
    assert.deepEqual(await provider.end(session, unaborted), { outcome: 'ended', how: undefined });
    const pages = await Array.fromAsync(provider.finishedGroups?.(unaborted) ?? []);
    assert.deepEqual(
      pages.map(({ groups }) => groups.map(({ id }) => id)),
      [['g']],
    );
    const shown = await provider.liveView?.(session.id, undefined, 'watch', unaborted);
    assert.equal(shown?.expiresInMs, 5_000);
    await shown.close?.(unaborted);
    assert.equal(closed, 1);
  });

  it('may return any number of pages and details: as many as are shown are read', async () => {
    let reads = 0;
    const many = <Row>(make: (at: number) => Row) =>
      new Proxy(new Array<Row>(100_000), {
        get: (rows, key) => {
          if (typeof key !== 'string' || !/^\d+$/.test(key)) return Reflect.get(rows, key);
          reads += 1;
          return make(Number(key));
        },
      });
    const pages = many((at) => ({ id: `p${at}`, title: `Page ${at}`, url: 'https://a.example' }));
    const facts = many((at) => ['Step', String(at)]);
    const provider = await connected({
      list: async function* () {
        yield page({ ...row, pages, facts });
      },
      pages: async () => pages,
    });
    const [session] = (await Array.fromAsync(provider.list(unaborted))).flatMap(({ sessions }) => sessions);
    assert.equal(session?.pages?.length, mostPages);
    assert.equal(session.pages.at(-1)?.title, 'Page 499');
    assert.equal(session.facts.length, mostTexts);
    assert.equal((await provider.pages?.(session.id, unaborted))?.length, mostPages);
    assert.ok(reads <= 2 * mostPages + mostTexts, `${reads} elements were read`);
  });

  it('has all pages read of a session that ends by closing its pages, unless there are more than 10,000', async () => {
    const withPages = (count: number) => {
      const pages = Array.from({ length: count }, (_, at) => ({ id: `p${at}`, title: '', url: '' }));
      return page({ ...row, ends: 'pages', pages });
    };
    let count = 1_200;
    const provider = await connected({
      list: async function* () {
        yield withPages(count);
      },
    });
    const [some] = await Array.fromAsync(provider.list(unaborted));
    assert.equal(some?.sessions[0]?.pages?.length, 1_200);
    assert.equal(some.sessions[0].ends, 'pages');
    count = 10_001;
    const [many] = await Array.fromAsync(provider.list(unaborted));
    assert.deepEqual(many?.sessions, []);
    assert.deepEqual(
      many.faults.map(({ subject, unnamed }) => [subject, unnamed]),
      [['r1', undefined]],
    );
  });

  it('may return the last page of its list with its end', async () => {
    const two = { ...row, id: 'r2' };
    const lists = [
      async function* () {
        yield page(row);
        return page(two);
      },
      () => {
        const results = [
          { done: false, value: page(row) },
          { done: true, value: page(two) },
        ];
        return { [Symbol.asyncIterator]: () => ({ next: async () => results.shift() }) };
      },
    ];
    let list: () => unknown = () => assert.fail();
    const provider = await connected({ list: () => list() });
    for (list of lists) {
      const pages = await Array.fromAsync(provider.list(unaborted));
      assert.deepEqual(
        pages.flatMap(({ sessions }) => sessions.map(({ id }) => id)),
        ['r1', 'r2'],
      );
    }
    for (const other of [[], { pages: 1 }, 2, null]) {
      list = async function* () {
        yield page(row);
        return other;
      };
      const [only, ...more] = await Array.fromAsync(provider.list(unaborted));
      assert.deepEqual([only?.sessions.length, more], [1, []]);
    }
    const fault = { subject: 'row 2', what: 'it has no ID', unnamed: true };
    for (const other of [{ sessions: 'none' }, { faults: [fault] }, [page(two)], new Map([['sessions', [two]]])]) {
      list = async function* () {
        yield page(row);
        return other;
      };
      assert.equal(await troubleOf(Array.fromAsync(provider.list(unaborted))), 'unexpectedAnswer');
    }
  });

  it('fails when its list returns nonsense, and the list doesn’t count as complete', async () => {
    for (const list of [
      () => undefined,
      () => ({}),
      () => ({ [Symbol.asyncIterator]: () => ({}) }),
      async function* () {
        yield undefined;
      },
      async function* () {
        yield { ...page(), sessions: 'none' };
      },
      // As when it catches its own error.
      async function* () {},
    ]) {
      services.dispose();
      services = new TestServices({ clock: fastClock(100), interval: 0 });
      const provider = await connected({ list });
      assert.equal(await troubleOf(Array.fromAsync(provider.list(unaborted))), 'unexpectedAnswer');
    }
  });

  it('may have no finished groups to list', async () => {
    const provider = await connected({ finishedGroups: async function* () {} });
    assert.deepEqual(await Array.fromAsync(provider.finishedGroups?.(unaborted) ?? []), []);
  });

  it('can’t change what it has returned, or what it is given', async () => {
    const returned = { ...row, tags: ['a'] };
    let handed: Session | undefined;
    const provider = await connected({
      list: async function* () {
        yield page(returned);
      },
      end: async (session: Session) => {
        handed = session;
        Object.assign(session, { id: 'r2' });
        return { outcome: 'ended', how: undefined };
      },
    });
    const [inventory] = await Array.fromAsync(provider.list(unaborted));
    const session = inventory?.sessions[0];
    assert.ok(session);
    returned.tags.push('b');
    returned.name = 'Two';
    assert.deepEqual([session.name, session.tags], ['One', ['a']]);
    assert.throws(() => (session.tags as string[]).push('c'), TypeError);
    await provider.end(session, unaborted);
    assert.equal(handed?.id, 'r2');
    assert.equal(session.id, 'r1');
  });

  it('is stopped in time when its list returns page after page at once, without end', async () => {
    // It gives up by itself, so that this test fails instead of hanging.
    let left = 300_000;
    const provider = await connected({
      list: async function* () {
        while (left-- > 0) yield page();
      },
    });
    assert.equal(await troubleOf(Array.fromAsync(provider.list(unaborted))), 'timedOut');
    assert.ok(left > 0);
  });

  it('leaves no rejection unhandled when its list is an async function that throws', async () => {
    const unhandled: unknown[] = [];
    const hear = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', hear);
    try {
      const list = async () => {
        throw new ProviderError({ kind: 'forbidden' }, 'no list');
      };
      const provider = await connected({ list });
      assert.equal(await troubleOf(Array.fromAsync(provider.list(unaborted))), 'forbidden');
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', hear);
    }
  });

  it('shows nothing that VS Code would turn into a link, in its errors or about itself', async () => {
    const link = '[fine](command:workbench.action.quit) $(sync~spin) \u202e';
    const reason = { kind: 'stated', sentence: link } as const;
    const errors = [
      new ProviderError({ kind: 'unexpectedAnswer', what: link }, link),
      new ProviderError({ kind: 'unsupported', reason }, link),
    ];
    const provider = await connected({
      check: async () => {
        throw errors.pop() ?? new Error('there is no other');
      },
    });
    for (let left = 2; left > 0; left--) {
      const thrown = await errorOf(provider.check(unaborted));
      assert.doesNotMatch(troubleSentence(thrown, 'made.up.example'), /\]\(|\$\(|\u202e/);
    }
    const fields = exampleProvider.fields.map((field) => ({ ...field, label: link, prompt: link }));
    const wording = { ...exampleProvider.wording, session: link, ending: link, watching: link };
    const address = { ...exampleProvider.address, prompt: link, placeholder: link };
    services.register({ ...exampleProvider, id: 'linked', label: link, fields, wording, address });
    assert.doesNotMatch(JSON.stringify(services.kinds.get('linked')), /\]\(|\$\(|\u202e/);
  });

  it('gets no clock of ours that it could change', async () => {
    let link: Parameters<typeof exampleProvider.connect>[0] | undefined;
    services.register({
      ...exampleProvider,
      fields: [],
      connect: (its: Parameters<typeof exampleProvider.connect>[0]) => {
        link = its;
        return exampleProvider.connect(its);
      },
    });
    await services.kinds.load();
    await services.add('exampleProvider', server.url);
    const clock: object | undefined = link?.clock;
    assert.ok(clock);
    for (const name of ['now', 'monotonic', 'after'])
      assert.equal(
        Reflect.set(clock, name, () => 0),
        false,
      );
    assert.ok(link && link.clock.monotonic() > 0);
    assert.ok(Object.isFrozen(systemClock));
  });

  it('can only pass on addresses on the web', async () => {
    let address = 'https://made.up.example/x';
    const view = { sandbox: '', allow: '', fixedMode: false, singleUse: 'no', disconnectMessage: undefined };
    const provider = await connected({
      dashboard: () => address,
      recording: async () => new URL(address),
      liveView: async () => ({ ...view, url: address }),
    });
    const [session] = (await Array.fromAsync(provider.list(unaborted))).flatMap(({ sessions }) => sessions);
    assert.ok(session);
    const { id } = session;
    assert.equal(provider.dashboard?.(id).href, address);
    assert.equal((await provider.recording?.(id, unaborted))?.href, address);
    assert.equal((await provider.liveView?.(id, undefined, 'watch', unaborted))?.url.href, address);
    for (address of ['command:workbench.action.quit', 'file:///etc/passwd', 'http://made.up.example/x']) {
      assert.throws(() => provider.dashboard?.(id), ProviderError.is);
      assert.equal(await troubleOf(provider.recording?.(id, unaborted)), 'unexpectedAnswer');
      assert.equal(await troubleOf(provider.liveView?.(id, undefined, 'watch', unaborted)), 'unexpectedAnswer');
    }
  });

  it('may find out later what it can do', async () => {
    const members: { pages?: () => Promise<readonly unknown[]>; ending?: unknown } = {};
    const provider = await connected(members);
    assert.deepEqual(capabilitiesOf(provider), new Set());
    assert.equal(provider.ending.lists, 'complete');
    members.pages = async () => [{ id: 'p1', title: 'A page', url: 'https://example.com' }];
    members.ending = { lists: 'nothing', mostInFlight: 1e9, withinMs: -1 };
    assert.deepEqual(capabilitiesOf(provider), new Set(['pages']));
    assert.deepEqual(provider.ending, { ...usualEnding, mayReuseIds: true });
  });
});
