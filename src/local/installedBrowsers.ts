import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The programs that may be a Chrome, Chromium or Edge on this machine, those that people use most first. */
export function usualPlaces(
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
): readonly string[] {
  const given = env['CHROME_PATH'] ? [env['CHROME_PATH']] : [];
  switch (platform) {
    case 'darwin':
      return [...given, ...['/Applications', join(homedir(), 'Applications')].flatMap(applicationsIn)];
    case 'win32': {
      const folders = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => env[name] ?? []);
      const programs = [
        ['Google', 'Chrome', 'Application', 'chrome.exe'],
        ['Chromium', 'Application', 'chrome.exe'],
        ['Microsoft', 'Edge', 'Application', 'msedge.exe'],
      ];
      return [...given, ...programs.flatMap((parts) => folders.map((folder) => join(folder, ...parts)))];
    }
    default: {
      const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'].filter(isAbsolute);
      const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'microsoft-edge', 'chromium-browser'];
      return [...new Set([...given, ...names.flatMap((name) => folders.map((folder) => join(folder, name)))])];
    }
  }
}

/** A relative folder in PATH depends on where the editor was started. */
const isAbsolute = (folder: string) => folder.startsWith('/');

function applicationsIn(folder: string): readonly string[] {
  return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) =>
    join(folder, `${name}.app`, 'Contents', 'MacOS', name),
  );
}

/** Those that can be run. */
export async function installedBrowsers(places = usualPlaces()): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of places) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) found.push(path);
  }
  return found;
}
