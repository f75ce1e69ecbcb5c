import type { PageId } from './ids.ts';
import { mostPages } from './session.ts';

/** A tab of a session, with the provider's own text: clean it before showing. */
export interface Page {
  readonly id: PageId;
  /** Empty where it has none; without the values of the address that a browser may put in its place. */
  readonly title: string;
  readonly url: string;
}

/** Longest title and address that are kept, in characters. A page can have megabytes of either. */
export const longestTitle = 1_000;
export const longestUrl = 8_192;

/** Limits how many pages are kept, and how much text each of them has. */
export function boundedPages(pages: readonly Page[], most = mostPages): readonly Page[] {
  const isFine = ({ title, url }: Page) => title.length <= longestTitle && url.length <= longestUrl;
  if (pages.length <= most && pages.every(isFine)) return pages;
  return pages
    .slice(0, most)
    .map((page) =>
      isFine(page) ? page : { ...page, title: page.title.slice(0, longestTitle), url: page.url.slice(0, longestUrl) },
    );
}

const emptyAddress = /^(|about:blank|(chrome|edge):\/\/(newtab|new-tab-page|new-tab-page-third-party)\/?)$/;

/** Whether a tab is blank: it keeps a browser open, but nothing is lost when it closes. */
export function isEmptyTab({ url }: Page): boolean {
  return emptyAddress.test(url);
}
