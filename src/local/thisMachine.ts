import type { ThisMachine } from '../core/thisMachine.ts';
import { browserAt } from './devtoolsPort.ts';
import { readEnvFiles } from './envFiles.ts';
import { isRunning, removeProfile, startBrowser } from './startBrowser.ts';

/** The machine that the extension runs on. */
export const thisMachine: ThisMachine = {
  hasDevtools: async (port) => (await browserAt(port)) !== undefined,
  startBrowser: () => startBrowser(),
  isRunning,
  removeProfile,
  readEnvFiles,
};
