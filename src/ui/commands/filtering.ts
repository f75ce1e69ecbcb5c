import * as l10n from '@vscode/l10n';
import type { TargetParts } from './targets.ts';

/** Shows only sessions that match the words of a text. Asks the user for the text if it isn't given. */
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
    value: filter.text,
    secret: false,
    step: undefined,
    button: undefined,
    preview: (typed) => {
      if (typed.trim() === '') return undefined;
      const { shown, of } = filter.count(typed);
      return l10n.t('Showing {0} of {1}', shown, of);
    },
    refuse: async () => undefined,
  });
  if (answer.kind === 'answer') await filter.set(answer.value);
}
