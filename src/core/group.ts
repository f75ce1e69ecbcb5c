import type { GroupId } from './ids.ts';

/**
 * Sessions that belong together: a provider's `batch`, or those with the same value under a key of their `metadata`. Text is the
 * provider's: clean it before showing.
 */
export interface Group {
  readonly id: GroupId;
  readonly kind: 'batch' | 'metadata';
  /** Undefined where the provider gives it no name; the tree then shows its short id. */
  readonly name: string | undefined;
  /** The provider's own word for its status. */
  readonly status: string | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number | undefined;
  /** Whether the provider can cancel it now, as while it is still making its sessions; not where it does not say. */
  readonly canCancel?: boolean | undefined;
  /** How many sessions were asked of it, and how many of them could not be made; undefined where it does not say. */
  readonly counts?: { readonly total: number; readonly failed: number } | undefined;
}

/** What a provider said after it was asked to delete a group with all of its data. Counts that it left out are computed. */
export interface GroupDeletion {
  readonly deleted: number;
  readonly failed: number;
  /**
   * One entry for each failure that the provider explained; there may be fewer than `failed`. Text is the provider's;
   * `sessionId` is empty where it names no session.
   */
  readonly failures: readonly { readonly sessionId: string; readonly reason: string }[];
  /** The provider's own summary. */
  readonly message: string | undefined;
}
