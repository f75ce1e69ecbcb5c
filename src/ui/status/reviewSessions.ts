import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { OverLimit } from '../../services/sessions/overview.ts';
import type { SessionStore } from '../../services/sessions/sessionStore.ts';
import { editorPrompts } from '../editorPrompts.ts';
import { spoken } from '../text/warnings.ts';
import type { TreeFilter } from '../tree/filter.ts';
import { nodeId, type TreeNode } from '../tree/nodes.ts';
import type { SessionsTree } from '../tree/sessionsTree.ts';

/** The view that the status bar item, the badge, and warnings refer to. */
export interface WatchedView {
  readonly tree: SessionsTree;
  readonly view: vscode.TreeView<TreeNode>;
  readonly filter: TreeFilter;
}

/** What {@link reviewSessions} needs besides the view. */
export interface ReviewParts {
  readonly store: SessionStore;
  readonly nameOfSession: (over: OverLimit) => string;
  readonly nameOfAccount: (id: OverLimit['accountId']) => string;
  readonly now: () => number;
}

/**
 * Reveals a session that is over a limit in the view. If there are several, the user picks one. Never ends anything.
 */
export async function reviewSessions(
  watched: WatchedView,
  parts: ReviewParts,
  over: readonly OverLimit[],
): Promise<void> {
  const { store, nameOfSession, nameOfAccount, now } = parts;
  const left = over.filter(({ accountId, session }) => store.session(accountId, session.id) !== undefined);
  await vscode.commands.executeCommand('browserSessions.sessions.focus');
  const [only, second] = left;
  if (only === undefined) {
    void editorPrompts.tell('info', l10n.t('None of these sessions is running anymore.'), []);
    return;
  }
  if (second === undefined) return reveal(watched, only);
  const answer = await editorPrompts.pick({
    title: l10n.t('Sessions over the Age or Idle Limit'),
    placeholder: l10n.t('Select a session to show it in the view'),
    step: undefined,
    choices: left.map((one) => ({
      label: nameOfSession(one),
      description:
        one.limit === 'idle'
          ? l10n.t('idle for {0}', spoken(one, now()))
          : l10n.t('running for {0}', spoken(one, now())),
      detail: nameOfAccount(one.accountId),
      icon: undefined,
      heading: undefined,
      value: one,
    })),
  });
  if (answer.kind === 'answer') await reveal(watched, answer.value);
}

/** Selects a session's row. If it's filtered out or beyond "Show More", makes the tree show it first. */
async function reveal({ tree, view, filter }: WatchedView, { accountId, session }: OverLimit): Promise<void> {
  if (!filter.shows(accountId, session)) await filter.set('');
  const node: TreeNode = { kind: 'session', accountId, sessionId: session.id };
  const parent = tree.getParent(node);
  const find = () => tree.getChildren(parent).find((row) => nodeId(row) === nodeId(node));
  let row = find();
  // An old session may be beyond the rows that are drawn at first.
  for (let more = 0; row === undefined && more < mostShowMore; more++) {
    tree.showMore(accountId, parent?.kind === 'group' ? parent.groupId : undefined);
    row = find();
  }
  // It may have ended in the meantime.
  if (row !== undefined) await view.reveal(row, { select: true, focus: true, expand: false });
}

/** How many times "Show More" is tried to reach a row. */
const mostShowMore = 100;
