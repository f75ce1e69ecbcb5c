import type { Disposable } from '../core/event.ts';
import { lazy } from '../core/lazy.ts';
import type { Logger } from '../core/logger.ts';
import { plainText } from '../core/plainText.ts';

/** Something that opens after activation. */
export interface OpensLater<T> extends Disposable {
  /** Opens it now where that hasn't happened yet. */
  readonly opened: () => Promise<T>;
}

/**
 * Opens something as soon as the activation of this extension has returned, so that VS Code needn't wait for it.
 * @param open called once at most; a failure is logged, and passed on to callers of `opened`.
 */
export function openLater<T extends Disposable>(
  { logger }: { readonly logger: Logger },
  open: () => Promise<T>,
): OpensLater<T> {
  let isDisposed = false;
  let result: T | undefined;
  const opened = lazy(async () => {
    result = await open();
    if (isDisposed) result.dispose();
    return result;
  });
  const pending = setImmediate(() => {
    opened().catch((error: unknown) => logger.error(`Opening the views failed: ${plainText(String(error), 200)}`));
  });
  return {
    opened,
    dispose: () => {
      isDisposed = true;
      clearImmediate(pending);
      result?.dispose();
    },
  };
}
