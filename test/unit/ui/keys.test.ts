import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { accountId } from '../../../src/core/ids.ts';
import type { ProviderKind } from '../../../src/core/provider.ts';
import { providerKinds } from '../../../src/providers/index.ts';
import { troubleOf } from '../../../src/services/sessions/sessionsView.ts';
import type { KnownAccountParts } from '../../../src/ui/commands/accounts.ts';
import { replaceKey } from '../../../src/ui/commands/accounts.ts';
import { addAccount } from '../../../src/ui/commands/addAccount.ts';
import { fieldRequest } from '../../../src/ui/commands/credentials.ts';
import type { Answer, AskRequest, Prompts } from '../../../src/ui/prompts.ts';
import { type ExampleServer, startExample } from '../../servers/example.ts';
import { exampleProvider } from '../providers/exampleProvider.ts';
import { MapMemory, MemorySecretStore, TestServices } from '../services/testServices.ts';

const id = accountId('11111111-1111-4111-8111-111111111111');
const key = 'canary-key-0123456789';

describe('asking for keys', () => {
  let server: ExampleServer;
  /** A server that must not receive anything. */
  let evil: Server;
  let evilHost: string;
  let connectionsToEvil: number;
  let services: TestServices;
  let asked: AskRequest[];
  let messages: string[];
  let answers: string[];

  beforeEach(async () => {
    server = await startExample();
    connectionsToEvil = 0;
    evil = createServer((_, response) => response.end('{}')).on('connection', () => connectionsToEvil++);
    evil.listen(0, '127.0.0.1');
    await once(evil, 'listening');
    evilHost = `127.0.0.1:${(evil.address() as AddressInfo).port}`;
    [asked, messages, answers] = [[], [], []];
  });
  afterEach(async () => {
    services.dispose();
    evil.closeAllConnections();
    evil.close();
    await server.stop();
  });

  /** A user who answers questions with `answers`, and cancels when there are none left. */
  function open(
    entries: readonly object[] = [],
    secrets: readonly object[] = [],
    kinds: readonly ProviderKind[] = [exampleProvider],
  ) {
    const [secretStore, memory] = [new MemorySecretStore(), new MapMemory()];
    memory.values.set('accounts', entries);
    for (const secret of secrets) secretStore.values.set(`browserSessions.account.${id}`, JSON.stringify(secret));
    services = new TestServices({ secretStore, memory, kinds });
    const prompts: Pick<Prompts, 'ask' | 'tell'> = {
      ask: async (request): Promise<Answer<string>> => {
        asked.push(request);
        const value = answers.shift();
        if (value === undefined) return { kind: 'left' };
        const wrong = await request.refuse(value);
        if (wrong !== undefined) messages.push(wrong);
        return wrong === undefined ? { kind: 'answer', value } : { kind: 'left' };
      },
      tell: async (_level, message) => void messages.push(message),
    };
    return { ...services, prompts } as unknown as KnownAccountParts;
  }

  const entry = (origin: string) => ({ id, provider: 'exampleProvider', label: 'home', origin, addedAt: 1 });
  const secret = (origin: string) => ({
    v: 1,
    provider: 'exampleProvider',
    label: 'home',
    origin,
    addedAt: 1,
    credentials: { doorKey: server.doorKey },
  });
  const trouble = () => {
    const state = services.store.state(id);
    return state && troubleOf(state)?.trouble;
  };

  it('rejects an address that could lead a key elsewhere, whoever adds the account', async () => {
    const context = open([], [], providerKinds);
    const withKeys = providerKinds.filter(({ fields }) => fields.some(({ kind }) => kind === 'secret'));
    assert.equal(withKeys.length, 4);
    for (const { id: provider, fields } of withKeys) {
      const values = Object.fromEntries(fields.filter(({ kind }) => kind === 'secret').map((field) => [field.id, key]));
      for (const path of [
        `//${evilHost}`,
        `/\\${evilHost}/x`,
        `\\\\${evilHost}`,
        `/%2F${evilHost}`,
        `/..//${evilHost}`,
      ]) {
        const argument = { provider, origin: server.url + path, fields: values };
        await assert.rejects(addAccount(context, [argument]), /The path can't start with/, `${provider} ${path}`);
      }
      for (const host of ['app.localhost', 'localhost.']) {
        const argument = { provider, origin: `http://${host}:${server.port}`, fields: values };
        await assert.rejects(
          addAccount(context, [argument]),
          /Use localhost, 127\.0\.0\.1, or https:/,
          `${provider} ${host}`,
        );
      }
    }
    assert.deepEqual([server.requests.length, connectionsToEvil, services.accounts.all.length], [0, 0, 0]);
  });

  it('sends nothing for an account that was stored with such an address, and doesn’t ask for its key', async () => {
    for (const [path, fault] of [
      [`//${evilHost}`, 'path'],
      ['/?x', 'query'],
    ] as const) {
      const origin = server.url + path;
      const context = open([entry(origin)], [secret(origin)]);
      await services.refresher.refresh(id);
      assert.deepEqual(trouble(), { kind: 'badAddress', fault });
      await replaceKey(context, [{ accountId: id }]);
      assert.equal(asked.length, 0);
      assert.match(
        messages.pop() ?? '',
        new RegExp(`nothing is sent to ${new URL(server.url).host}\\. .* Remove the account`),
      );
      services.dispose();
    }
    assert.deepEqual([server.requests.length, connectionsToEvil], [0, 0]);
  });

  it('says that a key isn’t found on this machine, and lists the account once it is entered', async () => {
    server.light(1);
    const context = open([entry(server.url)]);
    await services.refresher.refresh(id);
    assert.deepEqual(trouble(), { kind: 'noKey' });
    assert.equal(server.requests.length, 0);
    answers = ['wrong-key-0123'];
    await replaceKey(context, [{ accountId: id }]);
    assert.match(messages.pop() ?? '', /rejected the key/);
    assert.deepEqual(trouble(), { kind: 'noKey' });
    answers = [server.doorKey];
    await replaceKey(context, [{ accountId: id }]);
    assert.equal(asked.at(-1)?.title, 'Enter Key for Made Up · home');
    assert.match(asked.at(-1)?.prompt ?? '', new RegExp(`sent only to ${new URL(server.url).host}`));
    assert.equal(trouble(), undefined);
    assert.equal(services.store.state(id)?.contents.sessions.size, 1);
    const { origin, credentials } = secret(server.url);
    assert.deepEqual(await services.accounts.open(id), { origin, credentials, further: [] });
  });

  it('asks for all fields when a key is missing, and for the key alone when it is replaced', async () => {
    const kind: ProviderKind = {
      ...exampleProvider,
      fields: [
        ...exampleProvider.fields,
        {
          id: 'services',
          label: 'TestServices',
          prompt: 'Its name',
          kind: 'text',
          required: false,
          asked: 'withAddress',
          environment: [],
        },
      ],
    };
    let context = open([entry(server.url)], [], [kind]);
    answers = [server.doorKey, 'mine'];
    await replaceKey(context, [{ accountId: id }]);
    assert.deepEqual((await services.accounts.open(id))?.credentials, { doorKey: server.doorKey, services: 'mine' });
    services.dispose();
    context = open(
      [entry(server.url)],
      [{ ...secret(server.url), credentials: { doorKey: 'old', services: 'mine' } }],
      [kind],
    );
    answers = [server.doorKey, 'asked too often'];
    await replaceKey(context, [{ accountId: id }]);
    assert.equal(asked.at(-1)?.title, 'Replace Key for Made Up · home');
    assert.deepEqual((await services.accounts.open(id))?.credentials, { doorKey: server.doorKey, services: 'mine' });
  });

  it('needs no key for an account that has none', async () => {
    const kind: ProviderKind = { ...exampleProvider, fields: [] };
    open([entry(server.url)], [], [kind]);
    await services.refresher.refresh(id);
    assert.equal(trouble()?.kind, 'unauthorized', 'the server was asked');
  });

  it('names who receives a key: each host, with the path if an address has one', async () => {
    const [field = assert.fail()] = exampleProvider.fields;
    const kind: ProviderKind = {
      ...exampleProvider,
      furtherAddresses: () =>
        ['https://a.example//evil.example', 'https://b.example/team', 'http://c.example'].map((one) => new URL(one)),
    };
    open([], [], [kind]);
    await services.kinds.load();
    for (const [origin, receivers] of [
      ['https://grid.example', 'grid.example and b.example/team'],
      ['https://grid.example/base', 'grid.example/base and b.example/team'],
      ['http://127.0.0.1:9222', '127.0.0.1:9222 and b.example/team'],
      ['https://grid。example', 'grid.example and b.example/team'],
    ] as const) {
      const { prompt } = fieldRequest(services.kinds, kind, field, '', origin, {});
      assert.ok(prompt.endsWith(`sent only to ${receivers}.`), prompt);
    }
  });
});
