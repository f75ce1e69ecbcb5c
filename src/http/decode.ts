import * as v from 'valibot';
import type { HttpAnswer } from '../core/http.ts';
import { idFault } from '../core/ids.ts';
import type { ListFault } from '../core/inventory.ts';
import { ProviderError } from '../core/providerError.ts';

type Schema<T> = v.GenericSchema<unknown, T>;

/** A string that is fit to be sent back as an id; see `idFault`. */
export const idField = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    const fault = dataset.typed ? idFault(dataset.value) : undefined;
    if (fault !== undefined) addIssue({ message: fault });
  }),
);

/** ISO 8601 date and time, read to epoch milliseconds; undefined where it is missing, null or no date. */
export const dateField = v.pipe(
  v.nullish(v.unknown()),
  v.transform((raw) => (typeof raw === 'string' ? timeOf(raw) : undefined)),
);

/** The same, or epoch milliseconds, for vendors who write either. */
export const timeField = v.pipe(
  v.nullish(v.unknown()),
  v.transform((raw) => (typeof raw === 'string' || typeof raw === 'number' ? timeOf(raw) : undefined)),
);

function timeOf(raw: string | number): number | undefined {
  const at = new Date(raw).getTime();
  return Number.isNaN(at) ? undefined : at;
}

/**
 * Reads a JSON answer. Only what the schema names is kept.
 * @throws ProviderError `unexpectedAnswer`, with what is wrong in plain words and nothing of the answer itself.
 */
export function decode<T>(schema: Schema<T>, answer: HttpAnswer): T {
  return decodeValue(schema, parse(answer));
}

/** {@link decode} for what is JSON no longer. */
export function decodeValue<T>(schema: Schema<T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw unexpected(faultIn(result.issues, 'its answer'));
}

/** What a row of a list is called that does not tell what it is about. */
export function rowAt(index: number): string {
  return `row ${index + 1}`;
}

/** Rows that are read before others get their turn: thousands at once would hold up everything for a tenth of a second. */
const rowsPerTurn = 500;

/**
 * Reads the rows of a list one by one, so that one row that is not as documented does not hide the others.
 * @param subject names a row that cannot be read, as far as it can be told.
 */
export async function decodeEach<T>(
  schema: Schema<T>,
  rows: readonly unknown[],
  subject: (row: unknown, index: number) => string,
): Promise<{ readonly rows: readonly T[]; readonly faults: readonly ListFault[] }> {
  const good: T[] = [];
  const faults: ListFault[] = [];
  for (const [index, row] of rows.entries()) {
    if (index > 0 && index % rowsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    const result = v.safeParse(schema, row);
    if (result.success) good.push(result.output);
    else {
      const named = subject(row, index);
      const fault = { subject: named, what: faultIn(result.issues, 'it') };
      faults.push(named === rowAt(index) ? { ...fault, unnamed: true } : fault);
    }
  }
  return { rows: good, faults };
}

function parse(answer: HttpAnswer): unknown {
  const text = answer.body.trim();
  if (text.startsWith('<') || (answer.header('content-type') ?? '').includes('html')) {
    throw unexpected('it answered a web page in place of data');
  }
  if (text === '') throw unexpected('its answer is empty');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unexpected('its answer breaks off or is not JSON', cause);
  }
}

function faultIn(issues: readonly v.BaseIssue<unknown>[], whole: string): string {
  const [first] = issues;
  const path = first === undefined ? null : v.getDotPath(first);
  if (first?.type === 'raw_check') return first.message;
  return path === null ? `${whole} is not as documented` : `its “${path}” is not as documented`;
}

function unexpected(what: string, cause?: unknown): ProviderError {
  return new ProviderError({ kind: 'unexpectedAnswer', what }, `unexpected answer: ${what}`, { cause });
}
