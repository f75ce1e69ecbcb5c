import { strict as assert } from 'node:assert';
import type { AccountId } from '../../../../src/core/ids.ts';
import type { Link, ProviderKind } from '../../../../src/core/provider.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import { furtherOf } from '../../../../src/services/accounts/connect.ts';
import { troubleSentence } from '../../../../src/ui/text/troubles.ts';
import { type ExampleServer, startExample } from '../../../servers/example.ts';
import { exampleProvider } from '../../providers/exampleProvider.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';
import { MapMemory, MemorySecretStore, TestServices } from '../testServices.ts';

describe('further addresses of an account', () => {
  let own: ExampleServer;
  let shown: ExampleServer;
  let other: ExampleServer;
  let opened: TestServices[];
  let secretStore: MemorySecretStore;

  before(async () => {
    [own, shown, other] = await Promise.all([startExample(), startExample(), startExample()]);
  });
  after(() => Promise.all([own.stop(), shown.stop(), other.stop()]));
  beforeEach(() => {
    opened = [];
    secretStore = new MemorySecretStore();
  });
  afterEach(() => {
    for (const services of opened) services.dispose();
  });

  /** A provider whose key may also go to these servers, and the connections that it was given. */
  function leadingTo(...further: readonly ExampleServer[]): { readonly kind: ProviderKind; readonly links: Link[] } {
    const links: Link[] = [];
    const kind: ProviderKind = {
      ...exampleProvider,
      furtherAddresses: () => further.map(({ url }) => new URL(url)),
      connect: (link) => {
        links.push(link);
        return exampleProvider.connect(link);
      },
    };
    return { kind, links };
  }

  function open(builtIn: readonly ProviderKind[] = [], memory = new MapMemory()): TestServices {
    const services = new TestServices({ secretStore, memory, kinds: builtIn });
    opened.push(services);
    return services;
  }

  /** Registers a provider as another extension does, and allows it to receive its keys. */
  async function register(services: TestServices, raw: ProviderKind) {
    const registration = services.register(raw);
    const kind = services.kinds.get(raw.id);
    assert.ok(kind);
    await services.kinds.allow(kind);
    return registration;
  }

  const newAccount = () => ({
    provider: 'exampleProvider',
    label: 'home',
    origin: own.url,
    credentials: { doorKey: own.doorKey },
  });
  const saved = (id: AccountId): unknown =>
    JSON.parse(secretStore.values.get(`browserSessions.account.${id}`) ?? '').further;

  /** Sends the key to a server, as a provider would. */
  async function send(links: readonly Link[], { url }: ExampleServer): Promise<void> {
    const link = links.at(-1);
    assert.ok(link);
    const headers = { 'door-key': link.credentials['doorKey'] ?? '' };
    const query = { page: 1 };
    await link.httpTo(new URL(url)).send({ method: 'GET', route: '/rooms', query, headers }, unaborted);
  }

  async function isRefused(links: readonly Link[], server: ExampleServer): Promise<void> {
    const before = server.log().length;
    await assert.rejects(send(links, server), (error) => {
      assert.ok(ProviderError.is(error));
      assert.equal(
        troubleSentence(error, 'made.up'),
        `This account's key wasn't saved for ${new URL(server.url).host}, so it wasn't sent there. Save it again with Replace Key.`,
      );
      return true;
    });
    assert.equal(server.log().length, before);
  }

  it('are those shown when the key was saved, whoever registers the provider’s id later', async () => {
    const services = open();
    const first = leadingTo(shown);
    const registration = await register(services, first.kind);
    const further = furtherOf(first.kind, own.url, newAccount().credentials);
    const id = await services.accounts.add({ ...newAccount(), further });
    await services.connections.open(id);
    await send(first.links, shown);
    registration.dispose();
    const second = leadingTo(shown, other);
    await register(services, second.kind);
    await services.connections.open(id);
    await send(second.links, shown);
    await isRefused(second.links, other);
  });

  it('change when the key is saved again, even if it is the same key', async () => {
    const services = open();
    const { kind, links } = leadingTo(shown, other);
    await register(services, kind);
    const id = await services.accounts.add({ ...newAccount(), further: furtherOf(leadingTo(shown).kind, own.url, {}) });
    await services.connections.open(id);
    await isRefused(links, other);
    const { credentials } = newAccount();
    await services.accounts.replaceCredentials(id, credentials, furtherOf(kind, own.url, credentials));
    await services.connections.open(id);
    await send(links, other);
  });

  it('are empty when a key was saved without them for a provider that another extension added', async () => {
    const services = open();
    const { kind, links } = leadingTo(shown);
    await register(services, kind);
    const id = await services.accounts.add(newAccount());
    await services.connections.open(id);
    await isRefused(links, shown);
  });

  it('are derived once when a key was saved without them for a provider of this extension', async () => {
    const first = leadingTo(shown);
    const services = open([first.kind]);
    const id = await services.accounts.add(newAccount());
    const changes: string[] = [];
    services.accounts.onDidChange(({ kind }) => changes.push(kind));
    await services.connections.open(id);
    await send(first.links, shown);
    await until(() => saved(id) !== undefined);
    assert.deepEqual(saved(id), [`${shown.url}/`]);
    assert.deepEqual(changes, [], 'what is open stays open');
    // A later version of this extension knows another host.
    const second = leadingTo(shown, other);
    await open([second.kind], services.memory).connections.open(id);
    await send(second.links, shown);
    await isRefused(second.links, other);
  });
});
