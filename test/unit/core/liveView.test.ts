import { strict as assert } from 'node:assert';
import { liveViewUrl } from '../../../src/core/liveView.ts';
import { ProviderError } from '../../../src/core/providerError.ts';

describe('live view addresses', () => {
  const allows = ({ hostname }: URL) => /live\.example/.test(hostname) || hostname === '127.0.0.1' || hostname === '*';

  it('are taken from hosts that the adapter knows', () => {
    assert.equal(liveViewUrl('https://live.example/x?t=1', allows).href, 'https://live.example/x?t=1');
    assert.equal(liveViewUrl('http://127.0.0.1:1/x', allows).hostname, '127.0.0.1');
  });

  it('are refused otherwise, without being repeated', () => {
    for (const raw of [
      '',
      'javascript:alert(1)',
      'data:text/html,x',
      'file:///etc/passwd',
      'command:workbench.action.quit',
      'http://live.example/x',
      'https://evil.example/canary',
      'https://user:canary@live.example/',
      `https://live.example/${'x'.repeat(100_000)}`,
      // A content security policy would take these for more than one host.
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
