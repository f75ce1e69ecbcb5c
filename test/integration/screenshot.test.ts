import { strict as assert } from 'node:assert';
import { browserless } from '../../src/providers/browserless/index.ts';
import { startBrowserlessV1 } from '../servers/browserlessV1.ts';
import { command, extension, ownId, removeAllAccounts, User } from './inside.ts';

describe('a screenshot of a session inside VS Code', () => {
  it('is taken by DevTools after asking, even before anything was listed', async () => {
    const api = await extension();
    await removeAllAccounts(api);
    const user = new User();
    api.testing.prompts = user;
    const v1 = await startBrowserlessV1();
    const page = { id: 'p1', title: 'One', url: 'about:blank' };
    v1.browsers.set('b1', { id: 'b1', trackingId: null, devtools: undefined, pages: [page] });
    const kind = { ...browserless, id: 'browserlessOfOurs' };
    let registration = api.registerProvider(kind, ownId);
    try {
      const fields = { token: v1.token ?? '' };
      user.answersConfirm = ({ choices }) => choices.find((choice) => choice === 'Allow');
      const accountId = await command<string>('addAccount', { provider: kind.id, origin: v1.url, fields });
      user.questions.length = 0;
      // It starts from scratch, with nothing listed.
      registration.dispose();
      registration = api.registerProvider(kind, ownId);
      assert.deepEqual(api.sessions(), []);
      assert.equal(await command('testConnection', { accountId }), true);
      assert.deepEqual(api.sessions(), []);
      await command('takeScreenshot', { accountId, sessionId: 'b1' });
      assert.deepEqual(
        user.questions.map(({ message }) => message),
        ['Watching affects this session'],
      );
      assert.deepEqual(v1.sockets, []);
    } finally {
      await removeAllAccounts(api);
      registration.dispose();
      await v1.stop();
    }
  });
});
