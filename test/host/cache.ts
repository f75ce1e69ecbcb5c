import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Advice, step } from './steps.ts';

/** Where this user keeps files that can be downloaded again, shared by every clone of the project. */
function cacheFolder(): string {
  const given = process.env['BROWSER_SESSIONS_CACHE'];
  if (given) return given;
  const base =
    process.platform === 'darwin'
      ? join(homedir(), 'Library', 'Caches')
      : process.platform === 'win32'
        ? (process.env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'))
        : (process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'));
  return join(base, 'browser-sessions');
}

/**
 * Returns a folder of the cache, filling it if needed. It is filled elsewhere and moved into place when it is complete,
 * so that neither a partial install nor one that lost a race is ever used.
 * @param name of the folder, containing everything that distinguishes versions.
 * @param what it is, for the waiting user.
 * @param needs how much disk space it takes.
 * @param install fills the folder it is given, which contains an empty package.json.
 */
export async function cached(
  name: string,
  what: string,
  needs: string,
  install: (folder: string) => Promise<void>,
): Promise<string> {
  const home = join(cacheFolder(), name);
  if (existsSync(home)) return home;
  await step(`Get ${what} from npm (once for this machine)`, async () => {
    await mkdir(cacheFolder(), { recursive: true });
    const beside = await mkdtemp(`${home}.`);
    try {
      await writeFile(join(beside, 'package.json'), '{ "private": true }\n');
      await install(beside);
      await rename(beside, home).catch((error: unknown) => {
        if (!existsSync(home)) throw error;
      });
    } catch (error) {
      throw new Advice(
        `${what} could not be installed from the npm registry. Check that \`npm ping\` works and that ` +
          `${cacheFolder()} has ${needs} free, and run this again.\n${String(error)}`,
      );
    } finally {
      await rm(beside, { recursive: true, force: true });
    }
  });
  return home;
}
