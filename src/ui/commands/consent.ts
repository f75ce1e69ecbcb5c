import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';
import { questionForProvider } from '../text/confirmations.ts';
import type { ListParts } from './lists.ts';

/**
 * Whether a provider's code may receive the keys saved for it. Asks the user if another extension adds the provider and
 * they haven't allowed it yet.
 */
export async function mayReceiveKeys(
  { kinds, prompts }: Pick<ListParts, 'kinds' | 'prompts'>,
  kind: ProviderKind,
): Promise<boolean> {
  const by = kinds.needsConsent(kind);
  if (by === undefined) return true;
  const extension = { name: plainText(by.name), id: plainText(by.id) };
  const question = questionForProvider(plainText(kind.label), extension);
  if ((await prompts.confirm(question)) !== question.choices[0]) return false;
  await kinds.allow(kind);
  return true;
}
