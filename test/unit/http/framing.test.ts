import { strict as assert } from 'node:assert';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import type { Framing } from '../../../src/core/framing.ts';
import { openTransport } from '../../../src/http/client.ts';
import { openFramingCheck } from '../../../src/http/framing.ts';
import { freePort } from '../../host/processes.ts';
import { type ProviderAnswer, ProviderServer } from '../../servers/providerServer.ts';
import { errorOf } from '../errors.ts';
import { fastClock } from '../services/testServices.ts';
import { plainNetwork, unaborted } from '../testNetwork.ts';

describe('checking whether a page may be framed', function () {
  this.timeout(20_000);
  let server: ProviderServer;
  let answers: Record<string, ProviderAnswer>;

  before(async () => {
    server = await new ProviderServer({
      routes: {},
      notFound: ({ path }) => answers[path] ?? { status: 404, html: '' },
    }).start();
  });
  after(() => server.stop());
  beforeEach(() => {
    answers = {};
    server.behave();
  });

  for (const transport of ['undici', 'editor'] as const) {
    const check = openFramingCheck(openTransport(plainNetwork(transport), systemClock), systemClock);
    const ask = async (headers: Record<string, string>, ancestors: 'web' | 'desktop' = 'web'): Promise<Framing> => {
      answers['/live'] = { status: 200, html: '<h1>Live</h1>', headers };
      return check(new URL(`${server.url}/live?token=canary`), ancestors, unaborted);
    };

    it(`reads the headers as browsers do (${transport})`, async () => {
      const refusedByOptions = { kind: 'refused', by: 'X-Frame-Options' };
      const refusedByPolicy = { kind: 'refused', by: 'Content-Security-Policy' };
      assert.deepEqual(await ask({}), { kind: 'allowed' });
      assert.deepEqual(await ask({ 'x-frame-options': 'DENY' }), refusedByOptions);
      assert.deepEqual(await ask({ 'x-frame-options': 'sameorigin' }), refusedByOptions);
      assert.deepEqual(await ask({ 'x-frame-options': 'SAMEORIGIN, SAMEORIGIN' }), refusedByOptions);
      assert.deepEqual(await ask({ 'x-frame-options': 'ALLOW-FROM https://x.example' }), { kind: 'allowed' });
      const policy = (value: string) => ({ 'content-security-policy': value });
      assert.deepEqual(await ask(policy("frame-ancestors 'none'")), refusedByPolicy);
      assert.deepEqual(
        await ask(policy("default-src 'self'; Frame-Ancestors 'self' https://app.example")),
        refusedByPolicy,
      );
      assert.deepEqual(await ask(policy("default-src 'self'")), { kind: 'allowed' });
      // When there are several policies, all of them must allow it.
      assert.deepEqual(await ask(policy("frame-ancestors *, frame-ancestors 'none'")), refusedByPolicy);
      // Only the newer header counts.
      assert.deepEqual(await ask({ 'x-frame-options': 'DENY', ...policy('frame-ancestors *') }), { kind: 'allowed' });
      // A star stands for web pages, and a desktop's panel isn't one.
      assert.deepEqual(await ask(policy('frame-ancestors *'), 'desktop'), { kind: 'uncertain' });
      assert.deepEqual(await ask(policy('frame-ancestors vscode-webview:'), 'desktop'), { kind: 'uncertain' });
    });

    it(`doesn’t match part of a word (${transport})`, async () => {
      for (const options of ['nodeny', 'denyall', 'xsameorigin', 'sameoriginal']) {
        assert.deepEqual(await ask({ 'x-frame-options': options }), { kind: 'allowed' }, options);
      }
      // One matching source of a list is enough, wherever it is.
      for (const source of [
        'http:',
        'https:',
        '*',
        "'self' vscode-webview: https://x.example",
        'https://x.vscode-cdn.net',
      ]) {
        const headers = { 'content-security-policy': `frame-ancestors   ${source}` };
        assert.deepEqual(await ask(headers, 'desktop'), { kind: 'uncertain' }, source);
      }
      for (const source of [
        '*.example.com',
        'https://x.example:*',
        'https://vscode-webview:1',
        'https://x.vscode-cdn.net.evil.example',
        'https://x.example/https:',
      ]) {
        const headers = { 'content-security-policy': `frame-ancestors ${source}` };
        const refused = { kind: 'refused', by: 'Content-Security-Policy' };
        assert.deepEqual(await ask(headers, 'desktop'), refused, source);
      }
    });
  }

  const check = openFramingCheck(openTransport(plainNetwork('undici'), systemClock), systemClock);
  const page = (path: string) => new URL(server.url + path);

  it('follows redirects only within the origin', async () => {
    answers['/a'] = { status: 302, headers: { location: '/b' } };
    answers['/b'] = { status: 307, headers: { location: `${server.url}/c` } };
    answers['/c'] = { status: 200, html: 'x' };
    assert.deepEqual(await check(page('/a'), 'web', unaborted), { kind: 'allowed' });
    answers['/c'] = { status: 302, headers: { location: 'https://elsewhere.example/login' } };
    assert.deepEqual(await check(page('/a'), 'web', unaborted), { kind: 'elsewhere', host: 'elsewhere.example' });
    answers['/c'] = { status: 302, headers: { location: `${server.url.replace('127.0.0.1', 'localhost')}/c` } };
    assert.equal((await check(page('/a'), 'web', unaborted)).kind, 'elsewhere');
    // An address without a host is named by its scheme.
    for (const location of ['javascript:alert(1)', 'data:text/html,canary']) {
      answers['/c'] = { status: 302, headers: { location } };
      const host = location.replace(/:.*/, ':');
      assert.deepEqual(await check(page('/a'), 'web', unaborted), { kind: 'elsewhere', host });
    }
    answers['/c'] = { status: 302, headers: { location: '/a' } };
    const { trouble, message } = await errorOf(check(page('/a'), 'web', unaborted));
    assert.deepEqual(trouble, { kind: 'unexpectedAnswer', what: 'it keeps redirecting' });
    assert.equal(message, 'asking whether the live view may be framed: endless');
  });

  it('follows at most five redirects', async () => {
    for (let hop = 0; hop < 6; hop++) answers[`/${hop}`] = { status: 302, headers: { location: `/${hop + 1}` } };
    answers['/6'] = { status: 200, html: 'x' };
    assert.deepEqual(await check(page('/1'), 'web', unaborted), { kind: 'allowed' });
    assert.equal((await errorOf(check(page('/0'), 'web', unaborted))).trouble.kind, 'unexpectedAnswer');
  });

  it('treats only a redirect as a redirect, and only a success as a page', async () => {
    const headers = { location: 'https://elsewhere.example/' };
    const kinds = new Map<number, Framing['kind']>();
    for (const status of [200, 299, 300, 399, 400, 404, 500]) {
      answers['/a'] = { status, headers };
      kinds.set(status, (await check(page('/a'), 'web', unaborted)).kind);
    }
    assert.deepEqual(
      [...kinds],
      [
        [200, 'allowed'],
        [299, 'allowed'],
        [300, 'elsewhere'],
        [399, 'elsewhere'],
        [400, 'failed'],
        [404, 'failed'],
        [500, 'failed'],
      ],
    );
    answers['/a'] = { status: 302 };
    answers['/undefined'] = { status: 200, html: 'x' };
    assert.deepEqual(await check(page('/a'), 'web', unaborted), { kind: 'failed', status: 302 });
  });

  it('reports other responses of a page, sends no key, and doesn’t read the body', async () => {
    assert.deepEqual(await check(page('/gone'), 'web', unaborted), { kind: 'failed', status: 404 });
    server.misbehave('GET', /./, { kind: 'drip', ms: 20 });
    assert.deepEqual(await check(page('/live'), 'web', unaborted), { kind: 'allowed' });
    const { headers, method } = server.requests.at(-1) ?? assert.fail();
    assert.equal(method, 'GET');
    assert.equal(headers['accept'], 'text/html');
    assert.equal(headers['user-agent'], 'browser-sessions');
    assert.deepEqual(
      Object.keys(headers).filter((name) => /authorization|cookie|key|token|origin|referer/.test(name)),
      [],
    );
  });

  it('reports an error for a page that doesn’t respond, and gives up when aborted', async () => {
    const fastCheck = openFramingCheck(openTransport(plainNetwork('undici'), systemClock), fastClock(20));
    server.misbehave('GET', /./, { kind: 'silent' });
    const late = await errorOf(fastCheck(page('/live'), 'web', unaborted));
    assert.deepEqual(late.trouble, { kind: 'timedOut', afterMs: 5_000 });
    assert.equal(late.message, 'asking whether the live view may be framed timed out');
    const nobody = AbortSignal.timeout(50);
    assert.equal((await errorOf(check(page('/live'), 'web', nobody))).trouble.kind, 'canceled');
    const dead = await errorOf(check(new URL(`http://127.0.0.1:${await freePort()}/?t=canary`), 'web', unaborted));
    assert.equal(dead.trouble.kind, 'unreachable');
    assert.equal(dead.message, 'asking whether the live view may be framed: unreachable');
  });

  it('leaves no timer running, whatever the response', async () => {
    let timers = 0;
    const counting: Clock = {
      now: systemClock.now,
      monotonic: systemClock.monotonic,
      after: (ms, run) => {
        timers++;
        const timer = systemClock.after(ms, run);
        return {
          dispose: () => {
            timers--;
            timer.dispose();
          },
        };
      },
    };
    const counted = openFramingCheck(openTransport(plainNetwork('undici'), systemClock), counting);
    await counted(page('/gone'), 'web', unaborted);
    server.misbehave('GET', /./, { kind: 'cut', when: 'before' });
    await errorOf(counted(page('/gone'), 'web', unaborted));
    assert.equal(timers, 0);
  });
});
