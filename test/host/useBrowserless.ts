import { browserlessMissing, type RunningBrowserless, startBrowserless } from './browserless.ts';

/** The real Browserless for the tests of one block. */
export interface UsedBrowserless {
  browserless: RunningBrowserless;
}

/** Starts the real Browserless before the tests of the block it is called in, and stops it after them. */
export function useBrowserless(): UsedBrowserless {
  const used: Partial<UsedBrowserless> = {};
  before(async function () {
    this.timeout(300_000);
    const missing = browserlessMissing();
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    used.browserless = await startBrowserless();
  });
  after(async () => {
    await used.browserless?.stop();
  });
  return used as UsedBrowserless;
}
