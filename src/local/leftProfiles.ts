import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, readdir, realpath, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import type { LeftProfile, ProfileCheck, ProfileDeletion } from '../core/thisMachine.ts';
import { Turns } from '../core/turns.ts';
import { hasMount, isLocked, readUsedPaths, type UsedPaths } from './folderUse.ts';
import { namesIn } from './namesIn.ts';
import { openProcessReader } from './openProcessReader.ts';
import { removeFolder } from './removeFolder.ts';

// A profile contains cookies and logins, so a folder is deleted only if all of this is true: its name is one that a known tool
// gives its temporary profiles, it's inside the temporary folder, neither it nor a folder above it there is a link or someone
// else's, a browser has written to it, and no process uses it.

/** What each tool calls its temporary profiles, as seen by running it. */
const temporaryProfiles: readonly (readonly [tool: string, name: RegExp])[] = [
  ['Playwright', /^playwright_(chromium|firefox)dev_profile-[\w.-]+$/],
  ['agent-browser', /^agent-browser-chrome-[\w.-]+$/],
  ['Puppeteer', /^puppeteer_dev_((chrome|firefox)_)?profile-[\w.-]+$/],
  ['Stagehand', /^stagehand-v3[/\\]profile-[\w.-]+$/],
  ['browser-use', /^(browser-use-user-data-dir-|browseruse-tmp-)[\w.-]+$/],
  ['ChromeDriver', /^(\.?org\.chromium\.Chromium\.)?scoped_dir[\w.-]+$/],
  ['geckodriver', /^rust_mozprofile[\w.-]+$/],
];

/** At least one of these is in every folder that Chrome or Firefox has used as a profile. */
const writtenByBrowsers = [
  ...['Default', 'Local State', 'First Run', 'SingletonLock', 'DevToolsActivePort'],
  ...['compatibility.ini', '.parentlock', 'parent.lock'],
];
/** The most files of a profile that are counted. Most profiles have a few hundred. */
const mostFiles = 100_000;
/** The most profiles that are listed, the latest ones. */
const mostProfiles = 200;

/** The temporary profiles directly in the temporary folder that no process uses, the most recently used first. */
export async function leftProfiles(signal: AbortSignal): Promise<readonly LeftProfile[]> {
  const found: LeftProfile[] = [];
  const used = await readUsedPaths(await openProcessReader(), signal);
  const roots = await temporaryFolders();
  const folders = [...new Set(roots.map(({ real }) => real))];
  const named: { readonly folder: string; readonly changedAt: number }[] = [];
  for (const parent of folders.flatMap((root) => [root, join(root, 'stagehand-v3')])) {
    for await (const name of namesIn(parent)) {
      const folder = join(parent, name);
      const stats = toolOf(folder) === undefined ? undefined : await statsOf(folder);
      if (stats !== undefined && isPrivate(stats)) named.push({ folder, changedAt: stats.mtimeMs });
    }
  }
  for (const { folder } of named.sort((a, b) => b.changedAt - a.changedAt)) {
    if (found.length >= mostProfiles) break;
    const check = await checkProfile(folder, signal, used);
    if (check.kind === 'free') found.push(check.profile);
  }
  return found;
}

/** Checks whether a folder may be deleted. @param used what processes are using, if that was just read. */
export async function checkProfile(folder: string, signal: AbortSignal, used?: UsedPaths): Promise<ProfileCheck> {
  const tool = toolOf(folder);
  if (tool === undefined || !isAbsolute(folder) || normalize(folder) !== folder) return { kind: 'notTemporary' };
  const stats = await statsOf(folder);
  if (stats === undefined) return { kind: 'gone' };
  // Others can make any number of folders with such names, so what is quickly checked comes first.
  if (!isPrivate(stats) || !(await isProfile(folder)) || !(await isOwnBelowTemporary(folder))) {
    return { kind: 'notTemporary' };
  }
  const isUsed = used ?? (await readUsedPaths(await openProcessReader(), signal));
  const real = await realpath(folder);
  if (isUsed([real]) || hasMount(real) || (await isLocked(folder))) return { kind: 'inUse' };
  const bytes = await bytesIn(folder, signal);
  return { kind: 'free', profile: { folder, tool, bytes, changedAt: stats.mtimeMs, identity: identityOf(stats) } };
}

/**
 * Deletes a profile if it's still the folder that was checked and may still be deleted. It's renamed first, so that a browser
 * that starts in the meantime gets a new folder instead of half of an old one.
 */
export async function deleteProfile(
  { folder, identity }: Pick<LeftProfile, 'folder' | 'identity'>,
  signal: AbortSignal,
): Promise<ProfileDeletion> {
  const check = await checkProfile(folder, signal);
  if (check.kind !== 'free') return check.kind;
  if (check.profile.identity !== identity) return 'notTemporary';
  const before = await realpath(folder).catch(() => folder);
  // A name that the list of temporary profiles still finds if VS Code is closed before everything is deleted.
  const renamed = `${folder}.deleting-${randomUUID()}`;
  try {
    await rename(folder, renamed);
  } catch {
    return 'failed';
  }
  try {
    const stats = await statsOf(renamed);
    const isSame = stats !== undefined && identityOf(stats) === identity;
    const isUsed = await readUsedPaths(await openProcessReader(), signal);
    const now = await realpath(renamed);
    if (!isSame || isUsed([before, now]) || hasMount(now) || (await isLocked(renamed))) {
      await rename(renamed, folder);
      return 'inUse';
    }
    await removeFolder(renamed);
    return 'deleted';
  } catch {
    // Whatever is left must be found under the old name again.
    await rename(renamed, folder).catch(() => {});
    return 'failed';
  }
}

function toolOf(folder: string): string | undefined {
  const [name, inStagehand] = [basename(folder), join(basename(dirname(folder)), basename(folder))];
  return temporaryProfiles.find(([, pattern]) => pattern.test(name) || pattern.test(inStagehand))?.[0];
}

/**
 * The temporary folders, as they're written and without links, which the path contains on macOS. Tools may use a different one
 * than this process.
 */
async function temporaryFolders(): Promise<readonly { readonly written: string; readonly real: string }[]> {
  const all = new Set([tmpdir(), ...(process.platform === 'win32' ? [] : ['/tmp'])]);
  return Promise.all(
    [...all].map(async (written) => ({ written, real: await realpath(written).catch(() => written) })),
  );
}

/** Whether it's inside the temporary folder, with no link and no folder in between in which others may rename things. */
async function isOwnBelowTemporary(folder: string): Promise<boolean> {
  const real = await realpath(folder);
  for (const { written, real: realRoot } of await temporaryFolders()) {
    const subpath = relative(realRoot, real);
    if (subpath === '' || subpath.startsWith('..') || isAbsolute(subpath)) continue;
    if (folder !== join(written, subpath) && folder !== real) continue;
    if (!(await isSafe(realRoot))) continue;
    const parts = subpath.split(sep);
    const all = await Promise.all(parts.map((_, at) => statsOf(join(realRoot, ...parts.slice(0, at + 1)))));
    return all.every((stats) => stats?.isDirectory() === true && isPrivate(stats));
  }
  return false;
}

/**
 * Whether the temporary folder and the folders above it keep other users from renaming things in them. Otherwise, another user
 * could replace the profile that is being deleted with a link to another one.
 */
async function isSafe(temporary: string): Promise<boolean> {
  if (process.getuid === undefined) return true;
  const stats = await statsOf(temporary);
  if (stats === undefined || ![0, process.getuid()].includes(stats.uid)) return false;
  // In a sticky folder, a file can be renamed only by its owner and by the folder's owner.
  const isSticky = (stats.mode & 0o1000) !== 0;
  if ((stats.mode & 0o022) !== 0 && !isSticky) return false;
  const above = dirname(temporary);
  return above === temporary || isSafe(above);
}

/** Whether only this user can write to it. On Windows, the temporary folder itself is the user's own. */
function isPrivate({ uid, mode }: Stats): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}

async function isProfile(folder: string): Promise<boolean> {
  const all = await Promise.all(writtenByBrowsers.map((name) => statsOf(join(folder, name))));
  return all.some((stats) => stats !== undefined);
}

async function statsOf(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined);
}

function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev}-${ino}-${birthtimeMs}`;
}

/** The size of the files in a folder. Links aren't followed. */
async function bytesIn(folder: string, signal: AbortSignal): Promise<number> {
  const turns = new Turns();
  let [bytes, files] = [0, 0];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined && files < mostFiles; next = folders.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (turns.isOver) await turns.pass();
      signal.throwIfAborted();
      const path = join(next, entry.name);
      files += 1;
      if (entry.isDirectory()) folders.push(path);
      else bytes += (await statsOf(path))?.size ?? 0;
    }
  }
  return bytes;
}
