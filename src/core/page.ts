import type { PageId } from './ids.ts';

/** A tab of a session, with the vendor's own text: clean it before showing. */
export interface Page {
  readonly id: PageId;
  /** Empty where it has none; without the values of the address that a browser may put in its place. */
  readonly title: string;
  readonly url: string;
}

const emptyAddress = /^(|about:blank|(chrome|edge):\/\/(newtab|new-tab-page|new-tab-page-third-party)\/?)$/;

/** Whether a tab shows nothing that anybody has opened: it keeps a browser open, and is no work to be lost. */
export function isEmptyTab({ url }: Page): boolean {
  return emptyAddress.test(url);
}
