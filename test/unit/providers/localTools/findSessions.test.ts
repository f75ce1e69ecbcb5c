import { strict as assert } from 'node:assert';
import { portOfProfile } from '../../../../src/local/devtoolsPort.ts';
import { openProcessReader } from '../../../../src/local/openProcessReader.ts';
import type { ProcessReader } from '../../../../src/local/processes.ts';
import { openSessionSearch } from '../../../../src/providers/local/findSessions.ts';
import { leaveBehind } from '../../../host/leftBehind.ts';
import { startBrowse } from '../../../servers/browse.ts';
import { unaborted } from '../../testNetwork.ts';
import { until } from '../../until.ts';
import { onLinux, useToolHome } from './useToolHome.ts';

onLinux('the sessions for which this machine is shown', function () {
  this.timeout(60_000);
  const its = useToolHome();

  /** Reads only one browser of this machine, or none. */
  const readerOf = (wanted: number | undefined) => async (): Promise<ProcessReader> => {
    const reader = await openProcessReader();
    return {
      ...reader,
      list: async (...args) => {
        const all = await reader.list(...args);
        return { ...all, found: all.found.filter(({ pid }) => pid === wanted) };
      },
    };
  };
  const has = (pid?: number, shown?: number) =>
    openSessionSearch(readerOf(pid), its.home.env)(unaborted, (port) => port === shown);

  it('include browsers, except those whose DevTools port another account shows', async () => {
    const { pid, profile, stop } = await leaveBehind();
    try {
      await until(async () => (await portOfProfile(profile)) !== undefined);
      assert.equal(await has(pid), true);
      assert.equal(await has(pid, (await portOfProfile(profile))?.port), false);
      assert.equal(await has(), false);
    } finally {
      stop();
    }
  });

  it('include those of tools that only control a browser in a cloud or one that something else started', async () => {
    assert.equal(await has(), false);
    const { process: daemon } = await startBrowse(its.home, 'guest', { kind: 'cdp', endpoint: 'ws://127.0.0.1:9/x' });
    assert.equal(await has(), true);
    await daemon.stop();
    assert.equal(await has(), false);
  });
});
