import { strict as assert } from 'node:assert';
import { type AccountId, sessionId } from '../../../../src/core/ids.ts';
import type { Provider } from '../../../../src/core/provider.ts';
import type { Trouble } from '../../../../src/core/providerError.ts';
import { unlistedSession } from '../../../../src/core/unlistedSession.ts';
import { type Finding, findGone, lookUp } from '../../../../src/services/ending/lookUp.ts';
import { type AnchorServer, startAnchor } from '../../../servers/anchor.ts';
import { type BrowserbaseServer, startBrowserbase } from '../../../servers/browserbase.ts';
import { type BrowserlessCloudServer, startBrowserlessCloud } from '../../../servers/browserlessCloud.ts';
import { type GatewayServer, startGateway } from '../../../servers/gateway.ts';
import { failure, type ScriptedServices, scriptedServices } from '../scriptedProvider.ts';
import { fastClock, TestServices } from '../testServices.ts';

describe('looking up an unlisted session', () => {
  let services: TestServices;
  const clock = fastClock(1);

  beforeEach(() => {
    services = new TestServices({ clock });
  });
  afterEach(() => {
    services.dispose();
  });

  const ask = async (account: AccountId, id: string): Promise<Finding> => {
    const provider = await services.connections.open(account);
    const { connections, refresher, log: logger } = services;
    return lookUp({ connections, refresher, clock, logger }, account, provider, unlistedSession(sessionId(id)));
  };
  const kind = async (account: AccountId, id: string) => (await ask(account, id)).kind;

  describe('at Anchor Browser', () => {
    let server: AnchorServer;
    let account: AccountId;

    beforeEach(async () => {
      server = await startAnchor();
      account = await services.add('anchor', server.url, { apiKey: server.key });
      server.add({ id: 'sess_a' });
      server.add({ id: 'sess_over', status: 'completed' });
    });
    afterEach(() => server.stop());

    it('distinguishes a running session, an ended one, and an id that the provider never had', async () => {
      assert.equal(await kind(account, 'sess_a'), 'running');
      assert.equal(await kind(account, 'sess_over'), 'ended');
      assert.equal(await kind(account, 'sess_typo'), 'notFound');
      assert.deepEqual(
        server.log().filter((line) => !line.startsWith('GET')),
        [],
      );
    });

    it('asks a hundred times within twenty seconds at most, however often it’s called', async () => {
      const before = server.log().length;
      const found = await Promise.all(Array.from({ length: 130 }, () => ask(account, 'sess_a')));
      const isRefused = (one: Finding) => one.kind === 'failed' && one.error.trouble.kind === 'tooOften';
      assert.equal(found.filter((one) => one.kind === 'running').length, 100);
      assert.equal(found.filter(isRefused).length, 30);
      const { connections, log: logger } = services;
      assert.deepEqual(await findGone({ connections, clock, logger }, account, [sessionId('sess_over')]), []);
      assert.equal(server.log().length - before, 100);
    });

    it('treats neither an error page nor a network failure as a response', async () => {
      server.misbehave('GET', /sess_a/, { kind: 'answer', answer: { status: 404, html: '<h1>404</h1>' } });
      assert.equal(await kind(account, 'sess_a'), 'failed');
      server.misbehave('GET', /sess_a/, { kind: 'cut', when: 'before' });
      const found = await ask(account, 'sess_a');
      assert.equal(found.kind === 'failed' && found.error.trouble.kind, 'unreachable');
    });

    it('treats an error status as an unknown id only while the key can list', async () => {
      const answer = { status: 401, json: { error: { message: 'Invalid API Key or browser session ID' } } };
      server.misbehave('GET', /sess_typo/, { kind: 'answer', answer });
      assert.equal(await kind(account, 'sess_typo'), 'notFound');
      server.misbehave('GET', /./, { kind: 'answer', answer });
      const found = await ask(account, 'sess_typo');
      assert.equal(found.kind === 'failed' && found.error.trouble.kind, 'unauthorized');
    });
  });

  describe('at a provider that answers as it likes', () => {
    let scene: ScriptedServices;

    beforeEach(async () => {
      scene = await scriptedServices((provider) => provider.start('one'));
    });
    afterEach(() => scene.services.dispose());

    const found = async (id: string, endCause?: Provider['endCause']): Promise<Finding['kind']> => {
      const { services, id: account, clock: time, over, provider } = scene;
      const { connections, refresher, log: logger } = services;
      const asked = { ...provider.provider, endCause };
      const session = unlistedSession(sessionId(id));
      return (await over(lookUp({ connections, refresher, clock: time, logger }, account, asked, session))).kind;
    };

    it('calls a session ended only if the provider says how it ended', async () => {
      assert.equal(await found('one'), 'running');
      assert.equal(await found('two'), 'notFound');
      assert.equal(await found('two', async () => ({ how: 'completed', endedAt: undefined })), 'ended');
      assert.equal(await found('two', async () => undefined), 'notFound');
      assert.equal(await found('two', () => Promise.reject(failure({ kind: 'serverFault', status: 500 }))), 'notFound');
      assert.match(scene.services.log.lines.join('\n'), /how two ended could not be asked: it failed: serverFault/);
    });

    it('waits ten seconds at most to be told how it ended', async () => {
      const before = scene.clock.now();
      const cause: Provider['endCause'] = (_, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(failure({ kind: 'canceled' }))),
        );
      assert.equal(await found('two', cause), 'notFound');
      assert.ok(scene.clock.now() - before < 10_100);
    });

    it('finds which of several are gone, and counts none without an answer, or that the provider doesn’t find', async () => {
      const { services, id: account, clock: time, over, provider } = scene;
      const { connections, log: logger } = services;
      const ids = ['one', 'two', 'three', 'four', 'five', 'six'].map(sessionId);
      provider.onProbe = async ({ id }) => {
        if (id === 'three') throw failure({ kind: 'serverFault', status: 500 });
        if (id === 'four') throw failure({ kind: 'notFound' });
        if (id === 'five') return 'notFound';
        return id === 'one' ? 'running' : id === 'two' ? 'gone' : 'unknown';
      };
      const ask = () => over(findGone({ connections, clock: time, logger }, account, ids));
      assert.deepEqual(await ask(), ['two']);
      await services.accounts.remove(account);
      assert.deepEqual(await ask(), []);
    });

    it('understands an error that says there is no such session, or that may say so', async () => {
      const troubles: readonly [Trouble, Finding['kind']][] = [
        [{ kind: 'notFound' }, 'notFound'],
        [{ kind: 'unsupported', reason: { kind: 'noRequest' } }, 'unchecked'],
        [{ kind: 'unauthorized' }, 'notFound'],
        [{ kind: 'forbidden' }, 'notFound'],
        [{ kind: 'serverFault', status: 500 }, 'failed'],
      ];
      for (const [trouble, kindOfFinding] of troubles) {
        scene.provider.onProbe = () => Promise.reject(failure(trouble));
        assert.equal(await found('two'), kindOfFinding, trouble.kind);
      }
      scene.provider.onList = () => Promise.reject(failure({ kind: 'forbidden' }));
      scene.provider.onProbe = () => Promise.reject(failure({ kind: 'forbidden' }));
      assert.equal(await found('two'), 'failed');
    });
  });

  it('distinguishes at Browserbase a running session, an ended one and one that it never had', async () => {
    const server: BrowserbaseServer = await startBrowserbase();
    const account = await services.add('browserbase', server.url, { apiKey: server.key });
    const session = server.add();
    assert.equal(await kind(account, session.id), 'running');
    session.status = 'TIMED_OUT';
    assert.equal(await kind(account, session.id), 'ended');
    assert.equal(await kind(account, '00000000-0000-4000-8000-000000000000'), 'notFound');
    await server.stop();
  });

  it('finds at a gateway what its list doesn’t have', async () => {
    const server: GatewayServer = await startGateway();
    server.listsNothing = true;
    const account = await services.add('gateway', server.url, { authorization: server.authorization });
    const { id } = server.add();
    assert.equal(await kind(account, id), 'running');
    server.tellsNothing = true;
    assert.equal(await kind(account, id), 'unknown');
    await server.stop();
  });

  it('can’t look up sessions in Browserless’s cloud without its account API', async () => {
    const server: BrowserlessCloudServer = await startBrowserlessCloud();
    const account = await services.add('browserless', server.url, { token: server.token });
    const { id } = server.add();
    assert.equal(await kind(account, id), 'unchecked');
    assert.ok(server.browsers.has(id));
    await server.stop();
  });
});
