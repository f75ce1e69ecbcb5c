import { strict as assert } from 'node:assert';
import { liveViewUrl, recordingUrl } from '../../../src/core/liveView.ts';
import { ProviderError } from '../../../src/core/providerError.ts';

describe('live view links', () => {
  const allows = ({ hostname }: URL) => /live\.example/.test(hostname) || hostname === '127.0.0.1' || hostname === '*';

  it('are accepted from hosts that the provider knows', () => {
    assert.equal(liveViewUrl('https://live.example/x?t=1', allows).href, 'https://live.example/x?t=1');
    assert.equal(liveViewUrl('http://127.0.0.1:1/x', allows).hostname, '127.0.0.1');
  });

  it('may be unencrypted only on this machine, under a name that needs no resolver', () => {
    for (const host of ['127.0.0.1:1', '127.1.2.3', 'localhost:9222', '[::1]:1']) {
      assert.equal(liveViewUrl(`http://${host}/x`, () => true).host, host);
      assert.equal(recordingUrl(`http://${host}/x`).host, host);
    }
    for (const host of ['localhost.', 'app.localhost', 'xlocalhost', '128.0.0.1', 'live.example', '[::2]']) {
      assert.throws(() => liveViewUrl(`http://${host}/x`, () => true), host);
      assert.throws(() => recordingUrl(`http://${host}/x`), host);
    }
  });

  it('are checked for framing only if they could be framed at all', () => {
    let asked = 0;
    const counts = () => ++asked > 0;
    for (const raw of ['http://live.example/', 'javascript:1', 'https://u@live.example/', '', 'https://a*b.example/']) {
      assert.throws(() => liveViewUrl(raw, counts), raw);
    }
    assert.equal(asked, 0);
    const longest = `https://live.example/${'x'.repeat(8_192 - 21)}`;
    assert.equal(liveViewUrl(longest, counts).href, longest);
    assert.throws(() => liveViewUrl(`${longest}x`, counts));
  });

  it('are rejected otherwise, without being repeated', () => {
    for (const raw of [
      '',
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'command:workbench.action.quit',
      'http://live.example/x',
      'https://evil.example/canary',
      'https://user:canary@live.example/',
      'https://canary@live.example/',
      'https://:canary@live.example/',
      'http://127.0.0.1.live.example/canary',
      'http://xlive.example/canary',
      'ws://live.example/canary',
      `https://live.example/${'x'.repeat(100_000)}`,
      // A content security policy would read these as more than one host.
      'https://*/canary',
      'https://*.live.example/canary',
      "https://live.example;script-src'none'/canary",
    ]) {
      assert.throws(
        () => liveViewUrl(raw, allows),
        (error) =>
          ProviderError.isOf(error, 'unexpectedAnswer') &&
          !/canary|javascript/.test(JSON.stringify(error) + error.message),
        raw,
      );
    }
  });
});
