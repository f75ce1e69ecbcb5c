import { strict as assert } from 'node:assert';
import type { PublicEndReport } from '../../src/ui/commands/endReports.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';
import { startBrowserlessCloud } from '../servers/browserlessCloud.ts';
import { command, makeListsOld, type User, useCleanState } from './inside.ts';

describe('ending a session by its ID inside VS Code', () => {
  let server: AnchorServer;
  let user: User;
  let accountId: string;

  useCleanState(async (setup) => {
    ({ server, user } = setup);
    server.add({ id: 'sess_listed', domains: ['listed.example'] });
    server.add({ id: 'sess_hidden' });
    server.unlisted.add('sess_hidden');
    user.answersConfirm = ({ choices }) => choices[0];
    accountId = await command('addAccount', {
      provider: 'anchor',
      label: 'prod',
      origin: server.url,
      fields: { apiKey: server.key },
    });
  });

  const sent = () => server.log().filter((line) => !line.startsWith('GET'));
  const lastMessage = () => user.messages.at(-1)?.message ?? '';
  const end = (sessionId: string) => command<PublicEndReport>('endSession', { accountId, sessionId });

  it('asks the provider, then the user, and ends and confirms a session that isn’t in any list', async () => {
    const report = await end('sess_hidden');
    assert.deepEqual(user.questions, [
      {
        message: 'End session "sess_hidden"?',
        detail: [
          "Anchor Browser · prod: not in the list.\nAnchor Browser says it's running.",
          "The browser closes. Unsaved work in the page and downloads that you haven't retrieved are lost. Running scripts are disconnected. This can't be undone.",
        ].join('\n\n'),
        choices: ['End Session'],
      },
    ]);
    assert.deepEqual([report.requested, report.ended], [1, 1]);
    assert.deepEqual(server.running, ['sess_listed']);
    assert.deepEqual(sent(), ['DELETE /v1/sessions/sess_hidden']);
    assert.ok(user.notes.includes('Session sess_hid ended.'));
  });

  it('sends nothing on Cancel', async () => {
    user.answersConfirm = () => undefined;
    assert.equal((await end('sess_hidden')).canceled, 1);
    assert.deepEqual(sent(), []);
  });

  it('reports a session that accepts the end but keeps running as still running, and ends it on a retry', async () => {
    server.immortal.add('sess_hidden');
    user.answersTell = (_, buttons) => {
      server.immortal.clear();
      user.answersTell = () => undefined;
      return buttons.find((button) => button === 'Retry Failed');
    };
    const report = await end('sess_hidden');
    assert.equal(report.stuck, 1);
    assert.match(report.results[0]?.detail ?? '', /says the session is still running/);
    const deadline = Date.now() + 20_000;
    while (server.running.includes('sess_hidden') && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(server.running, ['sess_listed']);
    assert.equal(user.questions.length, 2);
  }).timeout(90_000);

  it('says that a session has already ended when the provider says so, and sends nothing', async () => {
    server.add({ id: 'sess_over', status: 'completed' });
    assert.equal((await end('sess_over')).requested, 0);
    assert.equal(lastMessage(), 'This session has already ended.');
    assert.deepEqual([user.questions.length, sent()], [0, []]);
  });

  it('says that an ID the provider doesn’t have may be wrong, and sends nothing', async () => {
    await end('sess_typo');
    assert.equal(
      lastMessage(),
      "Anchor Browser couldn't find a running session with this ID in Anchor Browser · prod. The session may have ended, or the ID may be wrong or belong to another account. No request to end it was sent.",
    );
    assert.deepEqual([user.questions.length, sent()], [0, []]);
  });

  it('sends nothing when the provider can’t be asked, and gives the reason', async () => {
    server.misbehave('GET', /sess_hidden/, { kind: 'answer', answer: { status: 500, json: {} } });
    await end('sess_hidden');
    assert.match(lastMessage(), /^No request to end the session was sent\. .* failed with HTTP 500/);
    server.behave();
    const { keys } = server;
    const key = server.key;
    keys.set('automation-key', 'replaced');
    await end('sess_hidden');
    assert.match(lastMessage(), /^No request to end the session was sent\. .* rejected the key/);
    keys.set('automation-key', key);
    assert.deepEqual([user.questions.length, sent()], [0, []]);
    assert.ok(server.running.includes('sess_hidden'));
  });

  it('sends nothing when the account was removed while the dialog was open', async () => {
    const { confirm } = user;
    user.confirm = async (question) => {
      user.confirm = confirm;
      await command('removeAccount', { accountId });
      return question.choices[0];
    };
    await end('sess_hidden');
    assert.deepEqual(sent(), []);
    assert.ok(server.running.includes('sess_hidden'));
    assert.match(lastMessage(), /The account was removed while this session was ending\. It may still be running\./);
  });

  it('uses the copied ID, and asks for the account only when there are several', async () => {
    user.answersAsk = () => `  "https://app.anchorbrowser.io/sessions/sess_hidden",  `;
    const report = await command<PublicEndReport>('endSessionById');
    assert.equal(report.ended, 1);
    assert.deepEqual(server.running, ['sess_listed']);
    assert.equal(user.asked[0]?.preview?.(' "abc", '), 'Session ID: abc');
    assert.equal(await user.asked[0]?.refuse('/kill/all'), await user.asked[0]?.refuse(''));
    assert.match((await user.asked[0]?.refuse('all')) ?? '', /^Couldn't find a session ID in this text\./);

    const other = await startAnchor();
    await command('addAccount', {
      provider: 'anchor',
      label: 'other',
      origin: other.url,
      fields: { apiKey: other.key },
    });
    other.add({ id: 'sess_other' });
    other.unlisted.add('sess_other');
    user.answersPick = ({ choices }) => choices.slice(1).map(({ value }) => value);
    user.answersAsk = () => 'sess_other';
    assert.equal((await command<PublicEndReport>('endSessionById')).ended, 1);
    assert.deepEqual(other.running, []);
    await other.stop();
  });

  it('takes the account from the tree row and the ID from a caller, and still asks for confirmation', async () => {
    user.answersAsk = () => 'sess_hidden';
    await command('endSessionById', { kind: 'account', accountId });
    assert.equal(user.questions.length, 1);
    server.add({ id: 'sess_more' });
    server.unlisted.add('sess_more');
    assert.equal((await command<PublicEndReport>('endSessionById', { accountId, sessionId: '"sess_more",' })).ended, 1);
    assert.equal(user.asked.length, 1);
    for (const sessionId of ['all', '"all"', `${server.url}/kill/all`, '', 7, null]) {
      await command('endSessionById', { accountId, sessionId });
      assert.match(lastMessage(), /^Couldn't find a session ID in this text\./);
    }
    assert.deepEqual(server.running, ['sess_listed']);
    assert.equal(user.questions.length, 2);
  });

  it('is a regular end for a session that a list shows, even if only a new list shows it', async () => {
    user.answersAsk = () => 'sess_listed';
    await command('endSessionById');
    assert.equal(user.questions[0]?.message, 'End session "listed.example" (sess_lis)?');
    makeListsOld();
    server.add({ id: 'sess_new', domains: ['new.example'] });
    await end('sess_new');
    assert.equal(user.questions[1]?.message, 'End session "new.example" (sess_new)?');
    assert.deepEqual(server.running, ['sess_hidden']);
  });

  it('may send an end when the provider can’t look up sessions, and says that it couldn’t be confirmed', async () => {
    const cloud = await startBrowserlessCloud();
    const id = await command<string>('addAccount', {
      provider: 'browserless',
      origin: cloud.url,
      fields: { token: cloud.token },
    });
    const browser = cloud.add();
    const report = await command<PublicEndReport>('endSession', { accountId: id, sessionId: browser.id });
    assert.match(
      user.questions[0]?.detail ?? '',
      /not in the list\.\nBrowserless can't look up a session by its ID, so Browser Sessions can't check this one first/,
    );
    assert.equal(cloud.browsers.size, 0);
    assert.deepEqual([report.ended, report.stuck], [0, 1]);
    assert.match(report.results[0]?.detail ?? '', /^The request was sent, but the end couldn't be confirmed\./);
    assert.match(lastMessage(), /^Couldn't confirm that 1 session ended\. /);
    await cloud.stop();
  }).timeout(60_000);
});
