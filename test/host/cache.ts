import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Advice, step } from './steps.ts';

/** Where this user's machine keeps what can be fetched again, shared by every clone of the project. */
export function cacheFolder(): string {
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
 * Returns a folder of the cache, filling it when it is not there. It is filled beside its place and moved there when it
 * is whole, so that a half-done install is never used, nor one of two that race.
 * @param name of the folder, with all that is to make it another one.
 * @param what it is, for the user who waits.
 * @param needs how much room it takes.
 * @param install fills the folder it is given, which holds an empty package.json.
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
