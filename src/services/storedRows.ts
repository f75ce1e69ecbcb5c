import * as v from 'valibot';

/**
 * The rows of a stored list that can be read. A damaged row, or one that a newer version has written, is left out, and the
 * others aren't lost because of it.
 */
export function storedRows<Row>(schema: v.GenericSchema<unknown, Row>, stored: unknown): readonly Row[] {
  return (Array.isArray(stored) ? stored : []).flatMap((raw: unknown) => {
    const row = v.safeParse(schema, raw);
    return row.success ? [row.output] : [];
  });
}

/** The same for a stored object, by key. */
export function storedEntries<Row>(schema: v.GenericSchema<unknown, Row>, stored: unknown): ReadonlyMap<string, Row> {
  const entries = typeof stored === 'object' && stored !== null ? Object.entries(stored) : [];
  return new Map(
    entries.flatMap(([key, raw]) => {
      const row = v.safeParse(schema, raw);
      return row.success ? [[key, row.output] as const] : [];
    }),
  );
}
