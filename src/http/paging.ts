import { ProviderError } from '../core/providerError.ts';
import { leftOut, mostRows, type Rows, rowAt } from './decode.ts';

/** No account has that many pages; a list that is longer never ends. */
const mostPages = 500;
/** Longest name of a row that is compared, in characters; ids are shorter. */
const longestName = 256;

/** One page of a list, as a provider answers it. */
export interface ListPage extends Rows {
  /** Whether the provider says that there is another page. */
  readonly more: boolean;
}

/**
 * Reads a list to its last page, whatever total the provider reports.
 * @param read is called with 1, 2, 3 …
 * @param keyOf identifies a row.
 * @param most how many rows are read; if there are more, the last page says so.
 * @throws ProviderError `unexpectedAnswer` for a list that repeats itself or never ends, rather than part of it.
 */
export async function* everyPage(
  read: (page: number) => Promise<ListPage>,
  keyOf: (row: unknown, index: number) => string,
  most = mostRows,
): AsyncGenerator<Rows> {
  const seen = new Set<string>();
  let count = 0;
  for (let page = 1; page <= mostPages; page++) {
    const { rows, faults, more } = await read(page);
    const before = seen.size;
    for (const [index, row] of rows.entries()) seen.add(keyOf(row, index));
    if (rows.length > 0 && seen.size === before) throw endless(`its list repeats itself on page ${page}`);
    const left = most - count;
    count += rows.length;
    const isWhole = count < most || (count === most && !more);
    yield isWhole ? { rows, faults } : { rows: rows.slice(0, left), faults: [...faults, leftOut(undefined, most)] };
    if (!isWhole || !more || rows.length === 0) return;
  }
  throw endless(`its list has no end: ${mostPages} pages were read`);
}

/** Names a row by one of its fields, or by its place in the list. */
export function namedBy(field: string): (row: unknown, index: number) => string {
  return (row, index) => {
    const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, field) : undefined;
    return typeof id === 'string' && id !== '' ? id.slice(0, longestName + 1) : rowAt(index);
  };
}

function endless(what: string): ProviderError {
  return new ProviderError({ kind: 'unexpectedAnswer', what }, `gave up a list: ${what}`);
}
