import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { type SettingKey, settings, settingValue } from '../../../src/ui/settings.ts';

const keys = Object.keys(settings) as SettingKey[];

describe('settings', () => {
  it('refresh no more often than every two seconds, whatever a settings file says', () => {
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

  it('keep every number within its bounds', () => {
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

  it('keep only the names whose value is a number within its bounds', () => {
    const rates = settingValue('cost.ratePerHour', {
      browserbase: 0.12,
      anchor: '0.12',
      browserless: -1,
      gateway: Number.NaN,
      localChrome: Number.POSITIVE_INFINITY,
      other: { value: 1 },
      free: 0,
    });
    assert.deepEqual(
      [...rates],
      [
        ['browserbase', 0.12],
        ['free', 0],
      ],
    );
    for (const written of [undefined, null, 3, 'browserbase', [1, 2], true]) {
      assert.equal(settingValue('cost.ratePerHour', written).size, 0, String(written));
    }
    const hostile = settingValue('cost.ratePerHour', JSON.parse('{"__proto__": 5, "constructor": 6, "x": {}}'));
    assert.deepEqual(
      [...hostile],
      [
        ['__proto__', 5],
        ['constructor', 6],
      ],
    );
    assert.equal(settingValue('cost.ratePerHour', {}).get('constructor'), undefined);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`p${index}`, 1]));
    assert.equal(settingValue('cost.ratePerHour', many).size, 100);
  });

  it('have a value of their own type that is allowed, whatever a settings file says', () => {
    for (const key of keys) {
      const spec = settings[key];
      const odd = [
        undefined,
        null,
        '',
        'x',
        0,
        -1,
        Number.NaN,
        1e308,
        true,
        [],
        {},
        ['x'],
        { x: 1 },
        'x'.repeat(100_000),
      ];
      for (const written of [...odd, ...fc.sample(fc.anything(), 200)]) {
        const value: unknown = settingValue(key, written);
        if (spec.type === 'array') {
          assert.ok(Array.isArray(value) && value.every((one) => typeof one === 'string'), key);
        } else if (spec.type === 'object') {
          assert.ok(value instanceof Map && value.size <= 100, key);
          for (const number of value.values()) assert.ok(number >= spec.min && number <= spec.max, key);
        } else {
          assert.equal(typeof value, spec.type, key);
          if (spec.type === 'string' && spec.values !== undefined) assert.ok(spec.values.includes(value as never), key);
          if (spec.type === 'string') assert.ok(String(value).length <= 1_000, key);
        }
      }
    }
  });

  it('come from a folder only if they can’t cost money or send a key elsewhere', () => {
    const ofFolder = keys.filter((key) => settings[key].scope === 'window');
    for (const key of ofFolder) assert.doesNotMatch(key, /refresh|network|confirm|cost|history|liveView|warnings/, key);
  });

  it('keep only known details of rows, once each', () => {
    const standard = ['age', 'page', 'region', 'tags', 'traits'];
    for (const wrong of [undefined, null, 'age', 7, {}, { 0: 'age', length: 1 }]) {
      assert.deepEqual(settingValue('row.details', wrong), standard);
    }
    assert.deepEqual(
      settingValue('row.details', ['metadata:job', 'age', 7, 'AGE', null, 'age', 'metadata:', ['age']]),
      ['metadata:job', 'age'],
    );
    assert.deepEqual(settingValue('row.details', []), []);
    assert.deepEqual(settingValue('row.details', Array(10_000).fill('x')), []);
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        const shown = settingValue('row.details', anything);
        assert.ok(shown.every((one) => typeof one === 'string'));
      }),
    );
  });

  it('treat invalid values as settings that weren’t set', () => {
    assert.equal(settingValue('confirm.endSession', 'never'), 'never');
    assert.equal(settingValue('confirm.endSession', 'NEVER'), 'always');
    assert.equal(settingValue('clickAction', 'format'), 'liveView');
    assert.equal(settingValue('history.enabled', 'false'), true);
    assert.equal(settingValue('mine', 'x'.repeat(1_001)), '');
    assert.equal(settingValue('mine', 'tag=anna'), 'tag=anna');
  });
});
