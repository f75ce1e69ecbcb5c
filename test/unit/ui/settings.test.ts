import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { type SettingKey, settings, settingValue } from '../../../src/ui/settings.ts';
import { isOfProvider, readManifest } from '../../manifest.ts';

const { manifest } = readManifest();
const keys = Object.keys(settings) as SettingKey[];

describe('settings', () => {
  it('refreshes no more often than every two seconds, whatever a settings file says', () => {
    for (const [inFile, seconds] of [
      [0.001, 2],
      [1, 2],
      [2, 2],
      [7.5, 7.5],
      [600, 600],
      [1e9, 600],
      [Number.POSITIVE_INFINITY, 600],
      [0, 0],
      [-0, 0],
      [-1, 0],
      [Number.NEGATIVE_INFINITY, 0],
      [Number.NaN, 10],
      ['0.001', 10],
      [null, 10],
      [undefined, 10],
      [[0.001], 10],
    ] as const) {
      assert.equal(settingValue('refresh.interval', inFile), seconds, String(inFile));
    }
  });

  it('keeps every number within its bounds', () => {
    for (const key of keys) {
      const spec = settings[key];
      if (spec.type !== 'number') continue;
      fc.assert(
        fc.property(fc.anything(), (anything) => {
          const value = Number(settingValue(key, anything));
          assert.ok((spec.allowsZero && value === 0) || (value >= spec.min && value <= spec.max), String(value));
        }),
      );
    }
  });

  it('takes values that there are not for settings that were not set', () => {
    assert.equal(settingValue('confirm.endSession', 'never'), 'never');
    assert.equal(settingValue('confirm.endSession', 'NEVER'), 'always');
    assert.equal(settingValue('clickAction', 'format'), 'liveView');
    assert.equal(settingValue('history.enabled', 'false'), true);
    assert.equal(settingValue('mine', 'x'.repeat(1_001)), '');
    assert.equal(settingValue('mine', 'tag=anna'), 'tag=anna');
  });

  it('has the defaults, bounds, values and scopes that package.json has', () => {
    const { properties } = manifest.contributes.configuration;
    const own = Object.keys(properties).filter((key) => !isOfProvider(key));
    assert.deepEqual(own.sort(), keys.map((key) => `browserSessions.${key}`).sort());
    for (const key of keys) {
      const spec = settings[key];
      const property = properties[`browserSessions.${key}`];
      const { type, default: usual, scope } = property;
      assert.deepEqual({ type, default: usual, scope }, { type: spec.type, default: spec.default, scope: spec.scope });
      if (spec.type === 'string') assert.deepEqual(property.enum, spec.values, key);
      if (spec.type !== 'number') continue;
      assert.equal(property.minimum, spec.allowsZero ? 0 : spec.min, key);
      assert.equal(property.maximum, spec.max, key);
    }
  });

  it('takes nothing from a workspace that the user does not trust', () => {
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    const settable = keys.filter((key) => settings[key].scope === 'window').map((key) => `browserSessions.${key}`);
    for (const key of settable) assert.ok(restrictedConfigurations.includes(key), key);
    for (const key of restrictedConfigurations) assert.ok(key.replace('browserSessions.', '') in settings, key);
  });
});
