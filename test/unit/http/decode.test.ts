import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import * as v from 'valibot';
import type { HttpAnswer } from '../../../src/core/http.ts';
import { ProviderError } from '../../../src/core/providerError.ts';
import { dateField, decode, decodeEach, idField, timeField } from '../../../src/http/decode.ts';
import { everyPage, namedBy } from '../../../src/http/paging.ts';

const answer = (body: string, type = 'application/json'): HttpAnswer => ({
  status: 200,
  body,
  bytes: Buffer.from(body),
  header: (name) => (name === 'content-type' ? type : undefined),
});
const Row = v.object({ id: idField, at: dateField });

describe('decode', () => {
  it('keeps what the schema names and nothing else', () => {
    const row = decode(
      Row,
      answer('{"id":"a","at":"2026-11-22T12:00:00Z","__proto__":{"polluted":true},"cdp_url":"x"}'),
    );
    assert.deepEqual(row, { id: 'a', at: Date.parse('2026-11-22T12:00:00Z') });
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('says in plain words what is wrong, and repeats nothing of the answer', () => {
    for (const [body, type, what] of [
      ['<!DOCTYPE html><h1>canary</h1>', 'text/html', 'it answered a web page in place of data'],
      ['  <html>canary', 'application/json', 'it answered a web page in place of data'],
      ['{"id":"canary', 'application/json', 'its answer breaks off or is not JSON'],
      ['', 'application/json', 'its answer is empty'],
      ['{"id":7}', 'application/json', 'its “id” is not as documented'],
      ['{"id":"all"}', 'application/json', 'its id is the word for everything'],
      ['null', 'application/json', 'its answer is not as documented'],
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

  it('takes for a date only what is one', () => {
    for (const at of ['yesterday', '', 12, null, {}, '2026-13-45']) {
      assert.equal(v.parse(Row, { id: 'a', at }).at, undefined);
    }
    const time = Date.parse('2026-11-22T12:00:00Z');
    for (const at of [time, '2026-11-22T12:00:00Z']) assert.equal(v.parse(timeField, at), time);
    for (const at of ['yesterday', 1e20, null, {}]) assert.equal(v.parse(timeField, at), undefined);
  });

  it('parts good rows from bad ones, and names the bad', async () => {
    const { rows, faults } = await decodeEach(Row, [{ id: 'a' }, { id: 'b/c' }, 7, { id: 'd' }], namedBy('id'));
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['a', 'd'],
    );
    assert.deepEqual(faults, [
      { subject: 'b/c', what: 'its id has characters that no id may have' },
      { subject: 'row 3', unnamed: true, what: 'it is not as documented' },
    ]);
  });

  it('throws nothing but our own error, whatever comes', () => {
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

describe('paging', () => {
  const rowsOf = async (pages: AsyncIterable<readonly unknown[]>) => (await Array.fromAsync(pages)).flat();

  it('reads every page', async () => {
    const read = async (page: number) => ({ rows: [{ id: `a${page}` }, { id: `b${page}` }], more: page < 3 });
    assert.equal((await rowsOf(everyPage(read, namedBy('id')))).length, 6);
  });

  it('ends at an empty page though more is promised', async () => {
    const read = async (page: number) => ({ rows: page === 1 ? [{ id: 'a' }] : [], more: true });
    assert.equal((await rowsOf(everyPage(read, namedBy('id')))).length, 1);
  });

  it('gives up a list that repeats itself or never ends, and says so', async () => {
    const same = async () => ({ rows: [{ id: 'a' }], more: true });
    await assert.rejects(rowsOf(everyPage(same, namedBy('id'))), /repeats itself on page 2/);
    const endless = async (page: number) => ({ rows: [{ id: `a${page}` }], more: true });
    await assert.rejects(rowsOf(everyPage(endless, namedBy('id'))), /has no end: 500 pages/);
  });
});
