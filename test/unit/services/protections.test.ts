import { strict as assert } from 'node:assert';
import { accountId, sessionId } from '../../../src/core/ids.ts';
import { Protections } from '../../../src/services/protections.ts';
import { MapMemory } from './house.ts';

const [a, b] = [accountId('a'), accountId('b')];
const one = sessionId('one');

describe('protections', () => {
  it('are kept by account, and across restarts', async () => {
    const memory = new MapMemory();
    const protections = new Protections(memory);
    const changed: string[] = [];
    protections.onDidChange((id) => changed.push(id));
    await protections.set(a, [one], true);
    assert.ok(protections.has(a, one));
    assert.ok(!protections.has(b, one));
    const later = new Protections(memory);
    assert.ok(later.has(a, one));
    await later.set(a, [one], false);
    assert.ok(!new Protections(memory).has(a, one));
    assert.deepEqual(changed, ['a']);
  });

  it('survive what somebody else wrote in their place, and do not grow without end', async () => {
    const memory = new MapMemory();
    memory.values.set('protectedSessions', 'nonsense');
    const protections = new Protections(memory);
    const many = Array.from({ length: 600 }, (_, index) => sessionId(`s${index}`));
    await protections.set(a, many, true);
    assert.ok(!protections.has(a, sessionId('s0')));
    assert.ok(protections.has(a, sessionId('s599')));
  });
});
