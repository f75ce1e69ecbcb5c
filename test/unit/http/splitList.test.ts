import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { splitList } from '../../../src/http/splitList.ts';

async function split(text: string, path: readonly string[], most = 100) {
  const json = Buffer.from(text);
  const found = await splitList(json, path, most);
  if (found === undefined) return undefined;
  const rows = found.rows.map(({ from, to }) => JSON.parse(json.toString('utf8', from, to)));
  return { rest: JSON.parse(found.rest.trim()), rows, count: found.count };
}

describe('splitting a list', () => {
  it('finds the rows wherever the list is, and keeps the rest', async () => {
    assert.deepEqual(await split('[1,{"a":[2,3]},"x,]"]', []), { rest: [], rows: [1, { a: [2, 3] }, 'x,]'], count: 3 });
    assert.deepEqual(
      await split('{"data":{"n":[1],"items":[{"id":"a"}, {"id":"b"}],"more":true},"x":{}}', ['data', 'items']),
      {
        rest: { data: { n: [1], items: [], more: true }, x: {} },
        rows: [{ id: 'a' }, { id: 'b' }],
        count: 2,
      },
    );
    assert.deepEqual(await split(' \ufeff{"a" : [ ] }', ['a']), { rest: { a: [] }, rows: [], count: 0 });
  });

  it('reads a list with only white space in it as empty', async () => {
    assert.deepEqual(await split(`[${' \n'.repeat(1_000)}]`, []), { rest: [], rows: [], count: 0 });
    await assert.rejects(split('[1,]', []), SyntaxError);
    await assert.rejects(split('[,1]', []), SyntaxError);
  });

  it('isn’t misled by names and brackets elsewhere', async () => {
    const text =
      '{"items":{"items":[1]},"x":[{"items":[2]}],"t":"\\"items\\":[3]","\\u0069tems":[4],"n":{"items":[5]}}';
    const found = await split(text, ['items']);
    assert.deepEqual(found?.rows, [4]);
    assert.deepEqual((await split('{"items":"none","a":[1]}', ['items']))?.rows, []);
    assert.deepEqual((await split('{"items":{"0":1}}', ['items']))?.rows, []);
    assert.deepEqual((await split('{"a":1}', []))?.rows, []);
    assert.deepEqual((await split('7', ['a']))?.rows, []);
  });

  it('uses the last of two lists, as JSON.parse does', async () => {
    assert.deepEqual((await split('{"a":[1,2,3],"a":[4]}', ['a']))?.rows, [4]);
  });

  it('finds no more rows than its limit, and counts the others', async () => {
    const found = await split(`[${Array.from({ length: 50 }, (_, n) => n).join()}]`, [], 7);
    assert.deepEqual([found?.rows, found?.count], [[0, 1, 2, 3, 4, 5, 6], 50]);
  });

  it('rejects a truncated response', async () => {
    const whole = '{"data":{"items":[{"id":"a\\"b"},{"id":"c"}]}}';
    for (let length = 1; length < whole.length; length++) {
      assert.equal(await split(whole.slice(0, length), ['data', 'items']), undefined, whole.slice(0, length));
    }
    assert.equal(await split('[1]]', []), undefined);
  });

  it('finds in any JSON what JSON.parse finds', async () => {
    const path = fc.constantFrom([], ['a'], ['a', 'b'], ['items']);
    // No name is a backslash: JSON.parse of V8 13.6 would then read the name `"` of a later object as one, too.
    const key = fc.constantFrom('a', 'b', 'items', '', '"', 'ä');
    const { value: tree } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(1, -0.5, true, null, '', '[', ']', '{"a":[', '\\', '"', ',', '😀', '\u2028'),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(tree, path, fc.constantFrom(undefined, 1), async (value, names, indent) => {
        let list: unknown = value;
        for (const name of names) {
          list =
            typeof list === 'object' && list !== null && !Array.isArray(list) ? Reflect.get(list, name) : undefined;
        }
        const found = await split(JSON.stringify(value, undefined, indent), names);
        const expected = JSON.parse(JSON.stringify(Array.isArray(list) ? list : []));
        assert.deepEqual(found?.rows, expected);
        assert.equal(found?.count, expected.length);
      }),
      { numRuns: 3_000 },
    );
  });
});
