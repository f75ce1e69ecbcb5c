import { readFileSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';

// Linux only: mountinfo in proc(5). A container may have a folder of this machine mounted at another path.

/** Something that is mounted, as one process sees it. */
interface Mount {
  /** Its path. */
  readonly at: string;
  readonly device: string;
  /** Which folder of the device is mounted there. */
  readonly root: string;
}

/** What is mounted where, as one process sees it. */
export class Mounts {
  /** In the order in which they were mounted: a later one hides an earlier one at its path. */
  readonly #mounts: readonly Mount[];

  private constructor(mounts: readonly Mount[]) {
    this.#mounts = mounts;
  }

  /** As a process sees them, this one by default. @throws Error if they can't be read. */
  static of(pid: number | 'self' = 'self'): Mounts {
    const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n');
    const mounts = lines.flatMap((line) => {
      const [, , device = '', root = '', at] = line.split(' ').map(unescaped);
      return at === undefined ? [] : [{ at, device, root }];
    });
    return new Mounts(mounts);
  }

  /** Whether something is mounted at a folder or below it. */
  isAny(folder: string): boolean {
    return this.#mounts.some(({ at }) => isWithin(at, folder));
  }

  /** A path on its device, which is the same for all processes, wherever they have it mounted. */
  place(path: string): string {
    let found: Mount | undefined;
    for (const mount of this.#mounts) {
      if (mount.at.length >= (found?.at.length ?? 0) && isWithin(path, mount.at)) found = mount;
    }
    if (found === undefined) return path;
    const below = found.at === sep ? path : path.slice(found.at.length);
    return `${found.device} ${found.root === sep ? '' : found.root}${below}`;
  }
}

/** Which processes see the same mounts; empty if that can't be read. */
export function mountNamespace(pid: number | 'self'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return '';
  }
}

/** Whether a path is a folder or something in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Spaces and the like are written as `\040`. */
function unescaped(field: string): string {
  return field.replaceAll(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}
