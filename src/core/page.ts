import type { PageId } from './ids.ts';

/** A tab of a session, with the provider's own text: clean it before showing. */
export interface Page {
  readonly id: PageId;
  /** Empty where it has none; without the values of the address that a browser may put in its place. */
  readonly title: string;
  readonly url: string;
  /** The IDs that the same tab had before, if the browser has replaced it. */
  readonly replaces?: readonly PageId[];
}

/** Most pages of a session that are shown. Chrome itself is hardly usable with that many. */
export const mostPages = 500;
/** Longest title and address that are kept, in characters. A page can have megabytes of either. */
export const longestTitle = 1_000;
export const longestUrl = 8_192;

/** Limits how many pages are kept, and how much text each of them has. */
export function boundedPages(pages: readonly Page[], most = mostPages): readonly Page[] {
  if (pages.length <= most && pages.every((page) => page === boundedPage(page))) return pages;
  return pages.slice(0, most).map(boundedPage);
}

/** Limits how much text a page has. */
export function boundedPage(page: Page): Page {
  const { title, url } = page;
  if (title.length <= longestTitle && url.length <= longestUrl) return page;
  return { ...page, title: beginning(title, longestTitle), url: beginning(url, longestUrl) };
}

/** A copy of the beginning of a text: `slice` alone keeps the whole in memory. */
function beginning(text: string, longest: number): string {
  return text.length <= longest ? text : Buffer.from(text.slice(0, longest), 'utf16le').toString('utf16le');
}

const emptyAddress = /^(|about:blank|(chrome|edge):\/\/(newtab|new-tab-page|new-tab-page-third-party)\/?)$/;

/** Whether a tab is blank: it keeps a browser open, but nothing is lost when it closes. */
export function isEmptyTab({ url }: Page): boolean {
  return emptyAddress.test(url);
}

/**
 * Which of some pages are still open, also under another ID.
 * @param now the pages that are open now.
 */
export function stillOpen(pages: readonly Page[], now: readonly Page[]): readonly Page[] {
  const open = new Set(now.flatMap(({ id, replaces = [] }) => [id, ...replaces]));
  return pages.filter(({ id }) => open.has(id));
}
