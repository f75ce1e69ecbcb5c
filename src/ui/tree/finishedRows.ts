import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { Group } from '../../core/group.ts';
import type { AccountId, GroupId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { FinishedBatches } from '../../services/sessions/finishedBatches.ts';
import { shortAge } from '../text/ages.ts';
import { finishedCount } from '../text/batches.ts';
import { groupName } from '../text/groupNames.ts';
import { accountHost } from '../text/names.ts';
import { troubleSentence } from '../text/troubles.ts';
import type { AccountNote } from './nodes.ts';

/**
 * Makes the rows for finished batches. Loaded when they are first shown, so that it doesn't slow down the start.
 */
export class FinishedRows {
  readonly #batches: Pick<FinishedBatches, 'of'>;

  constructor(batches: Pick<FinishedBatches, 'of'>) {
    this.#batches = batches;
  }

  has(account: AccountId, group: GroupId): boolean {
    return this.#batches.of(account)?.groups.has(group) === true;
  }

  /** The finished batches to draw below an account, and notes. @param running groups that are drawn already. */
  below(
    account: AccountId,
    running: ReadonlyMap<GroupId, Group>,
  ): { readonly groups: readonly Group[]; readonly notes: readonly AccountNote[] } {
    const list = this.#batches.of(account);
    if (list === undefined) return { groups: [], notes: [] };
    const { isLoading, trouble, unreadable } = list;
    const groups = [...list.groups.values()].filter(({ id }) => !running.has(id));
    const notes: AccountNote[] = [];
    if (unreadable > 0) notes.push('finishedUnreadable');
    if (trouble !== undefined) notes.push('finishedFailed');
    if (groups.length + notes.length === 0) notes.push(isLoading ? 'finishedLoading' : 'finishedEmpty');
    return { groups, notes };
  }

  /** How many sessions of a batch failed, and how old it is. */
  group(
    account: AccountId,
    id: GroupId,
    now: number,
  ):
    | { readonly group: Group; readonly label: string; readonly description: string; readonly aria: string }
    | undefined {
    const group = this.#batches.of(account)?.groups.get(id);
    if (group === undefined) return undefined;
    const { status, counts, createdAt } = group;
    const description = [
      // First, because a narrow side bar cuts off the rest.
      counts === undefined ? '' : finishedCount(counts),
      plainText(status ?? '', 20),
      createdAt === undefined ? '' : l10n.t('{0} ago', shortAge(now - createdAt)),
    ]
      .filter((part) => part !== '')
      .join(' · ');
    const label = groupName(group);
    return { group, label, description, aria: l10n.t('Finished batch {0}, {1}', label, description) };
  }

  /** The note shown instead of batches, if any. */
  note(
    account: Account,
    note: AccountNote,
  ): readonly [text: string, icon: string, color: string | undefined] | undefined {
    const list = this.#batches.of(account.id);
    if (list === undefined) return undefined;
    switch (note) {
      case 'finishedLoading':
        return [l10n.t('Loading finished batches…'), 'loading~spin', undefined];
      case 'finishedEmpty':
        return [l10n.t('No finished batches'), 'info', 'descriptionForeground'];
      case 'finishedUnreadable': {
        const text =
          list.unreadable === 1
            ? l10n.t("1 finished batch can't be shown")
            : l10n.t("{0} finished batches can't be shown", list.unreadable);
        return [text, 'warning', 'problemsWarningIcon.foreground'];
      }
      default: {
        if (list.trouble === undefined) return undefined;
        const text = l10n.t("Couldn't list finished batches. {0}", troubleSentence(list.trouble, accountHost(account)));
        return [text, 'error', 'problemsErrorIcon.foreground'];
      }
    }
  }
}
