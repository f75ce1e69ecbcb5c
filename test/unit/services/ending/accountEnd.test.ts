import { strict as assert } from 'node:assert';
import { sessionId } from '../../../../src/core/ids.ts';
import { AccountEnd, type EndCounts } from '../../../../src/services/ending/accountEnd.ts';
import { someSession } from '../../sessions.ts';
import { failure, scriptedServices } from '../scriptedProvider.ts';

const s0 = sessionId('s0');
const failed = { kind: 'failed', error: failure({ kind: 'forbidden' }) } as const;

/** Starts ends of the same session, s0, that share their counts. */
async function ends() {
  const scripted = await scriptedServices((provider) => void provider.start('s0'));
  const { services, clock, id, targets } = scripted;
  const { store, evidence, accounts, connections, log: logger } = services;
  const counts: EndCounts = new Map();
  const parts = { store, evidence, accounts, connections, clock, logger };
  return {
    ...scripted,
    begin: (of = targets()) => AccountEnd.begin(parts, id, of, counts, () => {}),
    life: () => store.life(id, s0).kind,
  };
}

function settle(end: AccountEnd): void {
  for (const pending of end.pending) end.settle(pending, 'failed', failed);
}

describe('an account’s part of an end', () => {
  it('shows the outcome of the last of several ends on the row, whenever the others finish', async () => {
    const { services, begin, life } = await ends();
    const three = [await begin(), await begin(), await begin()] as const;
    for (const [index, end] of three.entries()) {
      settle(end);
      end.showOutcomes();
      assert.equal(life(), index < 2 ? 'ending' : 'stuck');
    }
    const again = await begin();
    assert.equal(life(), 'ending');
    settle(again);
    assert.equal(life(), 'ending', 'it is shown with the others');
    again.finish();
    assert.equal(life(), 'stuck');
    services.dispose();
  });

  it('doesn’t show an outcome again while a later end is in progress', async () => {
    const { services, begin, life } = await ends();
    const first = await begin();
    settle(first);
    first.showOutcomes();
    assert.equal(life(), 'stuck');
    const second = await begin();
    first.finish();
    assert.equal(life(), 'ending');
    second.finish();
    services.dispose();
  });

  it('collects evidence about its sessions until it is finished, even if no list has them', async () => {
    const { services, id, begin, over } = await ends();
    const end = await begin([{ accountId: id, session: someSession('hidden') }]);
    await over(services.refresher.refresh(id));
    const isKnownToBeMissing = () => services.evidence.needsProbe(id, sessionId('hidden'));
    assert.equal(isKnownToBeMissing(), true);
    end.finish();
    assert.equal(isKnownToBeMissing(), false);
    services.dispose();
  });
});
