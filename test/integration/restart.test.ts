import { strict as assert } from 'node:assert';
import { startAnchor } from '../servers/anchor.ts';
import { command, extension, Person, removeAllAccounts } from './inside.ts';

describe('before a restart', () => {
  it('leaves an account behind', async () => {
    const api = await extension();
    await removeAllAccounts(api);
    api.testing.prompts = new Person();
    const server = await startAnchor();
    const fields = { apiKey: server.key };
    await command('addAccount', { provider: 'anchor', label: 'kept', origin: server.url, fields });
    assert.equal(api.accounts.length, 1);
    await server.stop();
    // VS Code writes its state down a moment later, and this is the last test: the window closes behind it.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  });
});
