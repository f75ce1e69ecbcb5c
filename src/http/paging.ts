import { ProviderError } from '../core/providerError.ts';
import { rowAt } from './decode.ts';

/** No account has that many pages; a list that goes on beyond it has no end. */
const mostPages = 500;

/** One page of a list. */
export interface ListPage {
  readonly rows: readonly unknown[];
  /** Whether the vendor says that there is another page. */
  readonly more: boolean;
}

/**
 * Reads a list to its last page, whatever the vendor says of how many there are.
 * @param read is called with 1, 2, 3 …
 * @param keyOf tells one row from another.
 * @throws ProviderError `unexpectedAnswer` for a list that repeats itself or never ends: never a silent part of it.
 */
export async function* everyPage(
  read: (page: number) => Promise<ListPage>,
  keyOf: (row: unknown, index: number) => string,
): AsyncGenerator<readonly unknown[]> {
  const seen = new Set<string>();
  for (let page = 1; page <= mostPages; page++) {
    const { rows, more } = await read(page);
    const before = seen.size;
    for (const [index, row] of rows.entries()) seen.add(keyOf(row, index));
    if (rows.length > 0 && seen.size === before) throw endless(`its list repeats itself on page ${page}`);
    yield rows;
    if (!more || rows.length === 0) return;
  }
  throw endless(`its list has no end: ${mostPages} pages were read`);
}

/** Makes a function that names a row by one of its fields, or by its place in the list. */
export function namedBy(field: string): (row: unknown, index: number) => string {
  return (row, index) => {
    const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, field) : undefined;
    return typeof id === 'string' && id !== '' ? id : rowAt(index);
  };
}

function endless(what: string): ProviderError {
  return new ProviderError({ kind: 'unexpectedAnswer', what }, `gave up a list: ${what}`);
}
