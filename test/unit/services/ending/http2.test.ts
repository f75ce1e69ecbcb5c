import { strict as assert } from 'node:assert';
import { systemClock } from '../../../../src/core/clock.ts';
import type { AccountId } from '../../../../src/core/ids.ts';
import type { Link } from '../../../../src/core/provider.ts';
import { providerKinds } from '../../../../src/providers/index.ts';
import type { AccountSession, EndOutcomeKind, EndReport } from '../../../../src/services/ending/report.ts';
import { makeCertificate } from '../../../host/certificates.ts';
import { startAnchor } from '../../../servers/anchor.ts';
import { startBrowserbase } from '../../../servers/browserbase.ts';
import type { ProviderServer, ProviderTls } from '../../../servers/providerServer.ts';
import { until } from '../../until.ts';
import { TestServices } from '../testServices.ts';

const quietly = { stop: new AbortController().signal, onProgress: () => {} };

function counts({ results }: EndReport): Partial<Record<EndOutcomeKind, number>> {
  const found: Partial<Record<EndOutcomeKind, number>> = {};
  for (const { outcome } of results) found[outcome] = (found[outcome] ?? 0) + 1;
  return found;
}

interface Provided {
  readonly server: ProviderServer & {
    readonly key: string;
    readonly running: string[];
    add(session: { id: string }): unknown;
  };
  readonly end: string;
  readonly list: string;
}

const providers: Readonly<Record<string, (tls: ProviderTls) => Promise<Provided>>> = {
  anchor: async (tls) => ({ server: await startAnchor(tls), end: 'DELETE', list: '/v1/sessions/all/status' }),
  browserbase: async (tls) => ({ server: await startBrowserbase(tls), end: 'POST', list: '/v1/sessions' }),
};

for (const [provider, start] of Object.entries(providers)) {
  describe(`ending at ${provider} over TLS`, function () {
    this.timeout(60_000);
    let certificate: { readonly cert: string; readonly key: string };
    let services: TestServices;
    let id: AccountId;
    let provided: Provided;

    before(async () => {
      certificate = await makeCertificate('localhost');
    });
    beforeEach(() => {
      services = new TestServices({ wireClock: systemClock, strictCertificates: false });
    });
    afterEach(async () => {
      services.dispose();
      await provided.server.stop();
    });

    async function list(count: number, http2: ProviderTls['http2'] | undefined): Promise<AccountSession[]> {
      const { cert, key } = certificate;
      provided = await start(http2 === undefined ? { cert, key } : { cert, key, http2 });
      const { server } = provided;
      for (let index = 0; index < count; index++) server.add({ id: `s${index}` });
      id = await services.add(provider, `https://localhost:${server.port}`, { apiKey: server.key });
      const targets = [...(services.store.state(id)?.contents.sessions.values() ?? [])].map((session) => ({
        accountId: id,
        session,
      }));
      assert.equal(targets.length, count);
      return targets;
    }
    const ends = () => provided.server.requests.filter(({ method }) => method === provided.end);
    const endsOf = (session: string) => ends().filter(({ path }) => path.endsWith(`/${session}`));

    it('has up to a hundred ends in flight on one connection', async () => {
      const targets = await list(300, {});
      provided.server.latencyMs = 50;
      assert.deepEqual(counts(await services.ender.end(targets, quietly)), { ended: 300 });
      assert.deepEqual(provided.server.running, []);
      assert.equal(ends().length, 300);
      assert.equal(provided.server.mostConnections, 1);
      assert.ok(provided.server.mostInFlight > 32 && provided.server.mostInFlight <= 100);
    });

    it('has no more in flight than the server’s settings allow, and at most 32 over HTTP/1.1', async () => {
      for (const [http2, most] of [
        [{ most: 12 }, 12],
        [undefined, 32],
      ] as const) {
        const targets = await list(100, http2);
        provided.server.latencyMs = 50;
        assert.deepEqual(counts(await services.ender.end(targets, quietly)), { ended: 100 });
        assert.deepEqual(provided.server.running, []);
        // A busy machine is slow now and then, and the pace treats that as a busy server.
        const { mostInFlight } = provided.server;
        assert.ok(mostInFlight <= most && mostInFlight > most / 2, String(mostInFlight));
        await provided.server.stop();
      }
    });

    it('begins with sixteen ends on one connection, and with four over HTTP/1.1', async () => {
      for (const [http2, first] of [
        [{}, 16],
        [undefined, 4],
      ] as const) {
        const targets = await list(40, http2);
        // Four connections over TLS take a busy machine a while.
        const latencyMs = 1_000;
        provided.server.latencyMs = latencyMs;
        const stop = new AbortController();
        const ending = services.ender.end(targets, { ...quietly, stop: stop.signal });
        // Those that come after the first answer show that no more would have come before it.
        await until(() => ends().length > first);
        stop.abort();
        provided.server.latencyMs = 0;
        await ending;
        const times = ends().map(({ at }) => at);
        const beforeAnAnswer = times.filter((at) => at < Math.min(...times) + latencyMs);
        assert.equal(beforeAnAnswer.length, first);
        await provided.server.stop();
      }
    });

    it('keeps to the limit that a provider sets for itself', async () => {
      const kinds = providerKinds.map((kind) => ({
        ...kind,
        connect: (link: Link) => {
          const connected = kind.connect(link);
          return { ...connected, ending: { ...connected.ending, mostInFlight: 10 } };
        },
      }));
      services.dispose();
      services = new TestServices({ wireClock: systemClock, strictCertificates: false, kinds });
      const targets = await list(40, {});
      provided.server.latencyMs = 20;
      assert.deepEqual(counts(await services.ender.end(targets, quietly)), { ended: 40 });
      assert.equal(provided.server.mostInFlight, 10);
    });

    it('checks each of up to a hundred ends that were cut off before resending any of them', async () => {
      const targets = await list(400, {});
      const { server } = provided;
      // Of the last two hundred, the server processes every other one, and answers none until the connection is cut.
      server.misbehave(provided.end, /s[23]\d\d$/, { kind: 'silent' });
      server.misbehave(provided.end, /s[23]\d[02468]$/, { kind: 'silent', when: 'after' });
      server.latencyMs = 100;
      /** What was running when an end arrived, and how many lists had been requested. */
      const came: { readonly session: string; readonly ran: boolean; readonly lists: number }[] = [];
      const push = server.requests.push.bind(server.requests);
      server.requests.push = (...added) => {
        for (const { method, path } of added) {
          const session = path.split('/').at(-1) ?? '';
          const lists = server.requests.filter((one) => one.path === provided.list).length;
          if (method === provided.end) came.push({ session, ran: server.running.includes(session), lists });
        }
        return push(...added);
      };
      const ending = services.ender.end(targets, quietly);
      await until(
        // A hundred, or fewer if this machine was slow in between.
        () => server.unanswered > 64 && server.unanswered === server.inFlight,
        () => `${server.unanswered} in flight`,
      );
      const cutOff = came.slice(-server.unanswered).map(({ session }) => session);
      server.behave();
      server.dropConnections();
      assert.deepEqual(counts(await ending), { ended: 400 });
      assert.deepEqual(server.running, []);
      assert.deepEqual(
        came.filter(({ ran }) => !ran),
        [],
        'an end was sent to a session that had ended',
      );
      for (const session of cutOff) {
        const isDone = Number(session.slice(1)) % 2 === 0;
        assert.equal(endsOf(session).length, isDone ? 1 : 2, session);
        const [first, second] = came.filter((one) => one.session === session);
        if (!isDone) assert.ok((second?.lists ?? 0) > (first?.lists ?? 0), `${session} wasn’t checked`);
      }
    });

    it('resends at once what the server refused before processing it, and ends nothing twice', async () => {
      const targets = await list(60, {});
      const { server } = provided;
      server.misbehave(provided.end, /s[1-5]$/, { kind: 'reset', code: 'refused', when: 'before' }, 5);
      server.misbehave(provided.end, /s[6-9]$/, { kind: 'reset', code: 'canceled', when: 'after' }, 4);
      assert.deepEqual(counts(await services.ender.end(targets, quietly)), { ended: 60 });
      assert.deepEqual(server.running, []);
      for (const session of ['s6', 's7', 's8', 's9']) assert.equal(endsOf(session).length, 1);
      assert.equal(ends().length, 65);
    });

    it('continues on a new connection as often as the server closes its own', async () => {
      const targets = await list(200, {});
      const { server } = provided;
      server.latencyMs = 10;
      let went = 0;
      const ending = services.ender.end(targets, quietly);
      for (const at of [20, 80, 150]) {
        await until(() => ends().length >= at);
        server.goAway();
        went++;
      }
      assert.deepEqual(counts(await ending), { ended: 200 });
      assert.deepEqual(server.running, []);
      assert.equal(ends().length, 200);
      assert.equal(went, 3);
    });
  });
}
