import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import * as v from 'valibot';
import type { HttpAnswer } from '../../../src/core/http.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import {
  dateField,
  decode,
  decodeEach,
  decodeList,
  idField,
  mostRows,
  RowMemory,
  type Rows,
  timeField,
} from '../../../src/http/decode.ts';
import { everyPage, namedBy } from '../../../src/http/paging.ts';
import { errorOf } from '../errors.ts';

const answer = (body: string, type = 'application/json'): HttpAnswer => ({
  status: 200,
  body,
  bytes: Buffer.from(body),
  header: (name) => (name === 'content-type' ? type : undefined),
});
const Row = v.object({ id: idField, at: dateField });

describe('decode', () => {
  it('keeps only what the schema names', () => {
    const row = decode(
      Row,
      answer('{"id":"a","at":"2026-11-22T12:00:00Z","__proto__":{"polluted":true},"cdp_url":"x"}'),
    );
    assert.deepEqual(row, { id: 'a', at: Date.parse('2026-11-22T12:00:00Z') });
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('reads times as servers write them, and one without a zone as UTC, wherever this runs', () => {
    const noon = Date.UTC(2026, 10, 22, 12);
    const read = (at: string) => decode(Row, answer(JSON.stringify({ id: 'a', at }))).at;
    const zone = process.env['TZ'];
    try {
      for (const place of ['Europe/Berlin', 'America/Los_Angeles', 'UTC']) {
        process.env['TZ'] = place;
        for (const text of [
          '2026-11-22T12:00:00Z',
          '2026-11-22t12:00z',
          '2026-11-22T12:00:00',
          '2026-11-22 12:00:00.000000',
          '2026-11-22 12:00:00,000 +00',
          '2026-11-22T13:30:00+0130',
          '2026-11-22T07:00:00.000-05:00',
        ]) {
          assert.equal(read(text), noon, `${text} in ${place}`);
        }
        assert.equal(read('2026-11-22'), Date.UTC(2026, 10, 22));
        for (const text of ['5', 'Session 12', 'unknown 3', '12/11/2026', '2026-13-01T00:00:00Z', '2026-11-22T25:00Z'])
          assert.equal(read(text), undefined, text);
      }
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  it('says in plain words what is wrong, and repeats nothing from the response', () => {
    for (const [body, type, what] of [
      ['<!DOCTYPE html><h1>canary</h1>', 'text/html', 'it returned a web page instead of data'],
      ['  <html>canary', 'application/json', 'it returned a web page instead of data'],
      ['{"id":"canary', 'application/json', "its response is incomplete or isn't JSON"],
      ['', 'application/json', 'its response is empty'],
      ['{"id":7}', 'application/json', 'its "id" isn\'t as documented'],
      ['{"id":"all"}', 'application/json', 'its id is the word for everything'],
      ['null', 'application/json', "its response isn't as documented"],
    ] as const) {
      assert.throws(
        () => decode(Row, answer(body, type)),
        (error) => {
          assert.ok(ProviderError.isOf(error, 'unexpectedAnswer'));
          assert.deepEqual(error.trouble, { kind: 'unexpectedAnswer', what });
          return !error.message.includes('canary');
        },
      );
    }
  });

  it('accepts only valid dates', () => {
    for (const at of ['yesterday', '', 12, null, {}, '2026-13-45']) {
      assert.equal(v.parse(Row, { id: 'a', at }).at, undefined);
    }
    const time = Date.parse('2026-11-22T12:00:00Z');
    for (const at of [time, '2026-11-22T12:00:00Z']) assert.equal(v.parse(timeField, at), time);
    for (const at of ['yesterday', 1e20, null, {}]) assert.equal(v.parse(timeField, at), undefined);
  });

  it('rejects dates that no session can have and that would break calculations', () => {
    for (const at of ['-271821-04-20T00:00:00Z', '+275760-09-13T00:00:00Z', '1900-01-01', -8.64e15, 8.64e15, 1]) {
      assert.equal(v.parse(timeField, at), undefined, String(at));
    }
    assert.equal(v.parse(dateField, '-271821-04-20T00:00:00Z'), undefined);
  });

  it('separates good rows from bad ones, and names the bad ones', async () => {
    const { rows, faults } = await decodeEach(
      Row,
      { rows: [{ id: 'a' }, { id: 'b/c' }, 7, { id: 'd' }], faults: [] },
      namedBy('id'),
    );
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['a', 'd'],
    );
    assert.deepEqual(faults, [
      { subject: 'b/c', what: 'its id has characters that no id may have' },
      { subject: 'row 3', unnamed: true, what: "it isn't as documented" },
    ]);
  });

  it('throws only our own error, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        try {
          decode(Row, answer(body));
        } catch (error) {
          assert.ok(ProviderError.isOf(error, 'unexpectedAnswer'));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a list in a response', () => {
  const List = v.object({ rows: v.array(v.unknown()), total: v.optional(v.number()) });
  const read = (body: string) => decodeList(List, ['rows'], answer(body));

  it('is read with what is around it', async () => {
    const { whole, rows, faults, count } = await read('{"rows":[{"id":"a"},7],"total":2}');
    assert.deepEqual([whole.total, rows, faults, count], [2, [{ id: 'a' }, 7], [], 2]);
  });

  it('is rejected in the same words as any other response', async () => {
    for (const [body, what] of [
      ['<html>canary', 'it returned a web page instead of data'],
      ['', 'its response is empty'],
      ['  ', 'its response is empty'],
      ['{"rows":[{"id":"canary"', "its response is incomplete or isn't JSON"],
      ['{"rows":[{"id":}]}', "its response is incomplete or isn't JSON"],
      ['{"rows":[1,]}', "its response is incomplete or isn't JSON"],
      ['{"rows":7}', 'its "rows" isn\'t as documented'],
      ['{}', 'its "rows" isn\'t as documented'],
      ['[]', 'its "rows" isn\'t as documented'],
      ['7', "its response isn't as documented"],
      [`{"rows":[],"x":"${'x'.repeat(600_000)}"}`, 'its response is too large to read'],
    ] as const) {
      const error = await errorOf(read(body));
      assert.deepEqual(error.trouble, { kind: 'unexpectedAnswer', what }, body.slice(0, 40));
      assert.doesNotMatch(error.message, /canary/);
    }
  });

  it('reports rows that are too large or too many, and reads the others', async () => {
    const wide = JSON.stringify(Array.from({ length: 10_001 }, () => 0));
    const { rows, faults } = await read(`{"rows":["${'x'.repeat(4 * 2 ** 20)}",${wide},1]}`);
    assert.deepEqual(rows, [1]);
    const what = "it's too large to read";
    assert.deepEqual(faults, [
      { subject: 'row 1', unnamed: true, what },
      { subject: 'row 2', unnamed: true, what },
    ]);
    const many = await read(`{"rows":[${'0,'.repeat(mostRows + 6)}0]}`);
    assert.equal(many.rows.length, mostRows);
    assert.deepEqual(many.faults, [
      { subject: '7 more rows', unnamed: true, what: 'only the first 10000 rows of a list are read' },
    ]);
    assert.equal(many.count, mostRows + 7);
  });

  it('is read only up to the number of rows that memory has room for', async () => {
    const nested = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    const { rows, faults } = await read(`{"rows":[${Array.from({ length: 300 }, () => nested).join()}]}`);
    assert.ok(rows.length >= 95 && rows.length < 100, String(rows.length));
    const what = `only the first ${rows.length} rows of a list are read`;
    assert.deepEqual(faults, [{ subject: `${300 - rows.length} more rows`, unnamed: true, what }]);
  });

  it('rejects a response about one thing that is as large as a list', () => {
    const body = JSON.stringify({ id: 'a', more: 'x'.repeat(600_000) });
    assert.throws(() => decode(Row, answer(body)), /its response is larger than 512 KiB/);
  });

  it('keeps no row name that is longer than any id', async () => {
    const list = { rows: [{ id: 'x'.repeat(100_000) }], faults: [] };
    const { faults } = await decodeEach(Row, list, namedBy('id'));
    assert.ok((faults[0]?.subject.length ?? 0) <= 300);
  });
});

describe('paging', () => {
  const rowsOf = async (pages: AsyncIterable<Rows>) => (await Array.fromAsync(pages)).flatMap(({ rows }) => rows);

  it('reads every page', async () => {
    const read = async (page: number) => ({
      rows: [{ id: `a${page}` }, { id: `b${page}` }],
      faults: [],
      more: page < 3,
    });
    assert.equal((await rowsOf(everyPage(read, namedBy('id')))).length, 6);
  });

  it('ends at an empty page even if more is promised', async () => {
    const read = async (page: number) => ({ rows: page === 1 ? [{ id: 'a' }] : [], faults: [], more: true });
    assert.equal((await rowsOf(everyPage(read, namedBy('id')))).length, 1);
  });

  it('reads no more rows than its limit, and says that there are more', async () => {
    const pageOf = (more: (page: number) => boolean) => async (page: number) => ({
      rows: [{ id: `a${page}` }, { id: `b${page}` }],
      faults: [],
      more: more(page),
    });
    const endless = await Array.fromAsync(
      everyPage(
        pageOf(() => true),
        namedBy('id'),
        5,
      ),
    );
    assert.deepEqual(endless.flatMap(({ rows }) => rows).length, 5);
    assert.deepEqual(endless.at(-1)?.faults, [
      { subject: 'The rest of the list', unnamed: true, what: 'only the first 5 rows of a list are read' },
    ]);
    const whole = await Array.fromAsync(
      everyPage(
        pageOf((page) => page < 3),
        namedBy('id'),
        6,
      ),
    );
    assert.deepEqual(
      whole.flatMap(({ faults }) => faults),
      [],
    );
    const exact = await Array.fromAsync(
      everyPage(
        pageOf(() => true),
        namedBy('id'),
        6,
      ),
    );
    assert.equal(exact.at(-1)?.faults.length, 1);
  });

  it('gives up on a list that repeats itself or never ends, and says so', async () => {
    const same = async () => ({ rows: [{ id: 'a' }], faults: [], more: true });
    await assert.rejects(rowsOf(everyPage(same, namedBy('id'))), /repeats itself on page 2/);
    const endless = async (page: number) => ({ rows: [{ id: `a${page}` }], faults: [], more: true });
    await assert.rejects(rowsOf(everyPage(endless, namedBy('id'))), /has no end: 500 pages/);
  });
});

describe('a list that is read again', () => {
  const List = v.array(v.unknown());
  const body = (...rows: object[]) => JSON.stringify(rows);
  const [a, b] = [
    { id: 'a', at: '2026-11-22T12:00:00Z' },
    { id: 'b', at: null },
  ];

  async function reading(memory: RowMemory, text: string) {
    const list = await decodeList(List, [], answer(text), memory);
    return decodeEach(Row, list, namedBy('id'));
  }

  it('has the same objects for rows that are the same, and new ones for the others', async () => {
    const memory = new RowMemory();
    const first = (await reading(memory, body(a, b))).rows;
    const again = (await reading(memory, body(a, b))).rows;
    assert.deepEqual(again, first);
    assert.equal(again[0], first[0]);
    const changed = await reading(memory, body({ ...b, id: 'c' }, { ...a, at: null }, b));
    assert.deepEqual(changed.rows, [
      { id: 'c', at: undefined },
      { id: 'a', at: undefined },
      { id: 'b', at: undefined },
    ]);
    assert.equal(changed.rows[2], first[1]);
    assert.deepEqual((await reading(memory, body())).rows, []);
    const later = (await reading(memory, body(a))).rows;
    assert.deepEqual(later, [first[0]]);
    assert.notEqual(later[0], first[0], 'only the list before is kept');
  });

  it('reports what is wrong with its rows each time', async () => {
    const memory = new RowMemory();
    const [first, again] = [await reading(memory, body(a, { id: 7 })), await reading(memory, body(a, { id: 7 }))];
    assert.equal(first.faults.length, 1);
    assert.deepEqual(again, first);
    await assert.rejects(reading(memory, '[{"id":'), ProviderError.is);
    assert.deepEqual(await reading(memory, body(a, { id: 7 })), first);
  });

  it('isn’t affected by what becomes of an answer’s bytes', async () => {
    const memory = new RowMemory();
    const reused = answer(body(a));
    const read = async () => (await decodeEach(Row, await decodeList(List, [], reused, memory), namedBy('id'))).rows;
    assert.equal((await read())[0]?.id, 'a');
    reused.bytes.set(Buffer.from(body({ ...a, id: 'z' })));
    assert.equal((await read())[0]?.id, 'z');
  });
});
