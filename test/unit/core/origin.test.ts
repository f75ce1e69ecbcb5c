import { strict as assert } from 'node:assert';
import { formatAddress, isLoopback, parseAddress } from '../../../src/core/origin.ts';

describe('addresses', () => {
  it('are https anywhere, and http on this machine', () => {
    for (const [raw, written] of [
      ['https://api.anchorbrowser.io', 'https://api.anchorbrowser.io'],
      [' https://gateway.example/base/ ', 'https://gateway.example/base'],
      ['http://127.0.0.1:9222', 'http://127.0.0.1:9222'],
      ['http://localhost:9222/', 'http://localhost:9222'],
      ['http://[::1]:9222', 'http://[::1]:9222'],
    ] as const) {
      const address = parseAddress(raw);
      assert.ok(address.ok, raw);
      assert.equal(formatAddress(address.url), written);
    }
  });

  it('say what is wrong with them', () => {
    for (const [raw, fault] of [
      ['', 'notAUrl'],
      ['api.anchorbrowser.io', 'notAUrl'],
      ['javascript:alert(1)', 'notAUrl'],
      ['file:///etc/passwd', 'notAUrl'],
      ['ftp://host', 'scheme'],
      ['command://host', 'scheme'],
      ['http://api.anchorbrowser.io', 'notEncrypted'],
      ['http://127.0.0.1.evil.example', 'notEncrypted'],
      ['http://localhost.evil.example', 'notEncrypted'],
      ['https://user:secret@host', 'credentials'],
      ['https://host/?token=1', 'query'],
      ['https://host/#x', 'query'],
    ] as const) {
      const address = parseAddress(raw);
      assert.equal(address.ok ? 'ok' : address.fault, fault, raw);
    }
  });

  it('know this machine by all of its names', () => {
    for (const host of ['localhost', 'LOCALHOST.', 'a.localhost', '127.0.0.1', '127.9.8.7', '[::1]', '::1']) {
      assert.ok(isLoopback(host), host);
    }
    for (const host of ['127.0.0.1.example.com', 'localhost.com', '0.0.0.0', '10.0.0.1', '']) {
      assert.ok(!isLoopback(host), host);
    }
  });
});
