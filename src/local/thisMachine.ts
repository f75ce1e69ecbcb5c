import type { ThisMachine } from '../core/thisMachine.ts';
import { browserAt } from './devtoolsPort.ts';
import { readEnvFiles } from './envFiles.ts';
import { checkProfile, deleteProfile, leftProfiles } from './leftProfiles.ts';
import { isRunning, removeProfile, startBrowser } from './startBrowser.ts';

/** The machine that the extension host is on. */
export const thisMachine: ThisMachine = {
  hasDevtools: async (port) => (await browserAt(port)) !== undefined,
  startBrowser: (note) => startBrowser(note),
  isRunning,
  removeProfile,
  leftProfiles,
  checkProfile,
  deleteProfile,
  readEnvFiles,
};
