import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import * as stages from './stages.ts';

// One file for each stage, because mocha runs files in parallel, not the tests of a file.
describe('the contract', () => {
  it('is tested on each stage, each in a file of its own', () => {
    const tests = readdirSync(import.meta.dirname)
      .filter((name) => name.endsWith('.test.ts') && name !== 'contract.test.ts')
      .map((name) => readFileSync(`${import.meta.dirname}/${name}`, 'utf8'));
    for (const stage of Object.keys(stages)) {
      const using = tests.filter(
        (text) => new RegExp(`\\b${stage}\\b`).test(text) && text.includes('providerContract('),
      );
      assert.equal(using.length, 1, `${using.length} files test the contract on ${stage}`);
    }
    assert.equal(tests.length, Object.keys(stages).length);
  });
});
