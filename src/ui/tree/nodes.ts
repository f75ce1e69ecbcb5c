import type { AccountId, GroupId, PageId, SessionId } from '../../core/ids.ts';

/**
 * What a row of the tree stands for: identity alone, so that the same row is the same object for as long as it exists.
 * What it looks like is read from the store whenever it is drawn.
 */
export type TreeNode =
  | { readonly kind: 'account'; readonly accountId: AccountId }
  | { readonly kind: 'group'; readonly accountId: AccountId; readonly groupId: GroupId }
  | { readonly kind: 'session'; readonly accountId: AccountId; readonly sessionId: SessionId }
  | { readonly kind: 'page'; readonly accountId: AccountId; readonly sessionId: SessionId; readonly pageId: PageId }
  /** What is wrong with the account as a whole. */
  | { readonly kind: 'trouble'; readonly accountId: AccountId }
  /** A row of the provider's list that cannot be shown, by its place among them. */
  | { readonly kind: 'fault'; readonly accountId: AccountId; readonly index: number }
  /** Stands in for rows that are not there, yet or at all; `told` is what the provider's adapter says of the list. */
  | { readonly kind: 'note'; readonly accountId: AccountId; readonly note: AccountNote }
  /** The same under a session whose pages are fetched; `more` stands for those that are one too many. */
  | {
      readonly kind: 'pageNote';
      readonly accountId: AccountId;
      readonly sessionId: SessionId;
      readonly note: 'loading' | 'empty' | 'failed' | 'more';
    }
  /** Sessions of an account or group beyond those that are drawn. */
  | { readonly kind: 'more'; readonly accountId: AccountId; readonly groupId: GroupId | undefined };

/** What a row says that stands below an account in place of others; `finished…` is about batches that have finished. */
export type AccountNote =
  | 'loading'
  | 'empty'
  | 'noMatch'
  | 'told'
  | 'finishedLoading'
  | 'finishedEmpty'
  | 'finishedFailed'
  | 'finishedUnreadable';

/** A row's id in the whole tree. It says nothing of the row's state, so that selection and expansion survive. */
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

/** Hands out one object for each id, because VS Code knows rows by their object. */
export class TreeNodes {
  readonly #nodes = new Map<string, TreeNode>();

  /** The object that was handed out first for this row. */
  get<Node extends TreeNode>(node: Node): Node {
    const id = nodeId(node);
    const known = this.#nodes.get(id);
    if (known !== undefined) return known as Node;
    this.#nodes.set(id, node);
    return node;
  }

  /** Forgets rows that are gone. */
  keepOnly(remains: (node: TreeNode) => boolean): void {
    for (const [id, node] of this.#nodes) if (!remains(node)) this.#nodes.delete(id);
  }
}
