import { strict as assert } from 'node:assert';
import { systemClock } from '../../../../src/core/clock.ts';
import type { PageId } from '../../../../src/core/ids.ts';
import type { Inventory } from '../../../../src/core/inventory.ts';
import { capabilitiesOf, type Provider } from '../../../../src/core/provider.ts';
import { ProviderError, type TroubleKind } from '../../../../src/core/providerError.ts';
import type { Session } from '../../../../src/core/session.ts';
import { connect, type Network } from '../../../../src/services/accounts/connect.ts';
import { troubleSentence } from '../../../../src/ui/text/troubles.ts';
import { childrenOf } from '../../../../src/ui/tree/children.ts';
import type { TreeNode } from '../../../../src/ui/tree/nodes.ts';
import { rowOf } from '../../../../src/ui/tree/rows.ts';
import { tooltipOf } from '../../../../src/ui/tree/tooltips.ts';
import { freePort } from '../../../host/processes.ts';
import { type Fault, outages, ProviderServer } from '../../../servers/providerServer.ts';
import { errorOf } from '../../errors.ts';
import { fastClock, TestServices } from '../../services/testServices.ts';
import { VirtualClock } from '../../services/virtualClock.ts';
import { treeModel } from '../../sessions.ts';
import { RecordingLog, realNetwork, unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';
import type { Stage } from './stage.ts';

/** Responses to the list's request, by name, and the error each results in unless the provider says otherwise. */
const listFaults: Readonly<Record<string, readonly [Fault, TroubleKind]>> = {
  '401': [{ kind: 'answer', answer: { status: 401, json: {} } }, 'unauthorized'],
  '402': [{ kind: 'answer', answer: { status: 402, json: {} } }, 'forbidden'],
  '403': [{ kind: 'answer', answer: { status: 403, json: {} } }, 'forbidden'],
  '404': [{ kind: 'answer', answer: { status: 404, json: {} } }, 'notFound'],
  '409': [{ kind: 'answer', answer: { status: 409, json: {} } }, 'conflict'],
  '418': [{ kind: 'answer', answer: { status: 418, json: {} } }, 'unexpectedAnswer'],
  '429': [{ kind: 'answer', answer: { status: 429, headers: { 'retry-after': '86400' } } }, 'rateLimited'],
  '500': [{ kind: 'answer', answer: { status: 500, json: {} } }, 'serverFault'],
  '503': [{ kind: 'answer', answer: { status: 503, text: 'overloaded' } }, 'serverFault'],
  'a web page': [{ kind: 'answer', answer: { status: 200, html: '<h1>Sign in</h1>' } }, 'unexpectedAnswer'],
  nothing: [{ kind: 'answer', answer: { status: 200, text: '' } }, 'unexpectedAnswer'],
  'JSON that breaks off': [{ kind: 'answer', answer: { status: 200, text: '{"data":[{"id":' } }, 'unexpectedAnswer'],
  'other JSON': [{ kind: 'answer', answer: { status: 200, json: { hello: 'world' } } }, 'unexpectedAnswer'],
  'half of it': [{ kind: 'halfBody' }, 'unreachable'],
  'a closed connection': [{ kind: 'cut', when: 'before' }, 'unreachable'],
  silence: [{ kind: 'silent' }, 'timedOut'],
  'a byte a second': [{ kind: 'drip', ms: 50 }, 'timedOut'],
};

/** Ids that no provider may put into a path. */
const badIds = [
  '',
  'all',
  'ALL',
  '.',
  '..',
  '../all',
  'a/b',
  'a\\b',
  'a?b',
  'a#b',
  'a%2Fall',
  'a b',
  'a\u202eb',
  'x'.repeat(300),
];

/** Addresses that mustn't be framed, by what is wrong with them, for a provider at `own`. */
function badAddresses(own: string): Readonly<Record<string, string>> {
  const { host, hostname } = new URL(own);
  return {
    script: 'javascript:alert("canary")',
    'script behind spaces': ' \tjava\nscript:alert("canary")',
    'a page of its own': 'data:text/html,<h1>canary</h1>',
    'a file': 'file:///etc/canary',
    'a command of the editor': 'command:workbench.action.closeWindow?canary',
    'the editor itself': 'vscode-webview://canary/index.html',
    'what a page made': `blob:${own}/canary`,
    'another origin': 'https://elsewhere.example/live?rt=canary',
    'an origin that begins like the provider’s': `https://${hostname}.elsewhere.example/live?rt=canary`,
    'a host without encryption': 'http://10.0.0.1/live?rt=canary',
    'somebody’s password': `${own.replace('//', '//user:canary@')}/live`,
    'the provider’s host as a name': `https://${host.replace(':', '%3A')}:canary@elsewhere.example/live`,
    'no origin': '/live?rt=canary',
    'no scheme': '//elsewhere.example/live?rt=canary',
    nothing: '',
    'a hundred kilobytes': `${own}/live?rt=${'canary'.repeat(17_000)}`,
  };
}

/**
 * What every provider must do, over real HTTP. A provider has its own tests for its own features.
 * @param startStage creates a server with nothing running on it, a new one for each test.
 */
export function providerContract(name: string, startStage: () => Promise<Stage>): void {
  describe(`${name} keeps the contract`, function () {
    this.timeout(120_000);
    const afterEnd = () => (stage.probesGone ? 'gone' : 'unknown');
    let stage: Stage;
    let log: RecordingLog;
    let sentTo: Set<string>;

    beforeEach(async () => {
      stage = await startStage();
      log = new RecordingLog();
      sentTo = new Set();
    });
    afterEach(async () => {
      await stage?.stop();
    });

    /** The account's provider, recording every address that it opens a connection to. */
    function open(credentials = stage.credentials, origin = stage.server.url, clock = systemClock): Provider {
      const network = realNetwork(log, clock, stage.settings);
      const noted: Network = {
        ...network,
        http: (address, ...rest) => {
          sentTo.add(address.origin);
          return network.http(address, ...rest);
        },
        cdp: (account) => ({
          dial: (address, ...rest) => {
            sentTo.add(address.origin.replace(/^ws/, 'http'));
            return network.cdp(account).dial(address, ...rest);
          },
        }),
      };
      return connect(stage.kind, origin, credentials, noted);
    }

    async function listed(provider = open()): Promise<{ sessions: Session[]; faults: Inventory['faults'] }> {
      const pages = await Array.fromAsync(provider.list(unaborted));
      const sessions = new Map(pages.flatMap((page) => page.sessions.map((session) => [session.id, session] as const)));
      return { sessions: [...sessions.values()], faults: pages.flatMap(({ faults }) => faults) };
    }

    async function one(provider: Provider, id: string): Promise<Session> {
      const session = (await listed(provider)).sessions.find((session) => session.id === id);
      assert.ok(session, `${id} is not listed`);
      return session;
    }

    const ids = (sessions: readonly Session[]) => sessions.map(({ id }) => id as string).sort();
    const secrets = () =>
      stage.kind.fields.flatMap(({ id, kind }) => (kind === 'secret' ? (stage.credentials[id] ?? []) : []));

    /** Everything of an error that can be read anywhere. */
    function readable(error: ProviderError): string {
      const cause = error.cause instanceof Error ? `${error.cause.message} ${error.cause.stack}` : String(error.cause);
      return [error.message, error.detail, error.stack, cause, JSON.stringify(error.trouble)].join('\n');
    }

    it('lists everything that is running', async () => {
      assert.deepEqual((await listed()).sessions, []);
      const started = await stage.start(stage.many);
      const { sessions, faults } = await listed();
      assert.deepEqual(ids(sessions), [...started].sort());
      assert.deepEqual(faults, []);
    });

    it('can do nothing that its kind doesn’t declare', async () => {
      await stage.start(1);
      const provider = open();
      await listed(provider);
      for (const capability of capabilitiesOf(provider)) assert.ok(stage.kind.can.includes(capability), capability);
    });

    it('passes on each page as it arrives', async () => {
      await stage.start(stage.many);
      const provider = open();
      const asked: number[] = [];
      let found = 0;
      for await (const page of provider.list(unaborted)) {
        asked.push(stage.server.requests.length);
        found = Math.max(found, page.sessions.length);
      }
      assert.ok(found > 0);
      // The next page is requested after the previous one was passed on.
      for (const [index, count] of asked.entries()) if (index > 0) assert.ok(count >= (asked[index - 1] ?? 0));
      if (asked.length > 1)
        assert.ok((asked[0] ?? 0) < (asked.at(-1) ?? 0), 'all was asked before the first page came');
    });

    it('keeps a status that it doesn’t know, and can end the session', async () => {
      if (stage.startUnknown === undefined) return;
      const id = await stage.startUnknown();
      const provider = open();
      const session = await one(provider, id);
      assert.equal(session.phase, 'unknown');
      assert.equal(await provider.probe(session, unaborted), 'running');
      await provider.end(session, unaborted);
      await until(async () => (await stage.running()).length === 0);
    });

    it('shows 499 of 500 rows, and says what is wrong with the other', async () => {
      if (stage.addMalformed === undefined) return;
      const started = await stage.start(499);
      stage.addMalformed();
      const { sessions, faults } = await listed();
      assert.deepEqual(ids(sessions), [...started].sort());
      assert.equal(faults.length, 1);
      assert.match(faults[0]?.what ?? '', /^its .+/);
    });

    it('ends one session and no other, and sees that it is gone', async () => {
      const [first = '', ...others] = await stage.start(3);
      const provider = open();
      const session = await one(provider, first);
      assert.equal(await provider.probe(session, unaborted), 'running');
      const { outcome } = await provider.end(session, unaborted);
      assert.ok(outcome === 'ended' || outcome === 'accepted', outcome);
      await until(async () => !(await stage.running()).includes(first));
      assert.deepEqual((await stage.running()).sort(), others.sort());
      await until(async () => (await provider.probe(session, unaborted)) === afterEnd());
      assert.deepEqual(ids((await listed(provider)).sessions), others.sort());
    });

    it('accepts a second end of the same session without an error', async () => {
      const [first = ''] = await stage.start(2);
      const provider = open();
      const session = await one(provider, first);
      await provider.end(session, unaborted);
      await until(async () => (await provider.probe(session, unaborted)) === afterEnd());
      const { outcome } = await provider.end(session, unaborted);
      assert.notEqual(outcome, 'ended', 'it says it ended what had ended before');
      assert.equal((await stage.running()).length, 1);
    });

    it('concludes nothing from a load balancer’s “not found”', async () => {
      await stage.start(2);
      const { server } = stage;
      const { path: listing } = stage.listing;
      const elsewhere = new RegExp(`^(?!.*${listing.source}).*$`);
      const known = open();
      const [session] = (await listed(known)).sessions;
      assert.ok(session);
      const concludesNothing = async (provider: Provider, what: string) => {
        const answered = await provider.end(session, unaborted).catch((error: unknown) => error);
        assert.ok(ProviderError.is(answered), `${what}: it took ${JSON.stringify(answered)} for an answer`);
        // That would be the provider's own response for a session that it doesn't know.
        assert.notEqual(answered.trouble.kind, 'notFound', what);
        const result = await provider.probe(session, unaborted).catch((error: unknown) => error);
        assert.ok(
          result === 'unknown' || result === 'running' || ProviderError.is(result),
          `${what}: ${String(result)}`,
        );
        assert.ok(!ProviderError.isOf(result, 'notFound'), what);
      };
      for (const [what, page] of Object.entries(outages)) {
        server.outage = page;
        await concludesNothing(known, `everywhere: ${what}`);
        await concludesNothing(open(), `everywhere, for an account just opened: ${what}`);
        server.outage = undefined;
        await listed(known);
        if (!stage.endsByRequest) continue;
        for (const method of ['GET', 'POST', 'DELETE']) {
          server.misbehave(method, elsewhere, { kind: 'answer', answer: page });
        }
        await concludesNothing(known, `everywhere but at the list: ${what}`);
        server.behave();
        await listed(known);
      }
      assert.equal((await stage.running()).length, 2);
    });

    it('rejects an invalid id before any request', async () => {
      const [first = ''] = await stage.start(2);
      const provider = open();
      const session = await one(provider, first);
      const before = stage.server.requests.filter(({ path }) => /kill|sessions?\/|end/.test(path)).length;
      for (const bad of badIds) {
        const id = bad as Session['id'];
        const error = await errorOf(provider.end({ ...session, id }, unaborted));
        assert.equal(error.trouble.kind, 'unexpectedAnswer', JSON.stringify(bad));
        if (provider.pages !== undefined) await errorOf(provider.pages(id, unaborted));
        if (provider.liveView !== undefined) await errorOf(provider.liveView(id, undefined, 'watch', unaborted));
        if (provider.devtools !== undefined) await errorOf(provider.devtools(id, unaborted));
        if (provider.screenshot !== undefined) await errorOf(provider.screenshot(id, unaborted));
        if (provider.recording !== undefined) await errorOf(provider.recording(id, unaborted));
        if (provider.endCause !== undefined) await errorOf(provider.endCause(id, unaborted));
      }
      const after = stage.server.requests.filter(({ path }) => /kill|sessions?\/|end/.test(path)).length;
      assert.equal(after, before);
      assert.equal((await stage.running()).length, 2);
    });

    it('reports what kind of error it is', async () => {
      await stage.start(1);
      const { method, path } = stage.listing;
      const openFast = (credentials = stage.credentials, origin = stage.server.url) =>
        open(credentials, origin, fastClock(stage.speedUp));
      const clock = new VirtualClock();
      // Its time passes only while the server keeps a request waiting.
      clock.isBusy = () => stage.server.waitingInVain === 0;
      for (const [what, [fault, usual]] of Object.entries(listFaults)) {
        const timesOut = usual === 'timedOut';
        const provider = timesOut ? open(stage.credentials, stage.server.url, clock) : openFast();
        await listed(provider);
        stage.server.misbehave(method, path, fault);
        const failing = errorOf(listed(provider));
        const error = await (timesOut ? clock.until(failing, 60_000) : failing);
        assert.equal(error.trouble.kind, stage.troubles[what] ?? usual, what);
        stage.server.behave();
        assert.equal((await listed(provider)).sessions.length, 1, `it does not recover from ${what}`);
      }
      const unreachable = openFast(stage.credentials, `http://127.0.0.1:${await freePort()}`);
      assert.equal((await errorOf(unreachable.check(unaborted))).trouble.kind, 'unreachable');
      if (stage.wrong !== undefined) {
        assert.equal((await errorOf(open(stage.wrong).check(unaborted))).trouble.kind, 'unauthorized');
        assert.equal((await errorOf(listed(open(stage.wrong)))).trouble.kind, 'unauthorized');
      }
    });

    it('stops asking as soon as it is aborted', async () => {
      await stage.start(1);
      const requestsOf = async (work: () => Promise<unknown>) => {
        const before = stage.server.requests.length;
        await work();
        return stage.server.requests.length - before;
      };
      const ofOneList = await requestsOf(() => listed(open()));
      const provider = open();
      stage.server.misbehave(stage.listing.method, stage.listing.path, { kind: 'slow', ms: 5_000 });
      const abort = new AbortController();
      const before = stage.server.requests.length;
      const reading = errorOf(Array.fromAsync(provider.list(abort.signal)));
      await until(() => stage.server.requests.length > before);
      const abortedAt = performance.now();
      abort.abort();
      assert.equal((await reading).trouble.kind, 'canceled');
      assert.ok(performance.now() - abortedAt < 2_500, 'it kept waiting');
      const asked = stage.server.requests.length;
      assert.equal((await errorOf(provider.check(abort.signal))).trouble.kind, 'canceled');
      assert.equal(stage.server.requests.length, asked);
      stage.server.behave();
      // What was sent before it was aborted may arrive late.
      await until(
        async () => (await requestsOf(() => listed(open()))) === ofOneList,
        () => 'it kept asking',
      );
    });

    it('shows no secret in any error or log line', async () => {
      await stage.start(1);
      const provider = open();
      await listed(provider);
      const { method, path } = stage.listing;
      const secret = secrets().join(' ');
      const echo = `the key ${secret} was sent to https://user:${secret}@host/?token=${encodeURIComponent(secret)}`;
      for (const [status, body] of [
        [400, { json: { message: echo } }],
        [401, { json: { error: { code: 401, message: echo } } }],
        [403, { text: echo }],
        [500, { json: { error: echo } }],
        [200, { text: echo }],
        [302, { headers: { location: `https://elsewhere.example/?token=${secret}` } }],
      ] as const) {
        stage.server.misbehave(method, path, { kind: 'answer', answer: { status, ...body } });
        const text = readable(await errorOf(listed(provider)));
        for (const secret of secrets()) assert.ok(!text.includes(secret), `${status}: ${text}`);
        stage.server.behave();
      }
      const session = (await listed(provider)).sessions[0];
      assert.ok(session);
      await provider.probe(session, unaborted);
      await provider.end(session, unaborted);
      for (const secret of secrets()) assert.ok(!log.lines.join('\n').includes(secret), 'a secret is in the log');
      assert.ok(!log.lines.join('\n').includes('canary'), 'a secret of the provider’s is in the log');
    });

    it('frames no address that isn’t the provider’s, says so, and repeats none', async () => {
      const [id = ''] = await stage.start(1);
      const provider = open();
      const session = await one(provider, id);
      const { liveViewAt, server } = stage;
      assert.equal(provider.liveView === undefined, liveViewAt === undefined);
      if (liveViewAt === undefined) return;
      const show = (page?: PageId) => provider.liveView?.(session.id, page, 'watch', unaborted);
      const good = `${server.url}/live/1?rt=a%2Bb`;
      liveViewAt(good);
      assert.equal((await show())?.url.href, good);
      for (const [what, address] of Object.entries(badAddresses(server.url))) {
        liveViewAt(address);
        const pages = (await provider.pages?.(session.id, unaborted)) ?? [];
        for (const page of [undefined, ...pages.map(({ id: its }) => its)]) {
          const error = await errorOf(show(page));
          const sentence = troubleSentence(error, 'the provider');
          assert.match(sentence, /the live view address isn't one of this provider's/, what);
          const said = `${sentence}\n${readable(error)}\n${log.lines.join('\n')}`;
          assert.doesNotMatch(said, /canary|javascript:|elsewhere\.example/, what);
        }
      }
    });

    describe('with a hostile server', () => {
      let services: TestServices;
      beforeEach(() => {
        services = new TestServices({ kinds: [stage.kind], settings: stage.settings, wireClock: systemClock });
      });
      afterEach(() => services.dispose());

      /** Lists what is really running, and then what a hostile server returns in its place. */
      async function listedThen(rows: readonly string[]) {
        const { hostile, server, listing } = stage;
        assert.ok(hostile);
        await stage.start(1);
        const id = await services.add(stage.kind.id, server.url, stage.credentials);
        const before = [...(services.store.state(id)?.contents.sessions.keys() ?? [])];
        assert.equal(before.length, 1);
        const text = hostile.answer(rows.join(), rows.length);
        const headers = { 'content-type': 'application/json' };
        const answer = { status: 200, text, headers };
        server.misbehave(listing.method, listing.path, { kind: 'answer', answer }, hostile.times);
        await services.refresher.refresh(id);
        const state = services.store.state(id);
        assert.ok(state);
        return { id, state, before, faults: state.contents.faults };
      }
      const row = (of: string, more: object = {}) => JSON.stringify({ ...stage.hostile?.row(of), ...more });

      it('shows as many sessions of a flood as are manageable, says so, and calls nothing gone', async () => {
        if (stage.hostile === undefined) return;
        const flood = Array.from({ length: 150_000 }, (_, index) => row(`flood${index}`));
        const { state, before, faults } = await listedThen(flood);
        assert.equal(state.kind, 'ready');
        const { sessions } = state.contents;
        assert.ok(sessions.size >= 5_000 && sessions.size <= 5_001 + 100, String(sessions.size));
        for (const one of before) assert.ok(sessions.has(one), 'a session that wasn’t confirmed gone isn’t shown');
        const [missing] = faults.filter(({ unnamed }) => unnamed === true);
        assert.match(missing?.subject ?? '', /^\d+ more rows$|^The rest of the list$/);
        assert.match(drawn(services).join('\n'), /can't be shown: only the first 10000 rows of a list are read/);
        assert.match(drawn(services).join('\n'), /\d+ more sessions can't be shown: at most 5000 sessions/);
      });

      it('shows the valid rows next to rows that are too deep, too large, or half a character', async () => {
        if (stage.hostile === undefined) return;
        const deep = `${'['.repeat(6_000)}${']'.repeat(6_000)}`;
        const nested = row('deep', { userMetadata: { a: 'X' }, more: 'Y' })
          .replace('"X"', deep)
          .replace('"Y"', '[[]]');
        const { state, faults } = await listedThen([
          row('first'),
          nested,
          row('large', { more: 'x'.repeat(5 * 2 ** 20), title: 'x' }),
          row('wide', { more: Array.from({ length: 20_000 }, () => 0) }),
          row('half\ud800'),
          row('last'),
        ]);
        assert.equal(state.kind, 'ready');
        const ids = [...state.contents.sessions.keys()];
        for (const one of ['first', 'deep', 'last']) assert.ok(ids.includes(one as never), `${one} of ${ids.join()}`);
        assert.deepEqual(
          ids.filter((one) => one.includes('half') || one === 'large' || one === 'wide'),
          [],
        );
        const descriptions = faults.map(({ what }) => what);
        // Browserbase is asked for two lists.
        const tooLarge = faults.filter(({ what }) => what === "it's too large to read");
        assert.deepEqual([...new Set(tooLarge.map(({ subject }) => subject))], ['row 3', 'row 4']);
        assert.ok(descriptions.includes('its id has characters that no id may have'), descriptions.join('; '));
        drawn(services);
      });

      it('reports the reason when the whole response is too large, and keeps what it knew', async () => {
        if (stage.hostile === undefined) return;
        const { id, state: known } = await listedThen([row('one')]);
        const { listing, server } = stage;
        for (const text of [`{"a":${'['.repeat(600_000)}${']'.repeat(600_000)}}`, `"${'x'.repeat(2 ** 20)}"`]) {
          server.misbehave(listing.method, listing.path, {
            kind: 'answer',
            answer: { status: 200, text, headers: { 'content-type': 'application/json' } },
          });
          await services.refresher.refresh(id);
          const state = services.store.state(id);
          assert.ok(state?.kind === 'ready' && state.trouble?.trouble.kind === 'unexpectedAnswer');
          assert.equal(state.trouble.trouble.what, 'its response is too large to read');
          assert.deepEqual([...state.contents.sessions.keys()], [...known.contents.sessions.keys()]);
        }
      });
    });

    it('shows no secret in the tree', async () => {
      await stage.start(2);
      const services = new TestServices({ kinds: [stage.kind], settings: stage.settings, wireClock: systemClock });
      try {
        const id = await services.add(stage.kind.id, stage.server.url, stage.credentials);
        assert.equal(services.store.state(id)?.kind, 'ready');
        const text = drawn(services).join('\n');
        for (const { id: session } of services.store.state(id)?.contents.sessions.values() ?? []) {
          assert.ok(text.includes(session), `${session} is not in the tree`);
        }
        for (const secret of [...secrets(), 'canary']) assert.ok(!text.includes(secret), `${secret} is in the tree`);
      } finally {
        services.dispose();
      }
    });

    it('sends only to the account’s origin and those its kind derives from it', async () => {
      const elsewhere = await new ProviderServer({ routes: {}, notFound: () => ({ status: 200, json: {} }) }).start();
      try {
        await stage.start(1);
        const provider = open();
        const [session] = (await listed(provider)).sessions;
        assert.ok(session);
        await provider.check(unaborted);
        await provider.pages?.(session.id, unaborted);
        await provider.liveView?.(session.id, undefined, 'watch', unaborted);
        // Our server has no browser behind its sessions; only where it was looked for counts here.
        await provider.devtools?.(session.id, unaborted).then(
          ({ connection }) => connection.dispose(),
          () => undefined,
        );
        const redirect = { status: 307, headers: { location: `${elsewhere.url}/` } };
        stage.server.misbehave('GET', /./, { kind: 'answer', answer: redirect });
        stage.server.misbehave('POST', /./, { kind: 'answer', answer: redirect });
        stage.server.misbehave('DELETE', /./, { kind: 'answer', answer: redirect });
        await errorOf(listed(provider));
        await errorOf(provider.end(session, unaborted));
        stage.server.behave();
        await provider.end(session, unaborted);
        assert.deepEqual(elsewhere.log(), []);
        const origin = new URL(stage.server.url);
        const allowed = new Set(
          [origin, ...stage.kind.furtherAddresses(origin, stage.credentials)].map((url) => url.origin),
        );
        for (const address of sentTo) assert.ok(allowed.has(address), address);
      } finally {
        await elsewhere.stop();
      }
    });
  });
}

/** All text that the tree and its tooltips show. */
function drawn(services: TestServices): string[] {
  const model = treeModel(services.store, () => services.accounts.all, Date.now, {
    kind: services.kinds.get.bind(services.kinds),
    ratePerHour: () => 1,
  });
  const lines = (node?: TreeNode): string[] =>
    childrenOf(model, node).flatMap((child) => [
      JSON.stringify(rowOf(model, child)),
      JSON.stringify(tooltipOf(model, child)),
      ...lines(child),
    ]);
  return lines();
}
