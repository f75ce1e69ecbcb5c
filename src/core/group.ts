import type { GroupId } from './ids.ts';

/**
 * Sessions that belong together: a vendor's `batch`, or those with the same value under a key of their `metadata`. Text is the
 * vendor's: clean it before showing.
 */
export interface Group {
  readonly id: GroupId;
  readonly kind: 'batch' | 'metadata';
  /** Undefined where the vendor gives it no name; the tree then shows its short id. */
  readonly name: string | undefined;
  /** The vendor's own word for its status. */
  readonly status: string | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number | undefined;
}

/** What a vendor said after it was asked to delete a group with all of its data. */
export interface GroupDeletion {
  readonly deleted: number;
  readonly failed: number;
  /** One entry for each failure that the vendor explained; there may be fewer than `failed`. Text is the vendor's. */
  readonly failures: readonly { readonly sessionId: string; readonly reason: string }[];
  /** The vendor's own summary. */
  readonly message: string | undefined;
}

/** Whether a vendor is still making the sessions of a batch: only then can it be cancelled. */
export function isBeingMade({ status }: Group): boolean {
  return status === 'pending' || status === 'processing';
}
