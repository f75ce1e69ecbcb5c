import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { AccountId, GroupId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { FinishedBatches } from '../../services/finishedBatches.ts';
import { shortAge } from '../words/ages.ts';
import { finishedCount } from '../words/batches.ts';
import { accountHost, groupName } from '../words/names.ts';
import { troubleSentence } from '../words/troubles.ts';
import { newestFirst, type TreeModel } from './children.ts';
import { groupContext } from './contextValue.ts';
import type { AccountNote, TreeNode } from './nodes.ts';
import { plainRow, type Row } from './rows.ts';

/** Draws batches that have finished, below what runs in their account. */
export class FinishedRows {
  readonly #batches: Pick<FinishedBatches, 'of'>;

  constructor(batches: Pick<FinishedBatches, 'of'>) {
    this.#batches = batches;
  }

  has(account: AccountId, group: GroupId): boolean {
    return this.#batches.of(account)?.groups.has(group) === true;
  }

  /** The newest first. They have no sessions that a filter could match, and aren't shown in a filtered list. */
  below({ nodes, store, filter }: TreeModel, accountId: AccountId): TreeNode[] {
    const list = this.#batches.of(accountId);
    if (list === undefined || filter.text !== '') return [];
    const note = (note: AccountNote) => nodes.get({ kind: 'note', accountId, note });
    const running = store.state(accountId)?.contents.groups;
    const groups = [...list.groups.values()].filter(({ id }) => running?.has(id) !== true);
    const isKnown = !list.isLoading && list.trouble === undefined;
    return [
      ...groups.sort(newestFirst).map(({ id }) => nodes.get({ kind: 'group', accountId, groupId: id } as const)),
      ...(list.unreadable > 0 ? [note('finishedUnreadable')] : []),
      ...(list.isLoading && groups.length === 0 ? [note('finishedLoading')] : []),
      ...(list.trouble === undefined ? [] : [note('finishedFailed')]),
      ...(isKnown && groups.length === 0 && list.unreadable === 0 ? [note('finishedEmpty')] : []),
    ];
  }

  /** A batch's row: how much of it failed, and how old it is. It stands back behind those that run. */
  groupRow(model: TreeModel, id: string, account: Account, groupId: GroupId): Row | undefined {
    const group = this.#batches.of(account.id)?.groups.get(groupId);
    if (group === undefined) return undefined;
    const { status, counts, createdAt } = group;
    const description = [
      plainText(status ?? '', 20),
      counts === undefined ? '' : finishedCount(counts),
      createdAt === undefined ? '' : l10n.t('{0} ago', shortAge(model.now() - createdAt)),
    ]
      .filter((part) => part !== '')
      .join(' · ');
    const label = groupName(group);
    return {
      id,
      label,
      description,
      icon: { id: 'archive', color: undefined },
      dimmed: true,
      contextValue: groupContext(group, model.store.capabilities(account.id), 0),
      collapsible: 'none',
      aria: l10n.t('Finished batch {0}, {1}', label, description),
      click: undefined,
    };
  }

  /** What stands in place of batches. */
  noteRow(id: string, account: Account, note: AccountNote): Row | undefined {
    const list = this.#batches.of(account.id);
    if (list === undefined) return undefined;
    switch (note) {
      case 'finishedLoading':
        return plainRow(id, l10n.t('Loading finished batches…'), 'loading~spin', undefined);
      case 'finishedEmpty':
        return plainRow(id, l10n.t('No finished batches'), 'info', 'descriptionForeground');
      case 'finishedUnreadable': {
        const text =
          list.unreadable === 1
            ? l10n.t("1 finished batch can't be shown")
            : l10n.t("{0} finished batches can't be shown", list.unreadable);
        return plainRow(id, text, 'warning', 'problemsWarningIcon.foreground');
      }
      default: {
        if (list.trouble === undefined) return undefined;
        const text = l10n.t("Couldn't list finished batches. {0}", troubleSentence(list.trouble, accountHost(account)));
        return plainRow(id, text, 'error', 'problemsErrorIcon.foreground');
      }
    }
  }
}
