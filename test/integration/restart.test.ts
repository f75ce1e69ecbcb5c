import { strict as assert } from 'node:assert';
import type { PublicEndReport } from '../../src/ui/commands/endReports.ts';
import { startAnchor } from '../servers/anchor.ts';
import { command, exportedEnds, extension, removeAllAccounts, User, until } from './inside.ts';

describe('the extension before a restart', () => {
  it('stores what has ended', async () => {
    const api = await extension();
    await removeAllAccounts(api);
    const server = await startAnchor();
    const user = new User();
    user.answersConfirm = ({ choices }) => choices[0];
    api.testing.prompts = user;
    for (const name of ['a', 'b', 'c']) server.add({ id: `sess_${name}`, domains: [`${name}.example`] });
    const fields = { apiKey: server.key };
    const id = await command<string>('addAccount', { provider: 'anchor', label: 'gone', origin: server.url, fields });
    await command('clearEnded');
    assert.equal((await command<PublicEndReport>('endSession', { accountId: id, sessionId: 'sess_a' })).ended, 1);
    // It is confirmed gone once the provider has said twice that it doesn't know it, with a list in between.
    server.sessions.delete('sess_b');
    await api.refresh();
    await until(() => api.sessions(id).every((session) => session.id !== 'sess_b'));
    const ended = await exportedEnds();
    assert.deepEqual(
      ended.map(({ sessionId, name, by, account }) => [sessionId, name, by, account]),
      [
        ['sess_b', 'b.example', 'elsewhere', 'gone'],
        ['sess_a', 'a.example', 'you', 'gone'],
      ],
    );
    await api.testing.context.globalState.update('endedBeforeRestart', ended);
    await server.stop();
  });

  it('stores an account', async () => {
    const api = await extension();
    await removeAllAccounts(api);
    api.testing.prompts = new User();
    const server = await startAnchor();
    const fields = { apiKey: server.key };
    await command('addAccount', { provider: 'anchor', label: 'kept', origin: server.url, fields });
    assert.equal(api.accounts.length, 1);
    await server.stop();
    // VS Code stores its state a moment later, and this is the last test: the window closes after it.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  });
});
