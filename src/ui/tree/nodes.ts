import type { AccountId, GroupId, PageId, SessionId } from '../../core/ids.ts';

/**
 * A row's identity and nothing else, so that a row stays the same object for as long as it exists. What it shows is read from
 * the store each time it's drawn.
 */
export type TreeNode =
  | { readonly kind: 'account'; readonly accountId: AccountId }
  | { readonly kind: 'group'; readonly accountId: AccountId; readonly groupId: GroupId }
  | { readonly kind: 'session'; readonly accountId: AccountId; readonly sessionId: SessionId }
  | { readonly kind: 'page'; readonly accountId: AccountId; readonly sessionId: SessionId; readonly pageId: PageId }
  /** The account's trouble. */
  | { readonly kind: 'trouble'; readonly accountId: AccountId }
  /** A row of the provider's list that can't be shown, by its position among them. */
  | { readonly kind: 'fault'; readonly accountId: AccountId; readonly index: number }
  /** A note in place of missing rows; `providerNote` is the adapter's note about the list. */
  | { readonly kind: 'note'; readonly accountId: AccountId; readonly note: AccountNote }
  /** A note under a session whose pages are fetched; `more` counts those that aren't drawn. */
  | {
      readonly kind: 'pageNote';
      readonly accountId: AccountId;
      readonly sessionId: SessionId;
      readonly note: 'loading' | 'empty' | 'failed' | 'more';
    }
  /** "Show More": the sessions of an account or group that aren't drawn. */
  | { readonly kind: 'more'; readonly accountId: AccountId; readonly groupId: GroupId | undefined };

/** The notes below an account; `finished…` are about finished batches. */
export type AccountNote =
  | 'loading'
  | 'empty'
  | 'noMatch'
  | 'providerNote'
  | 'finishedLoading'
  | 'finishedEmpty'
  | 'finishedFailed'
  | 'finishedUnreadable';

/** A row's id in the tree. It doesn't depend on the row's state, so that selection and expansion survive. */
export function nodeId(node: TreeNode): string {
  switch (node.kind) {
    case 'account':
      return `acct/${node.accountId}`;
    case 'group':
      return `grp/${node.accountId}/${node.groupId}`;
    case 'session':
      return `ses/${node.accountId}/${node.sessionId}`;
    case 'page':
      return `page/${node.accountId}/${node.sessionId}/${node.pageId}`;
    case 'trouble':
      return `err/${node.accountId}`;
    case 'fault':
      return `fault/${node.accountId}/${node.index}`;
    case 'note':
      return `note/${node.accountId}/${node.note}`;
    case 'pageNote':
      return `note/${node.accountId}/${node.sessionId}/${node.note}`;
    case 'more':
      return `more/${node.accountId}/${node.groupId ?? ''}`;
  }
}

/** Returns one object per id, because VS Code identifies rows by object. */
export class TreeNodes {
  readonly #nodes = new Map<string, TreeNode>();

  /** The object returned first for this row. */
  get<Node extends TreeNode>(node: Node): Node {
    const id = nodeId(node);
    const known = this.#nodes.get(id);
    if (known !== undefined) return known as Node;
    this.#nodes.set(id, node);
    return node;
  }

  /** Forgets rows that no longer exist. */
  keepOnly(remains: (node: TreeNode) => boolean): void {
    for (const [id, node] of this.#nodes) if (!remains(node)) this.#nodes.delete(id);
  }
}
