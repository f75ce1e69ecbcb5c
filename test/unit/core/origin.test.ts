import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { ipv4Port, isLoopback, loopbackPort, loopbackUrl, parseAddress } from '../../../src/core/origin.ts';
import { assertOrigin, isAtAccount, isWithin, receiverOf, requestUrl } from '../../../src/core/requestUrl.ts';
import { formatAddress, parseTypedAddress } from '../../../src/core/typedAddress.ts';

describe('server addresses', () => {
  it('of this machine are told apart from others', () => {
    for (const address of ['http://localhost:9222', 'http://127.0.0.1:1/json', 'ws://[::1]:2']) {
      assert.equal(loopbackUrl(address)?.href, new URL(address).href, address);
    }
    for (const address of ['https://localhost.example', 'http://10.0.0.1', 'localhost', '', 'about:blank']) {
      assert.equal(loopbackUrl(address), undefined, address);
    }
  });

  it('lead to a browser at the same port, except for that of ::1, where another one may be', () => {
    const ports = ['http://127.0.0.1:9222', 'http://localhost:9222', 'http://[::1]:9222', 'https://a.example:9222'];
    assert.deepEqual(ports.map(ipv4Port), ['9222', '9222', undefined, undefined]);
    assert.deepEqual(ports.map(loopbackPort), ['9222', '9222', '9222', undefined]);
  });

  it('are https anywhere, or http on this machine', () => {
    for (const [raw, written] of [
      ['https://api.anchorbrowser.io', 'https://api.anchorbrowser.io'],
      [' https://gateway.example/base/ ', 'https://gateway.example/base'],
      ['https://gateway.example/base///', 'https://gateway.example/base'],
      ['https://gateway.example/a//b', 'https://gateway.example/a//b'],
      ['https://gateway.example/.well-known/x..y', 'https://gateway.example/.well-known/x..y'],
      ['https://app.localhost:8443', 'https://app.localhost:8443'],
      ['HTTPS://Grid.Example', 'https://grid.example'],
      ['http://127.0.0.1:9222', 'http://127.0.0.1:9222'],
      ['http://127.9.8.7', 'http://127.9.8.7'],
      ['http://localhost:9222/', 'http://localhost:9222'],
      ['http://[::1]:9222', 'http://[::1]:9222'],
    ] as const) {
      const address = parseAddress(raw);
      assert.ok(address.ok, raw);
      assert.equal(formatAddress(address.url), written);
    }
  });

  it('are rejected with what is wrong with them', () => {
    for (const [raw, fault] of [
      ['', 'notAUrl'],
      ['api.anchorbrowser.io', 'notAUrl'],
      ['javascript:alert(1)', 'notAUrl'],
      ['file:///etc/passwd', 'notAUrl'],
      ['https:grid.example', 'notAUrl'],
      ['https:/grid.example', 'notAUrl'],
      ['https:///grid.example', 'notAUrl'],
      ['https://grid.exa\nmple', 'notAUrl'],
      ['https://grid.example/\t/evil.example', 'notAUrl'],
      ['ftp://host', 'scheme'],
      ['command://host', 'scheme'],
      ['http://api.anchorbrowser.io', 'notEncrypted'],
      ['http://127.0.0.1.evil.example', 'notEncrypted'],
      ['http://localhost.evil.example', 'notEncrypted'],
      ['http://xlocalhost', 'notEncrypted'],
      ['http://[::2]', 'notEncrypted'],
      ['http://[::ffff:127.0.0.1]', 'notEncrypted'],
      ['http://localhost.', 'localName'],
      ['http://app.localhost:9222', 'localName'],
      ['http://APP.LOCALHOST.', 'localName'],
      ['https://user:secret@host', 'credentials'],
      ['https://user@host', 'credentials'],
      ['https://:secret@host', 'credentials'],
      ['https://@host', 'credentials'],
      ['https://host/?token=1', 'query'],
      ['https://host/#x', 'query'],
      ['https://host?', 'query'],
      ['https://host#', 'query'],
    ] as const) {
      const address = parseAddress(raw);
      assert.equal(address.ok ? 'ok' : address.fault, fault, raw);
    }
  });

  it('are rejected when their path could be read as another host', () => {
    for (const path of [
      '//evil.example',
      '///evil.example',
      '//',
      '/\\evil.example/x',
      '\\\\evil.example',
      '/a\\b',
      '/%2Fevil.example',
      '/a%2fb',
      '/%5cevil.example',
      '/a%5Cb',
      '/../x',
      '/a/..',
      '/a/.',
      '/./a',
      '/a/%2e%2E/b',
      '/.%2e//evil.example',
      '/%2e',
    ]) {
      for (const host of ['https://api.anchorbrowser.io', 'http://localhost:9222', 'http://127.0.0.1']) {
        const address = parseAddress(host + path);
        assert.equal(address.ok ? 'ok' : address.fault, 'path', host + path);
      }
    }
  });

  it('identify this machine only by names that need no resolver', () => {
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.9.8.7', '127.255.255.255', '[::1]', '::1']) {
      assert.ok(isLoopback(host), host);
    }
    for (const host of ['127.0.10.99', '127.100.199.0', '127.249.240.200']) assert.ok(isLoopback(host), host);
    for (const host of [
      'localhost.',
      'a.localhost',
      'xlocalhost',
      'localhostx',
      '127.0.0.1.example.com',
      'x127.0.0.1',
      '127.0.0.256',
      '127.0.0',
      '128.0.0.1',
      'localhost.com',
      '0.0.0.0',
      '10.0.0.1',
      '[::2]',
      '',
    ]) {
      assert.ok(!isLoopback(host), host);
    }
  });
});

describe('typed addresses', () => {
  const chrome = 'http://127.0.0.1:9222';

  it('may leave out the scheme, and on this machine the host or the port', () => {
    for (const [typed, written] of [
      ['localhost:9222', 'http://localhost:9222'],
      [' LOCALHOST:9222/ ', 'http://localhost:9222'],
      ['127.0.0.1:9222', chrome],
      ['[::1]:9222', 'http://[::1]:9222'],
      [':9222', chrome],
      ['9222', chrome],
      ['localhost', 'http://localhost:9222'],
      ['http://localhost', 'http://localhost:9222'],
      ['127.0.0.1', chrome],
      ['[::1]', 'http://[::1]:9222'],
      ['localhost:9333', 'http://localhost:9333'],
      ['http://localhost:80', 'http://localhost'],
      [':80', 'http://127.0.0.1'],
      ['https://localhost', 'https://localhost'],
      ['ws://127.0.0.1:9333/devtools/browser/0a1b-2c', 'http://127.0.0.1:9333'],
      ['grid.example', 'https://grid.example'],
      ['grid.example/base/', 'https://grid.example/base'],
      ['grid:4444', 'https://grid:4444'],
      ['192.168.1.7:3000', 'https://192.168.1.7:3000'],
      ['localhost.evil.example', 'https://localhost.evil.example'],
    ] as const) {
      const address = parseTypedAddress(typed, chrome);
      assert.ok(address.ok, typed);
      assert.equal(formatAddress(address.url), written, typed);
    }
  });

  it('get no port from a provider in the cloud', () => {
    const address = parseTypedAddress('localhost', 'https://api.anchorbrowser.io:8443');
    assert.ok(address.ok);
    assert.equal(formatAddress(address.url), 'http://localhost');
  });

  it('are rejected like written ones, and when they look like a key', () => {
    for (const [typed, fault] of [
      ['', 'notAUrl'],
      [':', 'notAUrl'],
      [':99999', 'notAUrl'],
      ['sk-canary-0123', 'notAUrl'],
      ['eyJhbGciOi.eyJzdWIiOi.Sf-lKxwRJ_SM', 'notAUrl'],
      ['https:grid.example', 'notAUrl'],
      ['javascript:alert(1)', 'notAUrl'],
      ['user:secret@grid.example', 'notAUrl'],
      ['grid.example:80@evil.example', 'notAUrl'],
      ['//evil.example', 'notAUrl'],
      ['http://grid.example', 'notEncrypted'],
      ['ws://grid.example/devtools/browser/1', 'notEncrypted'],
      ['app.localhost:9222', 'localName'],
      ['grid.example?token=1', 'query'],
      ['localhost:9222//evil.example', 'path'],
      ['grid.example\\evil.example', 'path'],
      ['wss://grid.example', 'scheme'],
    ] as const) {
      const address = parseTypedAddress(typed, chrome);
      assert.equal(address.ok ? formatAddress(address.url) : address.fault, fault, typed);
    }
  });

  it('are never another host than the one that is shown', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a1.:/\\@[]?#% -localhost9222') }), (typed) => {
        const address = parseTypedAddress(typed, chrome);
        if (!address.ok) return;
        const again = parseAddress(formatAddress(address.url));
        assert.ok(again.ok);
        assert.equal(again.url.href, address.url.href);
      }),
    );
  });
});

describe('a request’s URL', () => {
  const bases = ['https://a.example', 'https://a.example/', 'https://a.example/base', 'https://a.example/base/'];

  it('is the path below the account’s address, with the query', () => {
    for (const base of bases) {
      const prefix = base.includes('base') ? '/base' : '';
      const url = requestUrl(new URL(base), '/v1/sessions/a%3Ab', { page: 2, 'odd key': 'a&b' });
      assert.equal(url.href, `https://a.example${prefix}/v1/sessions/a%3Ab?page=2&odd+key=a%26b`);
    }
  });

  it('stays on the account’s host whatever the path or the base contains', () => {
    for (const base of [...bases, 'https://a.example//evil.example', 'https://a.example//evil.example//']) {
      for (const path of ['/x', '//evil.example/x', '/\\evil.example', 'https://evil.example', '?x', '#x', '']) {
        const url = requestUrl(new URL(base), path);
        assert.deepEqual([url.origin, url.search, url.hash], ['https://a.example', '', ''], `${base} ${path}`);
      }
    }
    assert.equal(requestUrl(new URL('https://a.example/base//'), '/x').href, 'https://a.example/base/x');
  });

  it('goes to the host that is shown, for every address that is accepted', () => {
    const part = fc.string({
      unit: fc.constantFrom('/', '\\', '.', '%2f', '%5C', '%2e', '@', ':', 'a', '?', '#', '。'),
    });
    const address = fc
      .tuple(fc.constantFrom('https:', 'http:'), fc.constantFrom('//', '/\\', ''), part, part)
      .map(([scheme, slashes, host, path]) => `${scheme}${slashes}localhost${host}/${path}`);
    fc.assert(
      fc.property(address, part, (raw, path) => {
        const parsed = parseAddress(raw);
        if (!parsed.ok) return;
        const url = requestUrl(parsed.url, `/${path}`);
        assert.equal(receiverOf(parsed.url).split('/')[0], url.host);
        assert.equal(url.origin, parsed.url.origin);
        const again = parseAddress(formatAddress(parsed.url));
        assert.ok(again.ok);
        assert.equal(again.url.href, parsed.url.href);
      }),
      { numRuns: 2_000 },
    );
  });

  it('shows its host with the base path if there is one', () => {
    for (const [address, receiver] of [
      ['https://api.anchorbrowser.io', 'api.anchorbrowser.io'],
      ['http://127.0.0.1:9222', '127.0.0.1:9222'],
      ['https://gateway.example/team/a', 'gateway.example/team/a'],
      ['https://bücher.example', 'xn--bcher-kva.example'],
    ] as const) {
      assert.equal(receiverOf(new URL(address)), receiver);
    }
  });

  it('is rejected just before sending when its origin is different', () => {
    assertOrigin(new URL('https://a.example/x'), 'https://a.example');
    assertOrigin(new URL('wss://a.example/x'), 'https://a.example');
    assertOrigin(new URL('ws://127.0.0.1:1/x'), 'http://127.0.0.1:1');
    assertOrigin(new URL('http://127.0.0.1:1/x'), 'http://127.0.0.1:1');
    for (const [url, origin] of [
      ['https://evil.example/x', 'https://a.example'],
      ['https://a.example:8443/x', 'https://a.example'],
      ['http://a.example/x', 'https://a.example'],
      ['ws://a.example/x', 'https://a.example'],
      ['wss://a.example.evil.example/x', 'https://a.example'],
      ['https://user@a.example/x', 'https://a.example'],
      ['https://:pw@a.example/x', 'https://a.example'],
      ['data:text/plain,x', 'null'],
      ['http://grid.example/x', 'http://grid.example'],
      ['http://app.localhost/x', 'http://app.localhost'],
      ['ftp://localhost/x', 'http://localhost'],
    ] as const) {
      const trouble = { kind: 'unsupported', reason: { kind: 'otherAddress' } };
      const statusError = { trouble, message: /was not sent.* not at / };
      assert.throws(() => assertOrigin(new URL(url), origin), statusError, `${url} for ${origin}`);
    }
  });
});

describe('hosts of live views', () => {
  it('are at the account’s own origin, or on this machine when the account is', () => {
    for (const [url, account, at] of [
      ['https://a.example/live', 'https://a.example', true],
      ['https://a.example:8443/live', 'https://a.example', false],
      ['https://evil.example/live', 'https://a.example', false],
      ['http://127.0.0.1:1/live', 'http://localhost:2', true],
      ['http://127.0.0.1:1/live', 'https://a.example', false],
      ['http://localhost/live', 'https://a.example', false],
      ['https://a.example/live', 'http://127.0.0.1', false],
    ] as const) {
      assert.equal(isAtAccount(new URL(url), new URL(account)), at, `${url} ${account}`);
    }
  });

  it('are a provider’s domain and its subdomains, over https', () => {
    for (const [url, within] of [
      ['https://browserbase.com/', true],
      ['https://live.browserbase.com/', true],
      ['https://evilbrowserbase.com/', false],
      ['https://browserbase.com.evil.example/', false],
      ['https://browserbase.comx/', false],
      ['http://live.browserbase.com/', false],
    ] as const) {
      assert.equal(isWithin(new URL(url), 'browserbase.com'), within, url);
    }
  });
});
