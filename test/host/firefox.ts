import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './processes.ts';
import { step } from './steps.ts';

/**
 * Finds a Firefox: an installed one, else Debian's package if there is apt-get and we are root.
 * @returns undefined if there is none: its tests are then skipped.
 */
export async function findFirefox(): Promise<string | undefined> {
  const found = installed();
  if (found !== undefined || !existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) return found;
  await step("Install Firefox (Debian's package, once for this machine)", async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update'], { env });
    await run('apt-get', ['install', '--yes', '--no-install-recommends', 'firefox-esr'], { env });
  });
  return installed();
}

function installed(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const names = ['firefox-esr', 'firefox'];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
}
