import { strict as assert } from 'node:assert';
import { type AccountId, accountId, type SessionId, sessionId } from '../../../../src/core/ids.ts';
import { ProviderError } from '../../../../src/core/providerError.ts';
import { ControlledSessions, type Pair } from '../../../../src/services/sessions/controlledSessions.ts';
import { SessionStore } from '../../../../src/services/sessions/sessionStore.ts';
import { keepingAll, someSession } from '../../sessions.ts';

const [machine, cloud, other] = [accountId('machine'), accountId('cloud'), accountId('other')];
const [tool, second, one, two] = ['tool', 'second', 'one', 'two'].map(sessionId) as [
  SessionId,
  SessionId,
  SessionId,
  SessionId,
];
const pairOf = (its: SessionId, session: SessionId): Pair => ({
  tool: { account: machine, session: its },
  cloud: { account: cloud, session },
});

describe('cloud sessions that tools on this machine control', () => {
  let store: SessionStore;
  let controlled: ControlledSessions;
  let protectedTools: readonly SessionId[];
  const left = (account: AccountId) => controlled.left(account, ({ session }) => protectedTools.includes(session));

  beforeEach(() => {
    protectedTools = [];
    store = new SessionStore(Date.now, (id) => (id === cloud ? 'anchor' : undefined));
    store.setAccounts([machine, cloud, other]);
    controlled = new ControlledSessions(store);
    const run = store.beginList(cloud);
    const sessions = [one, two].map((id) => someSession(id));
    run.arrive({ sessions, groups: [], faults: [], account: undefined });
    run.complete(keepingAll);
  });

  /** Lists this machine. @param drives the cloud session that each tool's session controls. */
  function list(drives: Readonly<Record<string, SessionId | undefined>>): void {
    const run = store.beginList(machine);
    const sessions = Object.entries(drives).map(([id, driven]) =>
      someSession(id, driven === undefined ? {} : { drives: { provider: 'anchor', id: driven } }),
    );
    run.arrive({ sessions, groups: [], faults: [], account: undefined });
    // Some of them are shown as the cloud's.
    const gone = [...store.known(machine).keys()].filter((id) => !(id in drives));
    run.complete({ ...keepingAll, gone: new Set(gone) });
  }

  it('are told of once, each with its tool', () => {
    list({ tool: one, second: two });
    assert.deepEqual(controlled.begun(cloud), [pairOf(tool, one), pairOf(second, two)]);
    assert.deepEqual(controlled.begun(cloud), []);
    list({ tool: two, second: two });
    assert.deepEqual(controlled.begun(cloud), [pairOf(tool, two)]);
    assert.deepEqual(controlled.begun(other), []);
  });

  it('are left once their tools control another session or have ended, as far as a list says', () => {
    list({ tool: one, second: two });
    controlled.note([pairOf(tool, one), pairOf(second, two)]);
    assert.deepEqual(left(machine), []);
    store.beginList(machine).fail(new ProviderError({ kind: 'timedOut', afterMs: 1 }, 'too slow'));
    assert.deepEqual(left(machine), []);
    list({ tool: two, second: two });
    assert.deepEqual(left(cloud), []);
    assert.deepEqual(left(machine), [pairOf(tool, one)]);
    assert.deepEqual(left(machine), []);
    list({ tool: two, second: undefined });
    assert.deepEqual(left(machine), []);
    list({ tool: two });
    assert.deepEqual(left(machine), [pairOf(second, two)]);
    controlled.note([pairOf(tool, two)]);
    store.setAccounts([cloud, other]);
    assert.deepEqual(left(machine), []);
    store.setAccounts([machine, cloud, other]);
    list({});
    assert.deepEqual(left(machine), [pairOf(tool, two)]);
  });

  it('aren’t left while another protected tool controls them, whichever of the two leaves first', () => {
    for (const stays of [tool, second]) {
      protectedTools = [tool, second];
      list({ tool: one, second: one });
      // Once the cloud session is protected, the other tool isn't noted.
      controlled.note([pairOf(stays === tool ? second : tool, one)]);
      list({ tool: stays === tool ? one : two, second: stays === tool ? two : one });
      assert.deepEqual(left(machine), []);
      list({ tool: two, second: two });
      assert.deepEqual(left(machine), [pairOf(stays, one)]);
    }
    controlled.note([pairOf(tool, two), pairOf(second, two)]);
    list({ tool: one, second: one });
    assert.deepEqual(left(machine), [pairOf(second, two)]);
  });

  it('are left if the other tool that controls them isn’t protected', () => {
    list({ tool: one, second: one });
    controlled.note([pairOf(tool, one)]);
    list({ tool: two, second: one });
    assert.deepEqual(left(machine), [pairOf(tool, one)]);
  });

  it('are told of again when their tools come back to them', () => {
    list({ tool: one, second: two });
    controlled.note(controlled.begun(cloud));
    list({ tool: two, second: two });
    assert.deepEqual(left(machine), [pairOf(tool, one)]);
    list({ tool: one, second: two });
    assert.deepEqual(controlled.begun(cloud), [pairOf(tool, one)]);
    controlled.forgetAll();
    list({});
    assert.deepEqual(left(machine), []);
  });

  it('aren’t told of as left if the user has protected or unprotected them since', () => {
    list({ tool: one, second: two });
    controlled.note([pairOf(tool, one), pairOf(second, two)]);
    controlled.forget(other, [one, two]);
    controlled.forget(cloud, [two]);
    list({});
    assert.deepEqual(left(machine), [pairOf(tool, one)]);
  });
});
