import { strict as assert } from 'node:assert';
import { pageId } from '../../../src/core/ids.ts';
import type { Page } from '../../../src/core/page.ts';
import { ProviderError, type Trouble, type UnsupportedReason } from '../../../src/core/providerError.ts';
import { longAge, shortAge } from '../../../src/ui/text/ages.ts';
import {
  questionForBatch,
  questionForMany,
  questionForOne,
  type SessionDescription,
} from '../../../src/ui/text/confirmations.ts';
import { deletionSentence, outcomeSentence } from '../../../src/ui/text/outcomes.ts';
import { shortStuck, shortTrouble, stuckSentence, troubleSentence } from '../../../src/ui/text/troubles.ts';
import { linkCopied } from '../../../src/ui/text/watching.ts';

const minute = 60_000;

const subject = (name: string, more: Partial<SessionDescription> = {}): SessionDescription => ({
  account: 'Anchor Browser · prod',
  provider: 'Anchor Browser',
  name,
  shortId: name,
  age: '12 minutes',
  young: false,
  group: undefined,
  loss: 'Unsaved page state is lost.',
  closes: undefined,
  bulkEndExclusion: undefined,
  watched: false,
  inUseBy: undefined,
  profile: undefined,
  mine: undefined,
  ...more,
});

const pageCalled = (title: string): Page => ({ id: pageId(title), title, url: '' });

describe('texts', () => {
  it('say what is lost once, or once for each provider if it differs', () => {
    const ask = (...subjects: SessionDescription[]) =>
      questionForMany({ message: '', subjects, leftOut: [], unknown: [], everything: undefined }).detail;
    const other = { provider: 'Browserbase', account: 'Browserbase · a' };
    assert.match(ask(subject('a'), subject('b', other)), /\n\nUnsaved page state is lost\. This can't be undone\.$/);
    const closes = { provider: 'Local Chrome', account: 'Local Chrome', loss: 'Pages close.' };
    assert.match(
      ask(subject('a'), subject('b', other), subject('c', closes)),
      /What will be lost:\n• Anchor Browser, Browserbase: Unsaved page state is lost\.\n• Local Chrome: Pages close\.\nThis can't/,
    );
  });

  it('don’t call ended what a provider lists but doesn’t find', () => {
    const why = { kind: 'stillRuns', found: false, said: 'Session not found' } as const;
    assert.equal(shortStuck(why), 'not ended: not found, but still listed');
    assert.equal(
      stuckSentence(why, 'gateway.example'),
      "gateway.example lists the session but couldn't find it to end it. It may still be running. The provider says: Session not found",
    );
    const taken = { kind: 'stillRuns', found: true, said: undefined } as const;
    assert.equal(shortStuck(taken), 'not ended: still running');
    assert.match(
      stuckSentence(taken, 'x.example'),
      /^x\.example accepted the request but says the session is still running\.$/,
    );
  });

  it('say of a copied link who can use it, how often, and when it expires', () => {
    const anyone = 'Link copied. Anyone with this link can watch the session and may be able to control it.';
    assert.equal(linkCopied({ singleUse: 'no' }), anyone);
    assert.equal(linkCopied({ singleUse: 'yes' }), `${anyone} It works only once.`);
    assert.equal(linkCopied({ singleUse: 'unknown' }), `${anyone} It may work only once.`);
    for (const [expiresInMs, said] of [
      [-1, 'It expires in less than a minute.'],
      [minute - 1, 'It expires in less than a minute.'],
      [2 * minute - 1, 'It expires in 1 minute.'],
      [10 * minute, 'It expires in 10 minutes.'],
      [120 * minute - 1, 'It expires in 119 minutes.'],
      [120 * minute, 'It expires in 2 hours.'],
    ] as const) {
      assert.equal(linkCopied({ singleUse: 'no', expiresInMs }), `${anyone} ${said}`);
    }
    assert.equal(
      linkCopied({ singleUse: 'unknown', expiresInMs: 10 * minute }),
      `${anyone} It may work only once. It expires in 10 minutes.`,
    );
  });

  it('write ages in minutes, hours and days', () => {
    for (const [ms, short, long] of [
      [0, '<1m', 'less than a minute'],
      [59_999, '<1m', 'less than a minute'],
      [minute, '1m', '1 minute'],
      [59 * minute, '59m', '59 minutes'],
      [63 * minute, '1h 03m', '1 hour 3 minutes'],
      [120 * minute, '2h 00m', '2 hours'],
      [52 * 60 * minute, '2d 4h', '2 days 4 hours'],
      [24 * 60 * minute, '1d 0h', '1 day'],
    ] as const) {
      assert.deepEqual([shortAge(ms), longAge(ms)], [short, long]);
    }
  });

  it('have for each error a short name and a sentence that names the host and says what to do', () => {
    const troubles: readonly Trouble[] = [
      { kind: 'unauthorized' },
      { kind: 'forbidden' },
      { kind: 'notFound' },
      { kind: 'rateLimited', retryAt: undefined },
      { kind: 'rateLimited', retryAt: Date.now() },
      { kind: 'conflict' },
      { kind: 'otherSession' },
      ...(['refused', 'dns', 'tls', 'cut', 'proxy', 'route'] as const).map(
        (why) => ({ kind: 'unreachable', why }) as const,
      ),
      { kind: 'timedOut', afterMs: 15_000 },
      { kind: 'canceled' },
      { kind: 'tooOften' },
      { kind: 'unexpectedAnswer', what: 'it returned a web page instead of data' },
      { kind: 'serverFault', status: 502 },
      { kind: 'noKey' },
      { kind: 'badAddress', fault: 'path' },
      { kind: 'unsupported', reason: { kind: 'noRequest' } },
    ];
    for (const trouble of troubles) {
      const error = new ProviderError(trouble, 'GET /internal/route');
      const sentence = troubleSentence(error, 'api.example');
      assert.match(sentence, /api\.example/);
      assert.match(sentence, /\.$|\?$/);
      assert.ok(!sentence.includes('/internal/route'));
      assert.ok(shortTrouble(error).length <= 20);
    }
    const said = new ProviderError({ kind: 'forbidden' }, 'x', { detail: 'plan [limit](command:x)' });
    assert.match(troubleSentence(said, 'h'), /The provider says: plan \[limit\] \(command:x\)$/);
  });

  it('have a separate sentence for each reason why something isn’t supported', () => {
    const reasons: readonly UnsupportedReason[] = [
      ...(['noRequest', 'liveView', 'sessionLiveView', 'viewAddress', 'keysNotAllowed', 'otherAddress'] as const).map(
        (kind) => ({ kind }) as const,
      ),
      { kind: 'routeOff', route: '/sessions' },
      { kind: 'settingOff', setting: 'browserSessions.browserless.accountApi' },
      { kind: 'unknownProvider', provider: 'grid' },
      { kind: 'otherHost', host: 'b.example' },
      { kind: 'stated', sentence: 'This plan has no live view.' },
    ];
    const sentences = reasons.map((reason) =>
      troubleSentence(new ProviderError({ kind: 'unsupported', reason }, 'x'), 'api.example'),
    );
    assert.equal(new Set(sentences).size, reasons.length);
    for (const sentence of sentences) assert.match(sentence, /^[A-Za-z].*\.$/);
    assert.equal(sentences.at(-1), 'This plan has no live view.');
  });

  it('ask about one session by name, age, account and what is lost', () => {
    const question = questionForOne(
      subject('checkout', { shortId: '9f3ac2e1', group: 'Batch 3c90', watched: true }),
      true,
    );
    assert.equal(question.message, 'End session "checkout" (9f3ac2e1)?');
    assert.match(question.detail, /Anchor Browser · prod: running for 12 minutes, Batch 3c90\./);
    assert.match(question.detail, /open in a live view/);
    assert.match(question.detail, /Unsaved page state is lost\. This can't be undone\./);
    assert.deepEqual(question.choices, ['End Session', "End and Don't Ask Again"]);
    assert.deepEqual(questionForOne(subject('checkout'), false).choices, ['End Session']);
    assert.equal(questionForOne(subject('9f3ac2e1'), false).message, 'End session "9f3ac2e1"?');
  });

  it('say which program may be using a session before it ends, and what happens to its profile', () => {
    const ask = (more: Partial<SessionDescription>) => questionForOne(subject('Cart', more), false).detail;
    assert.match(
      ask({ inUseBy: 'claude-code', profile: 'deleted' }),
      /\nIt may be in use: claude-code is still running\.\n\nThe tool that started it deletes its temporary profile\.\n/,
    );
    assert.match(ask({ profile: 'kept' }), /Its profile is kept\./);
    assert.match(ask({ profile: 'left' }), /Its temporary profile stays on disk\./);
    assert.doesNotMatch(ask({}), /profile|may be using/);
  });

  it('say which of several sessions are in use, and what happens to their profiles', () => {
    const ask = (...subjects: SessionDescription[]) =>
      questionForMany({ message: '', subjects, leftOut: [], unknown: [], everything: undefined }).detail;
    const used = (name: string, inUseBy: string) => subject(name, { inUseBy, profile: 'deleted' });
    const left = subject('c', { profile: 'left' });
    const one = ask(used('a', 'codex'), left);
    assert.match(one, /• a — 12 minutes — in use by codex\n• c — 12 minutes\n/);
    assert.match(one, /1 session may be in use: codex is still running\./);
    assert.match(one, /1 temporary profile is deleted by its tool\.\n1 temporary profile stays on disk\./);
    const many = ask(used('a', 'codex'), used('b', 'codex'), left, left, subject('d', { profile: 'kept' }));
    assert.match(many, /2 sessions may be in use by programs that are still running: codex\./);
    assert.match(
      many,
      /1 profile is kept\.\n2 temporary profiles are deleted by their tools\.\n2 temporary profiles stay/,
    );
    assert.doesNotMatch(ask(subject('a'), subject('b')), /in use|profile/);
  });

  it('name the pages that close when the browser stays open', () => {
    const { detail } = questionForOne(
      subject('Default context', { closes: ['Mail', 'Bank'].map(pageCalled), bulkEndExclusion: 'It may be yours.' }),
      false,
    );
    assert.match(detail, /It may be yours\.\nThese pages will close:\n• Mail\n• Bank/);
    assert.match(detail, /The browser itself stays open/);
  });

  it('say that only the tool is disconnected from a browser that it didn’t start, and what may be lost', () => {
    const only = 'It is only attached.';
    const question = questionForOne(subject('main', { detaches: true, bulkEndExclusion: only }), false);
    assert.equal(question.message, 'Detach "main"?');
    assert.match(question.detail, /The tool is disconnected.*It then ends, and unsaved work is lost.*undone/);
    assert.match(question.detail, /It is only attached\./);
    assert.doesNotMatch(question.detail, /Unsaved page state is lost/);
    assert.deepEqual(question.choices, ['Detach']);
  });

  it('tell sessions of the same name apart by their short ids', () => {
    const subjects = ['9f3ac2e1', '5b01d2aa'].map((shortId) => subject('checkout', { shortId }));
    const leftOut = [subject('checkout', { shortId: '77777777', bulkEndExclusion: "It's protected." })];
    const { detail } = questionForMany({ message: '', subjects, leftOut, unknown: [], everything: undefined });
    assert.match(detail, /• checkout \(9f3ac2e1\) — 12 minutes\n• checkout \(5b01d2aa\) — 12 minutes/);
    assert.match(detail, /Skipped:\n• checkout \(77777777\) — Anchor/);
  });

  it('ask about several by name and number, and say what is left out and what is unknown', () => {
    const subjects = [
      ...Array.from({ length: 30 }, (_, index) => subject(`job ${index}`)),
      subject('fresh', { account: 'Local Chrome', young: true, age: 'less than a minute', watched: true }),
    ];
    const question = questionForMany({
      message: 'End all 31 sessions in 2 accounts?',
      subjects,
      leftOut: [subject('Default context', { bulkEndExclusion: "It's the browser's own window." })],
      unknown: ["Couldn't list the sessions in Browserless. They are NOT included."],
      everything: undefined,
    });
    assert.deepEqual(question.choices, ['End 31 Sessions']);
    assert.match(
      question.detail,
      /^Anchor Browser · prod: 30\nLocal Chrome: 1\n\n• job 0 — Anchor Browser · prod — 12 minutes\n/,
    );
    assert.match(question.detail, /• job 11[^\n]*\n… and 19 more\n/);
    assert.match(question.detail, /1 session started less than a minute ago\.\n1 session is open in a live view\./);
    assert.match(
      question.detail,
      /Skipped:\n• Default context — Anchor Browser · prod\. It's the browser's own window\./,
    );
    assert.match(question.detail, /NOT included/);
  });

  it('put the provider’s one call on a button of its own', () => {
    const everything = { button: 'End Everything in Account', explanation: 'It goes further.' };
    const ask = (count: number) =>
      questionForMany({
        message: 'm',
        subjects: Array.from({ length: count }, () => subject('a')),
        leftOut: [],
        unknown: [],
        everything,
      });
    assert.match(ask(2).detail, /^Anchor Browser · prod: 2\n\n• a — 12 minutes\n• a — 12 minutes\n/);
    assert.deepEqual(ask(2).choices, ['End 2 Sessions', 'End Everything in Account']);
    assert.deepEqual(ask(1).choices, ['End Session', 'End Everything in Account']);
    assert.deepEqual(ask(0).choices, ['End Everything in Account']);
    assert.match(ask(2).detail, /It goes further\.$/);
  });

  it('ask about a batch by what is running in it and what is lost with it', () => {
    const question = questionForBatch(
      'Batch 3c90',
      ['Anchor Browser · prod'],
      [subject('a'), subject('b')],
      'Recordings are deleted too.',
    );
    assert.match(question.detail, /2 of its sessions are running and will end:\n• a — 12 minutes\n• b — 12 minutes/);
    assert.match(question.detail, /Recordings are deleted too\. This can't be undone\./);
    assert.deepEqual(question.choices, ['Delete Batch']);
  });

  it('report the result in at most one message', () => {
    const none = { ended: 0, alreadyGone: 0, failed: 0, stuck: 0, unconfirmed: 0, canceled: 0, failures: [] };
    assert.equal(outcomeSentence({ ...none, ended: 1 }), undefined);
    assert.equal(outcomeSentence({ ...none, canceled: 5 }), undefined);
    assert.deepEqual(outcomeSentence({ ...none, ended: 11, alreadyGone: 1 }), {
      level: 'info',
      message: 'Ended 11 of 12 sessions. 1 session had already ended.',
    });
    assert.deepEqual(outcomeSentence({ ...none, ended: 5, canceled: 7 }), {
      level: 'info',
      message: "Canceled. 5 sessions ended. 7 requests weren't sent.",
    });
    assert.match(
      outcomeSentence({ ...none, ended: 1, stuck: 3, unconfirmed: 2, failures: ['a: x'] })?.message ?? '',
      /^1 session ended\. 1 session is still running\. Couldn't confirm that 2 sessions ended\. a: x$/,
    );
    assert.deepEqual(
      outcomeSentence({ ...none, ended: 1, failed: 4, stuck: 1, failures: ['a: x', 'b: y', 'c: z', 'd: w', 'e: v'] }),
      {
        level: 'warning',
        message: "1 session ended. Couldn't end 4 sessions. 1 session is still running. a: x; b: y; c: z; and 2 more",
      },
    );
  });

  it('report each failure of a batch deletion with its reason', () => {
    assert.deepEqual(deletionSentence('Batch 3c90', { deleted: 9, failed: 2, failures: ['a: locked', 'b: busy'] }), {
      level: 'warning',
      message: "Batch 3c90: 9 sessions deleted. Couldn't delete 2 sessions. a: locked; b: busy",
    });
    assert.equal(deletionSentence('Batch 3c90', { deleted: 9, failed: 0, failures: [] }).level, 'info');
  });
});
