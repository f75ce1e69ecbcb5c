import { strict as assert } from 'node:assert';
import { accountId } from '../../../src/core/ids.ts';
import { troubleOf } from '../../../src/services/sessions/sessionsView.ts';
import { type KnownAccountParts, renameAccount, replaceKey } from '../../../src/ui/commands/accounts.ts';
import { addAccount } from '../../../src/ui/commands/addAccount.ts';
import { removeWithKey } from '../../../src/ui/commands/saveKey.ts';
import type { Answer, AskRequest, Question } from '../../../src/ui/prompts.ts';
import { troubleSentence } from '../../../src/ui/text/troubles.ts';
import { type ExampleServer, startExample } from '../../servers/example.ts';
import { exampleProvider } from '../providers/exampleProvider.ts';
import { MapMemory, MemorySecretStore, TestServices } from '../services/testServices.ts';

/** A keychain that fails as VS Code's does without a keyring, or keeps nothing, until it's repaired. */
class BrokenSecretStore extends MemorySecretStore {
  fault: 'throws' | 'keepsNothing' | undefined = 'throws';
  override async get(key: string) {
    this.#check();
    return super.get(key);
  }
  override async store(key: string, value: string) {
    this.#check();
    if (this.fault !== 'keepsNothing') await super.store(key, value);
  }
  override async delete(key: string) {
    this.#check();
    await super.delete(key);
  }
  #check(): void {
    if (this.fault === 'throws') throw new Error('The name org.freedesktop.secrets was not provided [x](command:y)');
  }
}

const window = 'Use for This Window Only';

describe('saving a key when the keychain fails', () => {
  let server: ExampleServer;
  let secretStore: BrokenSecretStore;
  let memory: MapMemory;
  let services: TestServices;
  let parts: KnownAccountParts;
  let questions: Question[];
  let messages: string[];
  /** What the user chooses, or does before choosing. */
  let chosen: (string | (() => string))[];
  let typed: string[];

  beforeEach(async () => {
    server = await startExample();
    server.light(1);
    [questions, messages, chosen, typed] = [[], [], [], []];
    secretStore = new BrokenSecretStore();
    memory = new MapMemory();
    services = open();
    parts = partsOf(services);
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  function open(): TestServices {
    return new TestServices({ secretStore, memory, kinds: [exampleProvider] });
  }

  function partsOf(its: TestServices): KnownAccountParts {
    const prompts = {
      confirm: async (question: Question) => {
        questions.push(question);
        const choice = chosen.shift();
        return typeof choice === 'function' ? choice() : choice;
      },
      ask: async (request: AskRequest): Promise<Answer<string>> => {
        const value = typed.shift() ?? assert.fail(`nothing to type for ${request.title}`);
        const wrong = await request.refuse(value, AbortSignal.timeout(5_000));
        if (wrong !== undefined) messages.push(wrong);
        return wrong === undefined ? { kind: 'answer', value } : { kind: 'left' };
      },
      tell: async (_level: string, message: string) => void messages.push(message),
    };
    return { ...its, prompts } as unknown as KnownAccountParts;
  }

  const add = async () => {
    const fields = { doorKey: server.doorKey };
    const id = await addAccount(parts, [{ provider: 'exampleProvider', origin: server.url, label: 'home', fields }]);
    return id === undefined ? undefined : accountId(id);
  };
  const written = () => JSON.stringify([...memory.values, ...secretStore.values, ...services.log.lines]);

  it('shows the system’s message and what to do, and saves nothing if the user cancels', async () => {
    for (const fault of ['throws', 'keepsNothing'] as const) {
      secretStore.fault = fault;
      assert.equal(await add(), undefined);
      const question = questions.pop();
      assert.equal(question?.message, "Couldn't save the key in the system keychain");
      assert.match(question?.detail ?? '', /GNOME Keyring or KWallet.*\n\n.*never written to disk/s);
      assert.doesNotMatch(question?.detail ?? '', /\]\(/);
      assert.deepEqual(services.accounts.all, []);
      assert.ok(!written().includes(server.doorKey));
    }
  });

  it('tries again after the user has unlocked the keyring', async () => {
    const repair = () => {
      secretStore.fault = undefined;
      return 'Try Again';
    };
    chosen = ['Try Again', repair];
    const id = await add();
    assert.equal(questions.length, 2);
    assert.ok(id);
    assert.equal(services.accounts.isForThisWindow(id), false);
    assert.equal(secretStore.values.size, 1);
  });

  it('lists the account with a key for this window only, which a restart doesn’t find and Enter Key saves', async () => {
    chosen = [window];
    const id = (await add()) ?? assert.fail('not added');
    assert.equal(services.store.state(id)?.contents.sessions.size, 1);
    assert.equal(services.accounts.isForThisWindow(id), true);
    assert.ok(!written().includes(server.doorKey), 'the key was written');
    services.dispose();

    secretStore.fault = undefined;
    services = open();
    parts = partsOf(services);
    await services.refresher.refresh(id);
    const state = services.store.state(id);
    const error = state && troubleOf(state);
    assert.match(error ? troubleSentence(error, 'host') : '', /^Key not found on this machine\. Enter the key/);
    typed = [server.doorKey];
    await replaceKey(parts, [{ accountId: id }]);
    assert.equal(services.store.state(id)?.contents.sessions.size, 1);
    assert.equal(secretStore.values.size, 1);
    assert.deepEqual(questions.length, 1);
  });

  it('offers the same when a key is replaced or entered, and keeps the old key if the user cancels', async () => {
    chosen = [window];
    const id = (await add()) ?? assert.fail('not added');
    typed = [server.doorKey];
    await replaceKey(parts, [{ accountId: id }]);
    assert.equal(questions.length, 2);
    assert.equal((await services.accounts.open(id))?.credentials['doorKey'], server.doorKey);
    chosen = [window];
    typed = [server.doorKey];
    await replaceKey(parts, [{ accountId: id }]);
    assert.equal(services.accounts.isForThisWindow(id), true);
    assert.ok(!written().includes(server.doorKey), 'the key was written');
  });

  it('says so when an account can’t be renamed, and asks whether to remove one whose key can’t be deleted', async () => {
    secretStore.fault = undefined;
    const id = (await add()) ?? assert.fail('not added');
    secretStore.fault = 'throws';
    typed = ['other'];
    await renameAccount(parts, [{ accountId: id }]);
    assert.match(messages.pop() ?? '', /^Couldn't use the system keychain: The name org/);
    assert.equal(services.accounts.get(id)?.label, 'home');
    await removeWithKey(parts, id, 'home');
    assert.match(questions.pop()?.message ?? '', /^Couldn't delete the key of "home"/);
    assert.equal(services.accounts.all.length, 1);
    chosen = ['Remove Anyway'];
    await removeWithKey(parts, id, 'home');
    assert.equal(services.accounts.all.length, 0);
  });
});
