import { opendir } from 'node:fs/promises';

/**
 * The names in a folder; none if it doesn't exist or belongs to someone else. They are read in batches, so that others have their
 * turn: anyone can create hundreds of thousands in `/tmp`.
 */
export async function* namesIn(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await opendir(folder, { bufferSize: 1_000 })) yield name;
  } catch {
    // It doesn't exist, or belongs to someone else.
  }
}
