import { strict as assert } from 'node:assert';
import { AnchorServer } from '../servers/anchor.ts';
import { command, exportedEnds, extension, removeAllAccounts, User } from './inside.ts';

describe('the extension after a restart', () => {
  it('still shows what had ended, though its account was removed', async () => {
    const { globalState } = (await extension()).testing.context;
    const before = globalState.get<object[]>('endedBeforeRestart');
    assert.equal(before?.length, 2);
    assert.deepEqual(await exportedEnds(), before);
  });

  it('still has the account and its key', async () => {
    const api = await extension();
    const [account] = api.accounts;
    assert.ok(account);
    assert.deepEqual([account.label, account.provider, account.state], ['kept', 'anchor', 'disconnected']);
    const server = await new AnchorServer().start(Number(new URL(account.origin).port));
    server.add({ id: 'sess_a' });
    // The view was never open, so nothing was requested yet: the command takes care of that itself.
    assert.equal(server.requests.length, 0);
    const user = new User();
    api.testing.prompts = user;
    await command('endAllSessions');
    assert.match(user.questions[0]?.message ?? '', /End the only running session\?/);
    assert.equal(server.requests[0]?.headers['anchor-api-key'], server.key);
    assert.deepEqual(
      api.sessions().map(({ id }) => id),
      ['sess_a'],
    );
    await removeAllAccounts(api);
    await server.stop();
  });
});
