import { Turns } from '../core/turns.ts';

/** One row of a list: where it is in the answer. */
export interface RowSpan {
  /** Its place in the list, from 0. */
  readonly index: number;
  /** The offsets of its first byte and of the byte after its last. */
  readonly from: number;
  readonly to: number;
  /** Upper bound on its number of values, itself included: together with its length, that is what it costs to read. */
  readonly values: number;
}

/** An answer with its list taken out. The rows were located, but not read. */
export interface SplitAnswer {
  /** The original JSON, with an empty list in place of the rows. */
  readonly rest: string;
  /** The first rows, in order. */
  readonly rows: readonly RowSpan[];
  /** How many rows there are, including those beyond the first. */
  readonly count: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** Bytes between two checks of the time: about a tenth of a millisecond. */
const stride = 32_768;

/**
 * Locates the rows of one list in a JSON answer without parsing any value, in turns: parsing 30 MiB with one
 * `JSON.parse` would block the extension host for half a second. What is between brackets isn't validated here, but
 * when it is read.
 * @param path the names that lead from the whole answer to the list; empty if the answer is the list.
 * @param most how many rows are located; rows after those are only counted.
 * @returns undefined if the answer breaks off. Without a list at the path, there are no rows and `rest` is everything.
 */
export async function splitList(json: Buffer, path: readonly string[], most: number): Promise<SplitAnswer | undefined> {
  const turns = new Turns();
  const kept: string[] = [];
  let rows: RowSpan[] = [];
  let count = 0;
  /** The first byte that isn't in `rest` yet. */
  let keptTo = 0;
  /** How many brackets are open, and how many of the outermost ones lead to the list. */
  let depth = 0;
  let depthOnPath = 0;
  /** Where the last string begins and ends: it is a name if a colon follows. */
  let textFrom = 0;
  let textTo = 0;
  /** Whether the next value is the one the path leads to. */
  let isNext = true;
  /** Where the current row begins; undefined outside the list. */
  let rowFrom: number | undefined;
  let values = 1;

  const endRow = (to: number, isLast: boolean) => {
    const from = rowFrom ?? to;
    rowFrom = to + 1;
    // An empty list, not a list with an empty last row.
    if (isLast && count === 0 && isBlank(json, from, to)) return;
    if (count < most) rows.push({ index: count, from, to, values });
    count++;
    values = 1;
  };

  let look = stride;
  for (let at = 0; at < json.length; at++) {
    if (at >= look) {
      look = at + stride;
      if (turns.isOver) await turns.pass();
    }
    const byte = json[at];
    if (byte === quote) {
      textFrom = at;
      for (at++; at < json.length && json[at] !== quote; at++) {
        if (json[at] === backslash) at++;
        if (at >= look) {
          look = at + stride;
          if (turns.isOver) await turns.pass();
        }
      }
      textTo = at + 1;
    } else if (byte === comma) {
      values++;
      if (rowFrom !== undefined) {
        if (depth === depthOnPath + 1) endRow(at, false);
      } else if (depth === depthOnPath) isNext = false;
    } else if (byte === colon) {
      if (rowFrom === undefined && depth === depthOnPath) isNext = isName(json, textFrom, textTo, path[depth - 1]);
    } else if (byte === openList || byte === openObject) {
      values++;
      const isOnPath = rowFrom === undefined && isNext && depth === depthOnPath;
      isNext = false;
      depth++;
      if (isOnPath && byte === openObject && depthOnPath < path.length) depthOnPath++;
      else if (isOnPath && byte === openList && depthOnPath === path.length) {
        // Of two lists with the same name the last one counts, as with `JSON.parse`.
        rows = [];
        count = 0;
        values = 1;
        rowFrom = at + 1;
        kept.push(json.toString('utf8', keptTo, at + 1));
      }
    } else if (byte === closeList || byte === closeObject) {
      if (rowFrom !== undefined && depth === depthOnPath + 1) {
        endRow(at, true);
        rowFrom = undefined;
        keptTo = at;
      } else if (rowFrom === undefined && depth === depthOnPath) depthOnPath--;
      depth--;
      if (depth < 0) return undefined;
    }
  }
  if (depth !== 0 || textTo > json.length) return undefined;
  return { rest: kept.join('') + json.toString('utf8', keptTo), rows, count };
}

/** White space as JSON defines it. */
const blanks = new Set([0x20, 0x09, 0x0a, 0x0d]);

function isBlank(json: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (!blanks.has(json[at] ?? 0)) return false;
  return true;
}

/** Longest name that is compared, in bytes, including quotes and escapes. */
const longestName = 256;

function isName(json: Buffer, from: number, to: number, name: string | undefined): boolean {
  if (name === undefined || to - from > longestName) return false;
  const text = json.toString('utf8', from, to);
  try {
    return JSON.parse(text) === name;
  } catch {
    return false;
  }
}
