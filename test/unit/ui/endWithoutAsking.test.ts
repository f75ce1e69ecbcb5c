import { strict as assert } from 'node:assert';
import { EndWithoutAsking } from '../../../src/ui/endWithoutAsking.ts';
import { MapMemory } from '../services/testServices.ts';
import { until } from '../until.ts';

describe('ending without asking', () => {
  let setting: string;
  let memory: MapMemory;
  let rule: EndWithoutAsking;

  beforeEach(() => {
    setting = 'always';
    memory = new MapMemory(0);
    rule = new EndWithoutAsking(memory, () => setting);
  });

  it('isn’t allowed by the setting alone, which other extensions and agents can write', () => {
    setting = 'never';
    assert.equal(rule.isAllowed, false);
  });

  it('is allowed once the user has chosen it and the setting says so, even after a restart', async () => {
    setting = 'never';
    await rule.allow();
    assert.equal(rule.isAllowed, true);
    assert.equal(new EndWithoutAsking(memory, () => setting).isAllowed, true);
  });

  it('ends when the setting is reset, and doesn’t return when something else sets it again', async () => {
    setting = 'never';
    await rule.allow();
    setting = 'always';
    rule.follow();
    await until(() => memory.values.get('endWithoutAsking') === undefined);
    setting = 'never';
    assert.equal(rule.isAllowed, false);
    // Nor when the change wasn't observed, only checked.
    await rule.allow();
    setting = 'something else';
    assert.equal(rule.isAllowed, false);
    await until(() => memory.values.get('endWithoutAsking') === undefined);
    setting = 'never';
    assert.equal(rule.isAllowed, false);
  });
});
