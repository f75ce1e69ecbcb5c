import { strict as assert } from 'node:assert';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { thisMachine } from '../../../../src/local/thisMachine.ts';
import { type ImportParts, importKeys } from '../../../../src/ui/onboarding/importKeys.ts';
import type { Answer, Choice, PickRequest, Prompts, Question } from '../../../../src/ui/prompts.ts';
import { temporaryFolder } from '../../../host/processes.ts';
import { type BrowserbaseServer, startBrowserbase } from '../../../servers/browserbase.ts';
import { MemorySecretStore, TestServices } from '../../services/testServices.ts';

const key = 'bb_live_canary-0123456789wxyz';

class NoKeyring extends MemorySecretStore {
  override async store(): Promise<void> {
    throw new Error('no keyring');
  }
}

describe('importing keys from the environment', () => {
  let server: BrowserbaseServer;
  let services: TestServices;
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  let isTrusted: boolean;
  let picked: string[] | undefined;
  let buttons: string[];
  let offered: readonly Choice<unknown>[];
  let questions: Question[];
  let messages: string[];

  beforeEach(async () => {
    server = await startBrowserbase();
    services = new TestServices();
    folder = temporaryFolder('workspace');
    [environment, isTrusted, picked, buttons] = [{}, true, undefined, []];
    [offered, questions, messages] = [[], [], []];
  });
  afterEach(async () => {
    services.dispose();
    await server.stop();
  });

  /** A user who leaves what is selected, or selects `picked` by their variables, and presses `buttons` in turn. */
  function parts(): ImportParts {
    const prompts: Pick<Prompts, 'pickMany' | 'confirm' | 'tell' | 'busy' | 'ask'> = {
      async pickMany<T>({ choices }: PickRequest<T>): Promise<Answer<readonly T[]>> {
        offered = choices;
        const chosen = choices.filter((one) => picked?.includes(one.label) ?? one.picked === true);
        return { kind: 'answer', value: chosen.map(({ value }) => value) };
      },
      confirm: async (question) => {
        questions.push(question);
        return buttons.shift();
      },
      tell: async (_level, message) => void messages.push(message),
      busy: (_title, work) => work(() => {}),
      ask: async ({ refuse }) => {
        const typed = server.url;
        return (await refuse(typed)) === undefined ? { kind: 'answer', value: typed } : { kind: 'left' };
      },
    };
    return {
      ...services,
      kinds: services.kinds,
      prompts,
      environment,
      machine: async () => thisMachine,
      workspace: () => ({ isTrusted, folders: [{ name: 'project', path: folder }] }),
    } as unknown as ImportParts;
  }
  const write = (name: string, ...lines: readonly string[]) => writeFileSync(join(folder, name), lines.join('\r\n'));
  const labels = () => offered.map(({ label, description, heading }) => [label, description, heading]);

  it('shows names, the last four characters, the host and where each key comes from, and never more of a key', async () => {
    environment = { ANCHOR_API_KEY: 'sk-anchor-0123456789abcd', BROWSERLESS_TOKEN: 'short' };
    write('.env', '\ufeffBROWSERBASE_API_KEY="sk-base-0123456789efgh" # mine');
    picked = [];
    assert.deepEqual(await importKeys(parts()), []);
    assert.deepEqual(labels(), [
      ['ANCHOR_API_KEY', '••••abcd', "VS Code's environment"],
      ['BROWSERLESS_TOKEN', '••••', "VS Code's environment"],
      ['BROWSERBASE_API_KEY', '••••efgh', '.env'],
    ]);
    assert.deepEqual(
      offered.map(({ detail }) => detail),
      [
        'Anchor Browser: sent only to api.anchorbrowser.io',
        "Browserless: you'll be asked for the address",
        'Browserbase: sent only to api.browserbase.com, api.stagehand.browserbase.com, api.use1.stagehand.browserbase.com, api.euc1.stagehand.browserbase.com, and api.apse1.stagehand.browserbase.com',
      ],
    );
    const shown = JSON.stringify([offered.map(({ value: _, ...text }) => text), messages, questions]);
    assert.ok(!/sk-|0123456789|short/.test(shown), shown);
    assert.equal(services.accounts.all.length, 0);
  });

  it('doesn’t read the files of a workspace that isn’t trusted', async () => {
    isTrusted = false;
    write('.env', `BROWSERBASE_API_KEY=${key}`);
    assert.deepEqual(await importKeys(parts()), []);
    assert.deepEqual(offered, []);
    assert.match(messages[0] ?? '', /^No keys found\. Looked for .*You haven't trusted this workspace/);
  });

  it('says which files it didn’t read, and offers what it found elsewhere', async () => {
    symlinkSync('/etc/hostname', join(folder, '.env'));
    write('.env.big', 'x'.repeat(1_048_577));
    write('.env.local', `BROWSERBASE_API_KEY=${key}`);
    picked = [];
    await importKeys(parts());
    assert.equal(labels().length, 1);
    assert.deepEqual(messages, [
      ".env is a symbolic link, so it wasn't read. .env.big is larger than 128 KB, so it wasn't read.",
    ]);
  });

  it('offers to use a key for this window only if the keychain can’t save it', async () => {
    services.dispose();
    services = new TestServices({ secretStore: new NoKeyring() });
    write('.env', `BROWSERBASE_API_KEY=${server.key}`, `BROWSERBASE_BASE_URL=${server.url}`);
    picked = ['BROWSERBASE_API_KEY'];
    buttons = ['Save Key', 'Use for This Window Only'];
    const [id] = await importKeys(parts());
    assert.equal(questions[1]?.message, "Couldn't save the key in the system keychain");
    assert.equal(id !== undefined && services.accounts.isForThisWindow(id), true);
    assert.ok(!JSON.stringify([...services.memory.values]).includes(server.key));
  });

  it('doesn’t select a key for an address from a file, names the host in a dialog, and sends nothing until confirmed', async () => {
    write('.env', `BROWSERBASE_API_KEY=${server.key}`, `BROWSERBASE_BASE_URL=${server.url}`);
    await importKeys(parts());
    assert.deepEqual([offered[0]?.picked, questions.length], [false, 0]);
    picked = ['BROWSERBASE_API_KEY'];
    buttons = [];
    await importKeys(parts());
    assert.equal(server.requests.length, 0);
    assert.equal(services.accounts.all.length, 0);
    const host = new URL(server.url).host;
    assert.match(questions[0]?.message ?? '', new RegExp(`^Save BROWSERBASE_API_KEY for ${host}`));
    assert.match(
      questions[0]?.detail ?? '',
      /The address comes from BROWSERBASE_BASE_URL in \.env\. .* sent only to 127/,
    );

    buttons = ['Save Key'];
    const [id] = await importKeys(parts());
    assert.ok(id);
    assert.ok(server.requests.length > 0);
    const saved = await services.accounts.open(id);
    assert.deepEqual([saved?.origin, saved?.credentials['apiKey']], [server.url, server.key]);

    await importKeys({ ...parts() });
    assert.match(offered[0]?.detail ?? '', /already added as "Browserbase"/);
    assert.equal(offered[0]?.picked, false);
    assert.equal(services.accounts.all.length, 1);
  });

  it('names every host in a dialog where a key is sent to several', async () => {
    environment = { BROWSERBASE_API_KEY: key };
    assert.deepEqual(await importKeys(parts()), []);
    assert.equal(offered[0]?.picked, true);
    assert.equal(questions[0]?.message, 'Save BROWSERBASE_API_KEY for api.browserbase.com?');
    assert.match(questions[0]?.detail ?? '', /sent only to api\.browserbase\.com, api\.stagehand\..*, and api\.apse1/);
  });

  it('saves a key that can’t be checked only if the user confirms it; Skip continues with the next one, Cancel stops', async () => {
    environment = {};
    write('.env', `BROWSERBASE_API_KEY=${key}`, `BROWSERBASE_BASE_URL=${server.url}`);
    write('.env.other', `BROWSERBASE_API_KEY=${server.key}`, `BROWSERBASE_BASE_URL=${server.url}`);
    picked = ['BROWSERBASE_API_KEY'];
    buttons = ['Save Key'];
    assert.deepEqual(await importKeys(parts()), []);
    assert.match(questions[1]?.message ?? '', /Couldn't check BROWSERBASE_API_KEY\. Save it anyway\?/);
    assert.match(questions[1]?.detail ?? '', /rejected the key/);
    assert.equal(services.accounts.all.length, 0);

    buttons = ['Save Key', 'Skip', 'Save Key'];
    const [valid] = await importKeys(parts());
    assert.equal((await services.accounts.open(valid as never))?.credentials['apiKey'], server.key);

    picked = ['BROWSERBASE_API_KEY'];
    buttons = ['Save Key', 'Save Anyway', 'Save Key'];
    const added = await importKeys(parts());
    assert.equal(added.length, 1);
    assert.equal((await services.accounts.open(added[0] as never))?.credentials['apiKey'], key);
  });

  it('names the tools’ variables when it finds none', async () => {
    await importKeys(parts());
    assert.match(messages[0] ?? '', /^No keys found\. Looked for ANCHORBROWSER_API_KEY, .*BROWSERBASE_API_KEY/);
  });
});
