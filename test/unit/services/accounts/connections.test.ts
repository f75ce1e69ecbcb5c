import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Link, ProviderKind } from '../../../../src/core/provider.ts';
import { connect } from '../../../../src/services/accounts/connect.ts';
import { troubleOf } from '../../errors.ts';
import { exampleProvider } from '../../providers/exampleProvider.ts';
import { RecordingLog, realNetwork, unaborted } from '../../testNetwork.ts';

describe('connections', () => {
  /** The connection that a provider gets for an account. */
  function linkOf(origin: string): Link {
    let link: Link | undefined;
    const kind: ProviderKind = {
      ...exampleProvider,
      connect: (its) => {
        link = its;
        return exampleProvider.connect(its);
      },
    };
    connect(kind, origin, {}, realNetwork(new RecordingLog()));
    assert.ok(link);
    return link;
  }

  it('connect only to the account’s own host', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const link = linkOf(`http://127.0.0.1:${port}/base`);
      (await link.cdp.dial(new URL(`ws://127.0.0.1:${port}/devtools/browser/1`), {}, unaborted)).dispose();
      const grid = linkOf('https://grid.example');
      for (const other of [`ws://127.0.0.1:${port}/x`, `wss://127.0.0.1:${port}/x`, 'wss://evil.example/x']) {
        assert.equal(await troubleOf(grid.cdp.dial(new URL(other), {}, unaborted)), 'unsupported', other);
      }
    } finally {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });

  it('send a key only to addresses that its kind derives', async () => {
    const link = linkOf('https://grid.example');
    await assert.rejects(async () => link.httpTo(new URL('https://evil.example')));
  });
});
