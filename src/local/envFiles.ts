import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EnvFile, SkippedEnvFile } from '../core/thisMachine.ts';
import { readOnlyFlags } from './ownFile.ts';

/** The largest file that is read, in bytes, and the most files of a folder, by name. */
export const largestEnvFile = 128 * 1024;
const mostFiles = 50;

/** `.env`, `.env.local`, `.env-staging`. Not `.envrc`, which is a program. */
const isEnvFile = /^\.env($|[.-])/;
/** These hold no keys, only what stands for them. */
const isTemplate = /[.-](example|sample|template|dist|defaults?)$/i;

/**
 * Reads a folder's variable files. Links aren't followed, because they may lead out of the folder; what isn't text is
 * ignored. A folder that can't be read has none.
 */
export async function readEnvFiles(
  folder: string,
): Promise<{ readonly files: readonly EnvFile[]; readonly skipped: readonly SkippedEnvFile[] }> {
  const names = await readdir(folder).catch(() => []);
  const found = names.filter((name) => isEnvFile.test(name) && !isTemplate.test(name)).sort();
  const files: EnvFile[] = [];
  const skipped: SkippedEnvFile[] = [];
  for (const name of found.slice(0, mostFiles)) {
    const text = await read(join(folder, name)).catch(() => 'unreadable' as const);
    if (typeof text === 'string') skipped.push({ name, reason: text });
    else if (text !== undefined) files.push({ name, text: text.content });
  }
  const [beyond] = found.slice(mostFiles);
  if (beyond !== undefined) skipped.push({ name: beyond, reason: 'tooMany' });
  return { files, skipped };
}

/** Undefined for what isn't a text file. */
async function read(path: string): Promise<{ readonly content: string } | SkippedEnvFile['reason'] | undefined> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return 'link';
  if (!found.isFile()) return undefined;
  // It may have been replaced since: by a link, or by a pipe that would never answer.
  const file = await open(path, readOnlyFlags);
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const buffer = Buffer.alloc(largestEnvFile + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = (await file.read(buffer, length, buffer.length - length, length)).bytesRead;
    }
    if (length > largestEnvFile) return 'tooLarge';
    const bytes = buffer.subarray(0, length);
    return bytes.includes(0) ? undefined : { content: bytes.toString('utf8') };
  } finally {
    await file.close();
  }
}
