import { strict as assert } from 'node:assert';
import { Emitter } from '../../../src/core/event.ts';
import type { NetworkSettings } from '../../../src/core/network.ts';
import { RoutedTransport } from '../../../src/http/routedTransport.ts';
import { noBody, RefusedRequest, type Transport, TransportError } from '../../../src/http/transport.ts';

const request = {
  url: new URL('https://provider.example/things'),
  origin: 'https://provider.example',
  method: 'GET',
  headers: {},
  body: undefined,
  signal: new AbortController().signal,
  maxBytes: 1,
  headersOnly: false,
};

/** A transport that fails as a test wants, and counts its calls. */
class ScriptedTransport implements Transport {
  sent = 0;
  fails: TransportError | undefined;
  async send() {
    this.sent += 1;
    if (this.fails !== undefined) throw this.fails;
    return { status: 200, headers: new Map<string, string>(), body: noBody };
  }
}

describe('the routed transport', () => {
  const noRoute = new TransportError({ kind: 'unreachable', why: 'proxy' }, true);
  let undici: ScriptedTransport;
  let editor: ScriptedTransport;
  const changed = new Emitter<void>();
  const over = (transport: NetworkSettings['transport']) =>
    new RoutedTransport(
      {
        settings: () => ({ transport, systemCertificates: true, strictCertificates: true }),
        routeTo: async () => ({ by: 'editor', proxy: undefined }),
        onDidChange: changed.event,
      },
      undici,
      editor,
    );

  beforeEach(() => {
    undici = new ScriptedTransport();
    editor = new ScriptedTransport();
  });

  it('uses undici as long as that gets through', async () => {
    const routed = over('auto');
    await routed.send(request);
    await routed.send(request);
    assert.deepEqual([undici.sent, editor.sent], [2, 0]);
  });

  it('falls back to the editor once, and remembers it until the settings change', async () => {
    undici.fails = noRoute;
    const routed = over('auto');
    await routed.send(request);
    await routed.send(request);
    assert.deepEqual([undici.sent, editor.sent], [1, 2]);
    changed.fire();
    undici.fails = undefined;
    await routed.send(request);
    assert.deepEqual([undici.sent, editor.sent], [2, 2]);
  });

  it('never retries another way what the provider may have seen', async () => {
    undici.fails = new TransportError({ kind: 'unreachable', why: 'cut' }, false);
    await assert.rejects(over('auto').send(request), TransportError);
    assert.equal(editor.sent, 0);
  });

  it('keeps using undici when a server refuses a request, even if nothing was sent', async () => {
    for (const by of ['server', 'connection'] as const) {
      undici.fails = new RefusedRequest(by);
      await assert.rejects(over('auto').send(request), RefusedRequest);
    }
    assert.equal(editor.sent, 0);
  });

  it('never lets the editor send to this machine, whatever the setting says', async () => {
    undici.fails = noRoute;
    for (const transport of ['auto', 'undici', 'editor'] as const) {
      await assert.rejects(over(transport).send({ ...request, url: new URL('http://127.0.0.1:1/') }), TransportError);
    }
    assert.deepEqual([undici.sent, editor.sent], [3, 0]);
  });

  it('follows the setting', async () => {
    undici.fails = noRoute;
    await assert.rejects(over('undici').send(request), TransportError);
    assert.deepEqual([undici.sent, editor.sent], [1, 0]);
    await over('editor').send(request);
    assert.deepEqual([undici.sent, editor.sent], [1, 1]);
  });
});
