import { closeSync, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Turns } from '../core/turns.ts';
import { isOwn, readOnlyFlags } from './ownFile.ts';

/** A small file that a tool has written. */
export interface OwnFile<Content> {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly writtenAt: number;
  readonly content: Content;
}

/** The most files of a folder that are looked at, and the most that are read, the newest first. */
const mostNames = 10_000;
const mostFiles = 2_000;

interface Known<Content> {
  readonly version: string;
  readonly file: OwnFile<Content> | undefined;
}

/**
 * Repeatedly reads folders of small files that may contain keys. A file that hasn't changed isn't read again. Its text
 * isn't kept, only what was taken from it.
 *
 * Links, devices, and files that are too large or someone else's are left out. Files are read synchronously, a few
 * milliseconds at a time: on a busy machine, 2,000 files take 80 ms at first and 10 ms later.
 */
export class OwnFolders<Content> {
  readonly #isWanted: (name: string) => boolean;
  readonly #mostBytes: number;
  readonly #contentOf: (text: string) => Content | undefined;
  #known: ReadonlyMap<string, Known<Content>> = new Map();

  /**
   * @param isWanted called with the name of a file.
   * @param mostBytes the largest file that is read.
   * @param contentOf takes what is needed from a file's text; undefined if the text isn't valid.
   */
  constructor(
    isWanted: (name: string) => boolean,
    mostBytes: number,
    contentOf: (text: string) => Content | undefined,
  ) {
    this.#isWanted = isWanted;
    this.#mostBytes = mostBytes;
    this.#contentOf = contentOf;
  }

  /** The files of each folder. Folders that can't be read have none. Never rejects. */
  async read(folders: readonly string[]): Promise<ReadonlyMap<string, readonly OwnFile<Content>[]>> {
    const turns = new Turns();
    const known = new Map<string, Known<Content>>();
    const all = new Map<string, readonly OwnFile<Content>[]>();
    for (const folder of new Set(folders)) {
      const names = (await readdir(folder).catch(() => [])).filter(this.#isWanted).slice(0, mostNames);
      const found: { readonly name: string; readonly path: string; readonly stats: Stats }[] = [];
      for (const name of names) {
        if (turns.isOver) await turns.pass();
        const path = join(folder, name);
        const stats = statsOf(path);
        if (stats?.isFile() === true && isOwn(stats.uid) && stats.size <= this.#mostBytes)
          found.push({ name, path, stats });
      }
      const newest = found.toSorted((a, b) => b.stats.mtimeMs - a.stats.mtimeMs).slice(0, mostFiles);
      const files: OwnFile<Content>[] = [];
      for (const { name, path, stats } of newest) {
        if (turns.isOver) await turns.pass();
        const version = versionOf(stats);
        const before = this.#known.get(path);
        const one = before?.version === version ? before : { version, file: this.#read(name, path, version) };
        known.set(path, one);
        if (one.file !== undefined) files.push(one.file);
      }
      all.set(folder, files);
    }
    this.#known = known;
    return all;
  }

  #read(name: string, path: string, version: string): OwnFile<Content> | undefined {
    try {
      const file = openSync(path, readOnlyFlags);
      try {
        const stats = fstatSync(file);
        // The file has changed in the meantime. The next list reads it.
        if (versionOf(stats) !== version) return undefined;
        const buffer = Buffer.alloc(stats.size);
        const text = buffer.subarray(0, readSync(file, buffer, 0, stats.size, 0)).toString('utf8');
        const content = this.#contentOf(text);
        return content === undefined ? undefined : { name, writtenAt: stats.mtimeMs, content };
      } finally {
        closeSync(file);
      }
    } catch {
      return undefined;
    }
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function versionOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join('-');
}
