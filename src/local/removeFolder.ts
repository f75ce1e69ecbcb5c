import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often it's tried while something in the folder is busy, and how long to wait in between, in milliseconds. */
const mostAttempts = 20;
const betweenAttemptsMs = 200;

/**
 * Deletes a folder, and tries again for a few seconds while something in it is busy. `maxRetries` of `rm` applies to each folder in
 * it, one inside the other: a single busy file three folders down would be tried for days (Node 24).
 * @throws Error if something is left.
 */
export async function removeFolder(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rm(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if (attempt === mostAttempts) throw error;
      await sleep(betweenAttemptsMs);
    }
  }
}
