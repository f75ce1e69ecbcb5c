import { Devtools } from '../servers/devtools.ts';
import { type RunningChromium, startChromium } from './chromium.ts';

/** A Chromium for the tests of one block, and a DevTools client of the tests' own. */
export interface UsedChromium {
  chromium: RunningChromium;
  devtools: Devtools;
}

/** Starts a Chromium before the tests of the block it is called in, and stops it after them. */
export function useChromium(): UsedChromium {
  const used = {} as UsedChromium;
  before(async () => {
    used.chromium = await startChromium();
    used.devtools = await Devtools.open(used.chromium.endpoint);
  });
  after(async () => {
    used.devtools.close();
    await used.chromium.stop();
  });
  return used;
}
