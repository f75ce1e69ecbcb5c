import * as l10n from '@vscode/l10n';
import { type TargetParts, targetOfOne } from './targets.ts';

/**
 * Shows only sessions that match the words of a text. Asks for the text if it isn't given: the list is filtered
 * as the user types, and the previous filter returns if they cancel.
 */
export async function setFilter(
  { prompts, filter }: Pick<TargetParts, 'prompts' | 'filter'>,
  [text]: readonly unknown[],
): Promise<void> {
  if (typeof text === 'string') {
    await filter.set(text);
    return;
  }
  const answer = await prompts.ask({
    title: l10n.t('Filter Sessions'),
    prompt: l10n.t('Filter by session name, ID, site, tag, or metadata, or by account or group name'),
    placeholder: l10n.t('Leave empty to show all sessions'),
    value: filter.storedText,
    secret: false,
    step: undefined,
    button: undefined,
    typed: (typed) => filter.preview(typed),
    preview: (typed) => {
      if (typed.trim() === '') return undefined;
      const { shown, of } = filter.count(typed);
      return l10n.t('Showing {0} of {1}', shown, of);
    },
    refuse: async () => undefined,
  });
  if (answer.kind === 'answer') await filter.set(answer.value);
  else filter.restore();
}

/** Shows only the sessions of an account. */
export async function filterToAccount(parts: Pick<TargetParts, 'filter'>, args: readonly unknown[]) {
  const target = targetOfOne(args);
  if (target !== undefined) await parts.filter.narrowTo(target.accountId, undefined);
}

/** Shows only the sessions of a group. */
export async function filterToGroup(parts: Pick<TargetParts, 'filter'>, args: readonly unknown[]) {
  const target = targetOfOne(args);
  if (target?.groupId !== undefined) await parts.filter.narrowTo(target.accountId, target.groupId);
}
