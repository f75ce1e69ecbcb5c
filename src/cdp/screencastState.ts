import type { Clock } from '../core/clock.ts';
import type { PageId } from '../core/ids.ts';
import type { Page } from '../core/page.ts';
import type { ProviderError } from '../core/providerError.ts';
import type { PictureSize } from './attachedPage.ts';
import type { PageDialog } from './pageEvents.ts';

/** What is shown of a session, except its frames. */
export interface ScreencastState {
  readonly pages: readonly Page[];
  readonly shown: PageId | undefined;
  /**
   * `opening` until the page's first image; `background` for a background tab, which gets only one image per second;
   * `crashed` until there is an image of the reloaded page; `noPage` if the session has none.
   */
  readonly condition: 'opening' | 'live' | 'background' | 'crashed' | 'noPage';
  /** Only known while the user interacts; see `Screencast.setInteractive`. */
  readonly dialog: PageDialog | undefined;
}

/** What `Screencast` needs. */
export interface ScreencastOptions {
  readonly clock: Clock;
  /**
   * The page to show; without one, or if it doesn't exist (anymore), the last of `PageTargets.all`, and each one opened
   * after it.
   */
  readonly page: PageId | undefined;
  /** The page to start with if `page` isn't set. Pages that open later are shown as usual. */
  readonly first?: PageId | undefined;
  readonly size: PictureSize;
  /** Called with errors that do no harm, such as input that the page didn't accept. */
  readonly onTrouble: (error: ProviderError) => void;
}
