import { strict as assert } from 'node:assert';
import type { AccountId } from '../../../../src/core/ids.ts';
import type { Link, ProviderKind } from '../../../../src/core/provider.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import { furtherOf } from '../../../../src/services/accounts/connect.ts';
import { troubleSentence } from '../../../../src/ui/text/troubles.ts';
import { type MadeUpServer, startMadeUp } from '../../../servers/example.ts';
import { madeUp } from '../../providers/exampleProvider.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';
import { House, MapMemory, MemoryVault } from '../testServices.ts';

describe('further addresses of an account', () => {
  let own: MadeUpServer;
  let told: MadeUpServer;
  let other: MadeUpServer;
  let houses: House[];
  let vault: MemoryVault;

  before(async () => {
    [own, told, other] = await Promise.all([startMadeUp(), startMadeUp(), startMadeUp()]);
  });
  after(() => Promise.all([own.stop(), told.stop(), other.stop()]));
  beforeEach(() => {
    houses = [];
    vault = new MemoryVault();
  });
  afterEach(() => {
    for (const house of houses) house.dispose();
  });

  /** A vendor whose key may also go to these servers, and the links that it was given. */
  function leadingTo(...further: readonly MadeUpServer[]): { readonly kind: ProviderKind; readonly links: Link[] } {
    const links: Link[] = [];
    const kind: ProviderKind = {
      ...madeUp,
      furtherAddresses: () => further.map(({ url }) => new URL(url)),
      connect: (link) => {
        links.push(link);
        return madeUp.connect(link);
      },
    };
    return { kind, links };
  }

  function open(builtIn: readonly ProviderKind[] = [], memory = new MapMemory()): House {
    const house = new House({ vault, memory, kinds: builtIn });
    houses.push(house);
    return house;
  }

  /** Registers a vendor as another extension does, and allows it to have its keys. */
  async function register(house: House, raw: ProviderKind) {
    const registration = house.register(raw);
    const kind = house.kinds.get(raw.id);
    assert.ok(kind);
    await house.kinds.allow(kind);
    return registration;
  }

  const newAccount = () => ({
    provider: 'madeUp',
    label: 'home',
    origin: own.url,
    credentials: { doorKey: own.doorKey },
  });
  const saved = (id: AccountId): unknown => JSON.parse(vault.values.get(`browserSessions.account.${id}`) ?? '').further;

  /** Sends the key to a server, as an adapter would. */
  async function send(links: readonly Link[], { url }: MadeUpServer): Promise<void> {
    const link = links.at(-1);
    assert.ok(link);
    const headers = { 'door-key': link.credentials['doorKey'] ?? '' };
    const query = { page: 1 };
    await link.httpTo(new URL(url)).send({ method: 'GET', route: '/rooms', query, headers }, unaborted);
  }

  async function isRefused(links: readonly Link[], server: MadeUpServer): Promise<void> {
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

  it('are those that were told when the key was saved, whoever registers the vendor’s id later', async () => {
    const house = open();
    const first = leadingTo(told);
    const registration = await register(house, first.kind);
    const further = furtherOf(first.kind, own.url, newAccount().credentials);
    const id = await house.accounts.add({ ...newAccount(), further });
    await house.connections.open(id);
    await send(first.links, told);
    registration.dispose();
    const second = leadingTo(told, other);
    await register(house, second.kind);
    await house.connections.open(id);
    await send(second.links, told);
    await isRefused(second.links, other);
  });

  it('are others once the key was saved anew, though it is the same key', async () => {
    const house = open();
    const { kind, links } = leadingTo(told, other);
    await register(house, kind);
    const id = await house.accounts.add({ ...newAccount(), further: furtherOf(leadingTo(told).kind, own.url, {}) });
    await house.connections.open(id);
    await isRefused(links, other);
    const { credentials } = newAccount();
    await house.accounts.replaceCredentials(id, credentials, furtherOf(kind, own.url, credentials));
    await house.connections.open(id);
    await send(links, other);
  });

  it('are none where a key was saved without them for a vendor that another extension added', async () => {
    const house = open();
    const { kind, links } = leadingTo(told);
    await register(house, kind);
    const id = await house.accounts.add(newAccount());
    await house.connections.open(id);
    await isRefused(links, told);
  });

  it('are derived once where a key was saved without them for a vendor of this extension', async () => {
    const first = leadingTo(told);
    const house = open([first.kind]);
    const id = await house.accounts.add(newAccount());
    const changes: string[] = [];
    house.accounts.onDidChange(({ kind }) => changes.push(kind));
    await house.connections.open(id);
    await send(first.links, told);
    await until(() => saved(id) !== undefined);
    assert.deepEqual(saved(id), [`${told.url}/`]);
    assert.deepEqual(changes, [], 'what is open stays open');
    // A later version of this extension knows of another host.
    const second = leadingTo(told, other);
    await open([second.kind], house.memory).connections.open(id);
    await send(second.links, told);
    await isRefused(second.links, other);
  });
});
