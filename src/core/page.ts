import type { PageId } from './ids.ts';

/** A tab of a session, with the vendor's own text: clean it before showing. */
export interface Page {
  readonly id: PageId;
  readonly title: string;
  readonly url: string;
}
