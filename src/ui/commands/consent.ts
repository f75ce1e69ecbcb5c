import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';
import { questionForProvider } from '../text/confirmations.ts';
import type { ListParts } from './lists.ts';

/**
 * Whether the code behind a provider may receive the keys that are saved for it. Asks where another extension adds it and
 * the user hasn't allowed it yet.
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
