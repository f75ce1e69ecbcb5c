import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const isId = /^[\da-f-]{36}$/;

/**
 * A random ID of this machine, because several may have the same name. It's kept in a file that is created when it's first
 * needed, and read synchronously, because nothing may be sent before it's known.
 * @param folder on this machine's own disk.
 * @returns another ID each time if the file can't be written.
 */
export function machineId(folder: string): string {
  const file = join(folder, 'machine-id');
  const known = readId(file);
  if (known !== undefined) return known;
  const id = randomUUID();
  try {
    mkdirSync(folder, { recursive: true });
    // Never replaces the one that another window has created in the meantime.
    writeFileSync(file, id, { flag: 'wx', mode: 0o600 });
    return id;
  } catch {
    return readId(file) ?? id;
  }
}

function readId(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return isId.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
