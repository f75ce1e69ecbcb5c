import { strict as assert } from 'node:assert';
import type { CdpConnection } from '../../../src/core/cdp.ts';
import type { Link, ProviderKind } from '../../../src/core/provider.ts';
import { connect, type Wires } from '../../../src/services/connections.ts';
import { troubleOf } from '../errors.ts';
import { madeUp } from '../providers/madeUp.ts';
import { KeptLog, realWires, unaborted } from '../wires.ts';

describe('connections', () => {
  /** The link that an adapter gets for an account, and the addresses that were dialled through it. */
  function linkOf(origin: string): { readonly link: Link; readonly dialled: string[] } {
    const dialled: string[] = [];
    const real = realWires(new KeptLog());
    const wires: Wires = {
      ...real,
      cdp: {
        dial: async ({ href }) => {
          dialled.push(href);
          return {} as CdpConnection;
        },
      },
    };
    let link: Link | undefined;
    const kind: ProviderKind = {
      ...madeUp,
      connect: (its) => {
        link = its;
        return madeUp.connect(its);
      },
    };
    connect(kind, origin, {}, wires);
    assert.ok(link);
    return { link, dialled };
  }

  it('dial the account’s own host, and no other', async () => {
    const { link, dialled } = linkOf('https://grid.example:8443/base');
    await link.cdp.dial(new URL('wss://grid.example:8443/devtools/browser/1'), {}, unaborted);
    for (const other of [
      'wss://grid.example/devtools/browser/1',
      'ws://grid.example:8443/devtools/browser/1',
      'wss://evil.example:8443/devtools/browser/1',
      'wss://grid.example.evil.example:8443/',
    ]) {
      assert.equal(await troubleOf(link.cdp.dial(new URL(other), {}, unaborted)), 'unsupported', other);
    }
    assert.deepEqual(dialled, ['wss://grid.example:8443/devtools/browser/1']);
    const local = linkOf('http://127.0.0.1:9222');
    await local.link.cdp.dial(new URL('ws://127.0.0.1:9222/x'), {}, unaborted);
    assert.equal(await troubleOf(local.link.cdp.dial(new URL('wss://127.0.0.1:9222/x'), {}, unaborted)), 'unsupported');
  });

  it('send a key to no address that its kind does not derive', async () => {
    const { link } = linkOf('https://grid.example');
    await assert.rejects(async () => link.httpTo(new URL('https://evil.example')));
  });
});
