import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CredentialField, ProviderKind } from '../../../src/core/provider.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import { formatAddress } from '../../../src/core/typedAddress.ts';
import { providerKinds } from '../../../src/providers/index.ts';
import { labelFault } from '../../../src/ui/commands/accountNamePrompt.ts';
import { type KnownAccountParts, renameAccount, replaceKey } from '../../../src/ui/commands/accounts.ts';
import { addAccount } from '../../../src/ui/commands/addAccount.ts';
import {
  checkInTime,
  fieldFault,
  fieldRequest,
  fieldValue,
  keyPageButton,
} from '../../../src/ui/commands/credentials.ts';
import type { Answer, AskRequest, PickRequest, Prompts } from '../../../src/ui/prompts.ts';
import { type AnchorServer, startAnchor } from '../../servers/anchor.ts';
import { type ExampleServer, startExample } from '../../servers/example.ts';
import { exampleProvider } from '../providers/exampleProvider.ts';
import { acme, TestServices } from '../services/testServices.ts';
import { connect } from '../testNetwork.ts';

/** What a user does at a question: types something, presses a button, or leaves. */
type Step = string | { readonly press: 'back' | 'button' | 'anyway' } | 'Escape';

const field = (kind: ProviderKind | undefined): CredentialField => kind?.fields[0] ?? assert.fail();
const kindOf = (id: string) => providerKinds.find((kind) => kind.id === id) ?? assert.fail();

describe('a pasted key', () => {
  const anchor = field(kindOf('anchor'));
  const gateway = field(kindOf('gateway'));

  it('is taken out of what it was copied with', () => {
    for (const pasted of [
      'sk-1',
      '  sk-1\n',
      '"sk-1"',
      "'sk-1'",
      '`sk-1`',
      '\u201csk-1\u201d',
      '"sk-1",',
      'ANCHOR_API_KEY=sk-1',
      'export ANCHOR_API_KEY="sk-1"',
      "$env:ANCHOR_API_KEY = 'sk-1'",
      'Bearer sk-1',
      'bearer  sk-1',
      'Authorization: Bearer sk-1',
      '"Bearer sk-1"',
      'KEY="Bearer sk-1"',
      '\u200bsk\u00ad-1\ufeff',
    ]) {
      assert.equal(fieldValue(anchor, pasted), 'sk-1', pasted);
      assert.equal(fieldFault(anchor, pasted), undefined, pasted);
    }
  });

  it('stays as it is where that could be part of it', () => {
    for (const key of ['sk-1=', 'ABCDEF==', 'KEY=', 'a"b', 'BearerX', 'sk_KEY=1'])
      assert.equal(fieldValue(anchor, key), key);
    assert.equal(fieldValue(gateway, 'AUTH="Bearer sk-1"'), 'Bearer sk-1');
  });

  it('is missing if nothing is left of it', () => {
    for (const pasted of ['', '  ', '""', '\u200b', 'Bearer ""'])
      assert.equal(fieldFault(anchor, pasted), 'API key is required.', pasted);
  });
});

describe('checking a key', () => {
  it('says that the server didn’t respond in time, rather than that the request was canceled', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { provider } = connect(exampleProvider, `http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const trouble = (kind: string) => (error: unknown) => ProviderError.isOf(error, kind as 'timedOut');
    await assert.rejects(checkInTime(provider, undefined, 50), trouble('timedOut'));
    const stop = new AbortController();
    const checking = checkInTime(provider, stop.signal, 10_000);
    stop.abort();
    await assert.rejects(checking, trouble('canceled'));
    silent.closeAllConnections();
    silent.close();
  });
});

describe('the page where a key is created', () => {
  it('is at the provider, over https, and not offered for a server of the user’s own', () => {
    const pages = providerKinds.flatMap(({ id, keyPage }) => (keyPage === undefined ? [] : [[id, new URL(keyPage)]]));
    assert.deepEqual(
      pages.map(([id, url]) => [id, formatAddress(url as URL)]),
      [
        ['anchor', 'https://app.anchorbrowser.io/api-keys'],
        ['browserbase', 'https://www.browserbase.com/settings'],
        ['browserless', 'https://browserless.io/account'],
      ].map(([id, url]) => [id, id === 'browserless' ? `${url}/` : url]),
    );
    const browserless = kindOf('browserless');
    assert.ok(keyPageButton(browserless, 'https://production-sfo.browserless.io'));
    assert.equal(keyPageButton(browserless, 'http://127.0.0.1:3000'), undefined);
    assert.equal(keyPageButton(browserless, 'https://evilbrowserless.io'), undefined);
    assert.equal(keyPageButton(kindOf('localChrome')), undefined);
  });
});

describe('adding an account', () => {
  let anchor: AnchorServer;
  let server: ExampleServer;
  let services: TestServices;
  let steps: Step[];
  let asked: AskRequest[];
  let picked: PickRequest<unknown>[];
  let messages: string[];
  /** Providers to pick; none leaves. */
  let providers: string[];
  let parts: KnownAccountParts;

  beforeEach(async () => {
    [anchor, server] = await Promise.all([startAnchor(), startExample()]);
    services = new TestServices({ kinds: [...providerKinds, exampleProvider] });
    [steps, asked, picked, messages, providers] = [[], [], [], [], []];
    const prompts: Pick<Prompts, 'ask' | 'pick' | 'tell' | 'confirm'> = {
      pick: async <T>(request: PickRequest<T>): Promise<Answer<T>> => {
        picked.push(request);
        const provider = providers.shift();
        const choice = request.choices.find(({ value }) => (value as ProviderKind).id === provider);
        return choice === undefined ? { kind: 'left' } : { kind: 'answer', value: choice.value };
      },
      ask: async (request) => {
        asked.push(request);
        for (;;) {
          const step = steps.shift();
          if (step === undefined || step === 'Escape') return { kind: 'left' };
          if (typeof step === 'object' && step.press !== 'anyway') return { kind: step.press };
          if (typeof step === 'object') assert.fail('nothing was refused');
          const wrong = await request.refuse(step, AbortSignal.any([]));
          if (wrong === undefined) return { kind: 'answer', value: step };
          messages.push(wrong);
          const [next] = steps;
          if (typeof next === 'object' && next.press === 'anyway') {
            assert.equal(request.acceptAnyway?.(), 'Save Anyway');
            steps.shift();
            return { kind: 'answer', value: step };
          }
          messages.push(request.acceptAnyway?.() ?? 'must be corrected');
        }
      },
      tell: async (_level, message) => void messages.push(message),
      confirm: async ({ choices }) => choices[0],
    };
    parts = { ...services, prompts, clock: { now: Date.now } } as unknown as KnownAccountParts;
  });
  afterEach(async () => {
    services.dispose();
    await Promise.all([anchor.stop(), server.stop()]);
  });

  const numbers = () => asked.map(({ step }) => step && `${step.number}/${step.of}`);

  it('numbers its steps from the list of providers on, as many as the highlighted provider needs', async () => {
    await services.kinds.load();
    providers = ['anchor'];
    await addAccount(parts, []);
    const [request = assert.fail()] = picked;
    assert.deepEqual(request.step, { number: 1, of: 3, back: false });
    const counts = request.choices.map(({ value }) => [(value as ProviderKind).id, request.stepsWith?.(value)]);
    assert.deepEqual(counts, [
      ['anchor', 3],
      ['browserbase', 3],
      ['browserless', 4],
      ['gateway', 4],
      ['localChrome', 3],
      ['exampleProvider', 4],
    ]);
    assert.deepEqual(numbers(), ['2/3']);
    assert.equal(asked[0]?.step?.back, true);
  });

  it('says in one line for each provider what it is and what you need, and links to where a key is created', async () => {
    await addAccount(parts, []);
    const lines = picked[0]?.choices.map(({ label, detail, icon }) => [label, detail, icon]);
    assert.deepEqual(lines?.slice(0, 5), [
      ['Anchor Browser', "Browsers in Anchor's cloud. You'll need: API key", 'cloud'],
      ['Browserbase', "Browsers in Browserbase's cloud. You'll need: API key", 'cloud'],
      ['Browserless', "Browserless, self-hosted or in the cloud. You'll need: address and Token (optional)", 'server'],
      [
        'Session Gateway',
        "Sessions from a gateway you run. You'll need: address and Authorization (optional)",
        'server-environment',
      ],
      ['Local Chrome', "Chrome, Edge, or Chromium on this machine. You'll need: address", 'device-desktop'],
    ]);
    const buttons = picked[0]?.buttonsOf?.(kindOf('anchor'));
    assert.deepEqual(
      buttons?.map(({ tooltip }) => tooltip),
      ['Get a Key at app.anchorbrowser.io'],
    );
  });

  it('goes back from each step to the one before, up to the providers, and keeps what was entered', async () => {
    providers = ['anchor', 'anchor', 'exampleProvider'];
    steps = [
      { press: 'button' },
      anchor.url,
      { press: 'back' },
      { press: 'back' },
      `localhost:${anchor.port}`,
      anchor.key,
      { press: 'back' },
      { press: 'back' },
      { press: 'back' },
      'Escape',
    ];
    await addAccount(parts, []);
    assert.deepEqual(numbers(), ['2/3', '2/4', '3/4', '2/4', '2/4', '3/4', '4/4', '3/4', '2/4', '2/4']);
    assert.deepEqual(
      picked.map(({ isActive }) => providerKinds.find((kind) => isActive?.(kind))?.id),
      ['anchor', 'anchor', 'anchor'],
    );
    assert.equal(asked.at(-2)?.value, `http://localhost:${anchor.port}`);
    assert.equal(asked.at(-1)?.title, 'Add Account: Made Up');
    assert.deepEqual(services.accounts.all, []);
  });

  it('understands an address without a scheme, and shows the address that receives the key', async () => {
    providers = ['exampleProvider'];
    steps = [`localhost:${server.port}`, server.doorKey, 'home'];
    const id = await addAccount(parts, []);
    const preview = asked[0]?.preview;
    assert.equal(preview?.(`localhost:${server.port}`), `The address is http://localhost:${server.port}`);
    assert.equal(preview?.('grid.example'), 'The address is https://grid.example');
    assert.equal(preview?.(server.url), undefined);
    assert.equal(preview?.('nonsense'), undefined);
    assert.ok(asked[1]?.prompt.endsWith(`sent only to localhost:${server.port}.`), asked[1]?.prompt);
    const [account] = services.accounts.all;
    assert.deepEqual(account, {
      id,
      provider: 'exampleProvider',
      label: 'home',
      origin: `http://localhost:${server.port}`,
    });
    assert.ok(server.requests.length > 0);
  });

  it('can be saved anyway where no server answers', async () => {
    const { port } = server;
    await server.stop();
    providers = ['exampleProvider'];
    steps = [`:${port}`, server.doorKey, { press: 'anyway' }, 'home'];
    const id = await addAccount(parts, []);
    assert.match(messages[0] ?? '', new RegExp(`Couldn't connect to 127\\.0\\.0\\.1:${port}`));
    assert.equal(services.accounts.all[0]?.id, id);
    assert.equal(
      (await services.accounts.open(services.accounts.all[0]?.id ?? assert.fail()))?.credentials['doorKey'],
      server.doorKey,
    );
    server = await startExample();
  });

  it('can’t be saved anyway where the key is rejected, or the answer isn’t the provider’s', async () => {
    const other = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    providers = ['exampleProvider'];
    steps = [server.url, 'wrong-key-0123', 'Escape'];
    await addAccount(parts, []);
    assert.equal(messages.at(-1), 'must be corrected');
    assert.match(messages.at(-2) ?? '', /rejected the key/);
    providers = ['exampleProvider'];
    steps = [`http://127.0.0.1:${(other.address() as AddressInfo).port}`, server.doorKey, 'Escape'];
    await addAccount(parts, []);
    assert.equal(messages.at(-1), 'must be corrected');
    other.close();
    other.closeAllConnections();
    assert.deepEqual(services.accounts.all, []);
  });

  it('reports a key that was already added, even when another account’s key is replaced', async () => {
    const add = (label: string, key: string) => {
      providers = ['exampleProvider'];
      steps = [server.url, key, label];
      return addAccount(parts, []);
    };
    assert.ok(await add('home', server.doorKey));
    assert.equal(await add('again', `Bearer "${server.doorKey}"`), undefined);
    assert.equal(messages.shift(), 'You already added this account as "home".');
    messages.length = 0;
    const before = server.requests.length;
    const second = await services.accounts.add({
      provider: 'exampleProvider',
      label: 'second',
      origin: server.url,
      credentials: { doorKey: 'another-key-0123' },
    });
    steps = [server.doorKey];
    await replaceKey(parts, [{ accountId: second }]);
    assert.match(messages[0] ?? '', /You already added this account as "home"/);
    assert.equal(server.requests.length, before);
    assert.equal((await services.accounts.open(second))?.credentials['doorKey'], 'another-key-0123');
  });

  it('sends and saves no key, and stops asking, when it is canceled while the key is checked', async () => {
    let reached = () => {};
    const arrived = new Promise<void>((resolve) => (reached = resolve));
    const hanging = createServer(() => reached()).listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const stop = new AbortController();
    providers = ['exampleProvider'];
    const asks = parts.prompts.ask;
    Object.assign(parts.prompts, {
      ask: async (request: AskRequest) => {
        if (!request.secret) return asks(request);
        const checking = request.refuse(server.doorKey, stop.signal);
        await arrived;
        stop.abort();
        assert.match((await checking) ?? '', /was canceled/);
        return { kind: 'left' };
      },
    });
    steps = [`:${(hanging.address() as AddressInfo).port}`];
    assert.equal(await addAccount(parts, []), undefined);
    assert.deepEqual(services.accounts.all, []);
    assert.equal(services.secretStore.values.size, 0);
    hanging.closeAllConnections();
    hanging.close();
  });

  it('names the extension that gets a key instead of a host, for a provider that isn’t built in', async () => {
    await services.kinds.load();
    const raw = {
      id: 'acmeGrid',
      label: 'Acme Grid',
      summary: 'Acme’s browsers [x](command:y)',
      keyPage: 'https://acme.example/keys',
      address: { preset: server.url },
      fields: [{ id: 'token', label: 'Token', prompt: 'The token', kind: 'secret' }],
      wording: { ending: 'It closes.' },
      connect: () => ({}),
    };
    const registration = services.register(raw);
    const kind = services.kinds.get('acmeGrid') ?? assert.fail();
    const prompt = () => fieldRequest(services.kinds, kind, field(kind), '', server.url, {}).prompt;
    assert.equal(
      prompt(),
      `The token. Stored in the system keychain and given to the extension "${acme.name}" (${acme.id}), which can send it anywhere.`,
    );
    assert.equal(kind.summary, 'Acme’s browsers [x] (command:y)');
    assert.equal(fieldValue(field(kind), 'Bearer x'), 'Bearer x');
    registration.dispose();
    assert.match(prompt(), /given to the extension that adds this provider\.$/);
    assert.throws(() => services.register({ ...raw, keyPage: 'command:x' }), /keyPage: Expected an https address/);
  });

  it('gives accounts names that are distinguishable and can’t deceive', async () => {
    const id = await services.accounts.add({ provider: 'anchor', label: 'prod', origin: anchor.url, credentials: {} });
    await services.accounts.add({ provider: 'anchor', label: 'Staging', origin: anchor.url, credentials: {} });
    await services.accounts.add({ provider: 'gateway', label: 'mine', origin: anchor.url, credentials: {} });
    for (const [typed, fault] of [
      ['', 'Enter a name.'],
      [' \u202e\u200b ', 'Enter a name.'],
      ['a'.repeat(10_000), 'Enter a name of at most 60 characters.'],
      ['\u{1f600}'.repeat(61), 'Enter a name of at most 60 characters.'],
      [' staging\u200b', 'Another account of this provider is named "Staging".'],
      ['prod', undefined],
      ['mine', undefined],
      ['\u{1f600}'.repeat(60), undefined],
    ] as const) {
      assert.equal(labelFault(services, 'anchor', typed, id), fault, typed.slice(0, 20));
    }
    for (const [typed, label] of [
      ['$(trash) \u202etxt [x](command:y)', '$ (trash) txt [x] (command:y)'],
      ['two\nlines', 'two lines'],
    ] as const) {
      steps = [typed];
      await renameAccount(parts, [{ accountId: id }]);
      assert.equal(asked.at(-1)?.preview?.(typed), `It will be shown as "${label}".`);
      assert.equal(services.accounts.get(id)?.label, label);
    }
    assert.equal(asked.at(-1)?.preview?.('plain'), undefined);
  });

  afterEach(() => {
    const shown = JSON.stringify([
      messages,
      // A hidden value is shown as dots.
      asked.map(({ secret, value, ...request }) => (secret ? request : { ...request, value })),
      services.log.lines,
      [...services.memory.values],
      services.accounts.all,
    ]);
    assert.ok(!shown.includes(server.doorKey.slice(0, 12)) && !shown.includes(anchor.key), 'a key was shown or logged');
  });
});
