import { strict as assert } from 'node:assert';
import { sessionId } from '../../../src/core/ids.ts';
import { thisMachineAccount } from '../../../src/services/accounts/thisMachineAccount.ts';
import { openServices, type Services } from '../../../src/services/openServices.ts';

import { RecordingLog, realNetwork } from '../testNetwork.ts';
import { until } from '../until.ts';
import { MapMemory, MemorySecretStore } from './testServices.ts';

describe('the services', () => {
  let services: Services;
  let memory: MapMemory;

  beforeEach(() => {
    memory = new MapMemory(0);
    const log = new RecordingLog();
    services = openServices({
      secrets: new MemorySecretStore(),
      globalState: memory,
      loadProviders: async () => [],
      network: realNetwork(log),
      logger: log,
      hasLocalSessions: async () => false,
      place: undefined,
      machine: undefined,
      settings: { interval: () => 0, background: () => 0, keepsHistory: () => true, showsThisMachine: () => true },
    });
  });
  afterEach(() => services.dispose());

  it('forget the protected sessions of an account that is removed, but not those of this machine', async () => {
    const { accounts, protections } = services;
    const offered = accounts.offer(thisMachineAccount);
    const id = await accounts.add({ provider: 'anchor', label: 'shop', origin: 'https://a.example', credentials: {} });
    await protections.set(id, [sessionId('shop-1')], true);
    await protections.set(thisMachineAccount.id, [sessionId('mine-1')], true);
    offered.dispose();
    await accounts.remove(id);
    await until(() => !JSON.stringify(memory.values.get('protectedSessions')).includes('shop-1'));
    assert.ok(protections.has(thisMachineAccount.id, sessionId('mine-1')));
  });
});
