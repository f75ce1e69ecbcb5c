import * as v from 'valibot';
import type { HttpAnswer } from '../core/http.ts';
import { idFault } from '../core/ids.ts';
import type { ListFault } from '../core/inventory.ts';
import { ProviderError } from '../core/providerError.ts';
import { Turns } from '../core/turns.ts';
import { splitList } from './splitList.ts';

type Schema<T> = v.GenericSchema<unknown, T>;

/** Most texts that are kept of a list of texts in a row, such as a session's tags. */
const mostTexts = 50;

/** The first texts of a list. More aren't useful, and each one is read whenever a row is drawn or searched. */
export const textsField = v.pipe(
  v.array(v.string()),
  v.transform((all) => all.slice(0, mostTexts)),
);

/** A string that may be sent back as an id; see `idFault`. */
export const idField = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    const fault = dataset.typed ? idFault(dataset.value) : undefined;
    if (fault !== undefined) addIssue({ message: fault });
  }),
);

/** ISO 8601 date and time, read to epoch milliseconds; undefined if it is missing, null or not a plausible date. */
export const dateField = v.pipe(
  v.nullish(v.unknown()),
  v.transform((raw) => (typeof raw === 'string' ? timeOf(raw) : undefined)),
);

/** The same, or epoch milliseconds, for providers that send either. */
export const timeField = v.pipe(
  v.nullish(v.unknown()),
  v.transform((raw) => (typeof raw === 'string' || typeof raw === 'number' ? timeOf(raw) : undefined)),
);

/** Dates outside this range, in epoch milliseconds, are mistakes. Near the limits of `Date`, arithmetic fails, too. */
const earliest = Date.UTC(1990, 0, 1);
const latest = Date.UTC(2200, 0, 1);

/** ISO 8601 as servers write it: also with a space instead of the T, without a time zone, or with `+01` or `+0100`. */
const isoDate = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?(?:Z|([+-]\d\d)(?::?(\d\d))?)?)?$/i;

function timeOf(raw: string | number): number | undefined {
  const at = new Date(typeof raw === 'string' ? isoTime(raw) : raw).getTime();
  return at >= earliest && at <= latest ? at : undefined;
}

/**
 * A time without a time zone is UTC, which is what servers mean. It mustn't depend on where this runs: windows on several
 * machines read the same start, and another start means another session.
 * @returns NaN if it isn't one.
 */
function isoTime(text: string): number {
  const [, date, time = '00:00', hours, minutes = '00'] = isoDate.exec(text) ?? [];
  if (date === undefined) return Number.NaN;
  return Date.parse(`${date}T${time.replace(',', '.')}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
}

/** The largest answer about a single thing, in bytes; lists use {@link decodeList}. Reading it takes up to 30 ms. */
const maxWholeBytes = 512 * 1_024;
/** How many rows of a list are read. Twice as many as the largest account that this is made for has sessions. */
export const mostRows = 10_000;
/**
 * The largest row, in bytes and in values. A value takes as long to read as a thousand letters: a row may have one long
 * text, such as an address that contains a whole page, or many short ones.
 */
const maxRowBytes = 4 * 2 ** 20;
const maxRowValues = 10_000;
/** Most values of all rows together, since they are in memory at once: a hundred in each of five thousand rows. */
const maxValues = 500_000;
/** Longest name of a row that is kept, in characters; ids are shorter. */
const longestSubject = 300;

/**
 * Reads a JSON answer. Only fields of the schema are kept.
 * @throws ProviderError `unexpectedAnswer`, with what is wrong in plain words and no part of the answer itself.
 */
export function decode<T>(schema: Schema<T>, answer: HttpAnswer): T {
  refuseOthers(answer);
  if (answer.bytes.length > maxWholeBytes) throw unexpected(`its response is larger than ${maxWholeBytes / 1_024} KiB`);
  return decodeValue(schema, parse(answer.body));
}

/**
 * Refuses an answer that is about a different session than the request was, for example one from a cache in between.
 * @param answered the id in the answer; nullish if there is none.
 * @throws ProviderError `unexpectedAnswer`
 */
export function refuseAnotherSession(asked: string, answered: string | null | undefined): void {
  if (answered != null && answered !== asked) throw unexpected('it answered about another session');
}

/** The rows of a list, not validated yet, and what couldn't be read. */
export interface Rows {
  readonly rows: readonly unknown[];
  readonly faults: readonly ListFault[];
}

/** Longest row that a {@link RowMemory} keeps, in characters. Most sessions take 300 to 800. */
const longestKeptRow = 2_048;

/** The largest list that a {@link RowMemory} keeps whole, in bytes: four times the size of a list of 5,000 sessions. */
const largestKeptList = 8 * 2 ** 20;

/**
 * A provider's last list, and its rows by their text. Most lists say of most sessions what the one before said: then the
 * same row is the same object, which needn't be read again.
 */
export class RowMemory {
  #rows: ReadonlyMap<string, unknown> = new Map();
  #last: { readonly json: Buffer; readonly list: object } | undefined;

  row(text: string): unknown {
    return this.#rows.get(text);
  }

  /** What was read of the last list, if this is the same. */
  list(json: Buffer): object | undefined {
    return this.#last?.json.equals(json) === true ? this.#last.list : undefined;
  }

  /** Keeps a list instead of the one before. */
  keep(json: Buffer, list: object, rows: ReadonlyMap<string, unknown>): void {
    this.#rows = rows;
    this.#last = json.length <= largestKeptList ? { json: Buffer.from(json), list } : undefined;
  }
}

/**
 * Reads an answer that contains a list, in turns and within bounds. Rows that are too large, and rows beyond the first
 * {@link mostRows}, are left out and reported in `faults`: then a session that isn't listed may still be running.
 * @param path the names that lead to the list; empty if the answer is the list.
 * @param memory remembers the previous list, so that rows that haven't changed aren't read again. Each schema and path needs
 * one of its own.
 * @returns `whole` is the answer with an empty list in place of the rows, `count` how many rows were sent.
 * @throws ProviderError as {@link decode} does, also when a row isn't JSON.
 */
export async function decodeList<T>(
  schema: Schema<T>,
  path: readonly string[],
  answer: HttpAnswer,
  memory?: RowMemory,
): Promise<Rows & { readonly whole: T; readonly count: number }> {
  refuseOthers(answer);
  const { buffer, byteOffset, byteLength } = answer.bytes;
  const json = Buffer.from(buffer, byteOffset, byteLength);
  const before = memory?.list(json);
  // Each memory is used with one schema.
  if (before !== undefined) return before as Rows & { readonly whole: T; readonly count: number };
  const split = await splitList(json, path, mostRows);
  if (split === undefined) throw notJson(undefined);
  if (split.rest.length > maxWholeBytes) throw unexpected('its response is too large to read');
  const whole = decodeValue(schema, parse(split.rest));
  const turns = new Turns();
  const rows: unknown[] = [];
  const faults: ListFault[] = [];
  const kept = new Map<string, unknown>();
  const row = (text: string) => {
    const value = memory?.row(text) ?? parse(text);
    if (memory !== undefined && text.length <= longestKeptRow) kept.set(text, value);
    return value;
  };
  let read = 0;
  let valuesLeft = maxValues;
  for (const { index, from, to, values } of split.rows) {
    if (turns.isOver) await turns.pass();
    valuesLeft -= Math.min(values, maxRowValues);
    if (valuesLeft < 0) break;
    read++;
    if (to - from <= maxRowBytes && values <= maxRowValues) rows.push(row(json.toString('utf8', from, to)));
    else faults.push({ subject: rowAt(index), unnamed: true, what: "it's too large to read" });
  }
  const beyond = split.count - read;
  if (beyond > 0) faults.push(leftOut(beyond, read));
  const list = { whole, rows, faults, count: split.count };
  memory?.keep(json, list, kept);
  return list;
}

/** The fault for rows that were left out because there are too many. They may be about any session. */
export function leftOut(rows: number | undefined, most: number): ListFault {
  const subject = rows === undefined ? 'The rest of the list' : `${rows} more rows`;
  return { subject, unnamed: true, what: `only the first ${most} rows of a list are read` };
}

/** {@link decode} for a value that is already parsed. */
export function decodeValue<T>(schema: Schema<T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw unexpected(faultIn(result.issues, 'its response'));
}

/** The subject of a row that doesn't say what it is about. */
export function rowAt(index: number): string {
  return `row ${index + 1}`;
}

/**
 * Reads the rows of a list one by one, so that a row that isn't as documented doesn't hide the others.
 * @param subject names a row that can't be read, as well as possible.
 * @returns the rows that were read, and the faults of the others, including rows left out earlier.
 */
export async function decodeEach<T>(
  schema: Schema<T>,
  { rows, faults: before }: Rows,
  subject: (row: unknown, index: number) => string,
): Promise<{ readonly rows: readonly T[]; readonly faults: readonly ListFault[] }> {
  const good: T[] = [];
  const faults: ListFault[] = [...before];
  const turns = new Turns();
  const known = readBefore(schema);
  for (const [index, row] of rows.entries()) {
    if (turns.isOver) await turns.pass();
    const isObject = typeof row === 'object' && row !== null;
    const before = isObject ? known.get(row) : undefined;
    if (before !== undefined) {
      good.push(before.output);
      continue;
    }
    const result = v.safeParse(schema, row, { abortEarly: true });
    if (result.success) {
      good.push(result.output);
      if (isObject) known.set(row, { output: result.output });
    } else {
      const named = subject(row, index).slice(0, longestSubject);
      const fault = { subject: named, what: faultIn(result.issues, 'it') };
      faults.push(named === rowAt(index) ? { ...fault, unnamed: true } : fault);
    }
  }
  return { rows: good, faults };
}

/**
 * {@link decodeEach} for a list that is only useful when it is complete.
 * @throws ProviderError `unexpectedAnswer`, with what is wrong with the first row that can't be read.
 */
export async function decodeAll<T>(
  schema: Schema<T>,
  list: Rows,
  subject: (row: unknown, index: number) => string,
): Promise<readonly T[]> {
  const { rows, faults } = await decodeEach(schema, list, subject);
  const [first] = faults;
  if (first !== undefined) throw unexpected(first.what);
  return rows;
}

/** What rows were read to, by schema and row: a {@link RowMemory} makes the same row the same object. */
const outputs = new WeakMap<object, WeakMap<object, { readonly output: unknown }>>();

function readBefore<T>(schema: Schema<T>): WeakMap<object, { readonly output: T }> {
  const known = outputs.get(schema) ?? new WeakMap();
  outputs.set(schema, known);
  return known as WeakMap<object, { readonly output: T }>;
}

function refuseOthers(answer: HttpAnswer): void {
  const front = Buffer.from(answer.bytes.subarray(0, 1_024)).toString('utf8').trim();
  if (front.startsWith('<') || (answer.header('content-type') ?? '').includes('html')) {
    throw unexpected('it returned a web page instead of data');
  }
  if (front === '' && answer.bytes.length <= 1_024) throw unexpected('its response is empty');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.trim());
  } catch (cause) {
    throw notJson(cause);
  }
}

function notJson(cause: unknown): ProviderError {
  return unexpected("its response is incomplete or isn't JSON", cause);
}

function faultIn(issues: readonly v.BaseIssue<unknown>[], whole: string): string {
  const [first] = issues;
  const path = first === undefined ? null : v.getDotPath(first);
  if (first?.type === 'raw_check') return first.message;
  return path === null ? `${whole} isn't as documented` : `its "${path}" isn't as documented`;
}

function unexpected(what: string, cause?: unknown): ProviderError {
  return new ProviderError({ kind: 'unexpectedAnswer', what }, `unexpected answer: ${what}`, { cause });
}
