import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import type { Memory } from '../../core/storage.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import type { ProviderKinds } from '../../services/providers/providerKinds.ts';
import type { Prompts } from '../prompts.ts';
import { watchingHasEffects } from '../text/watching.ts';

/** The providers of which the user knows what watching does, by id. */
const acceptedKey = 'watchingAccepted';

/** What the effects of watching are known from. */
export interface EffectParts {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly memory: Memory;
}

/**
 * What watching does to an account's sessions, in the words of its provider's adapter; undefined where nothing is
 * documented, or the user has said that they know.
 */
export async function unknownEffect(
  { accounts, kinds, memory }: EffectParts,
  id: AccountId,
): Promise<string | undefined> {
  await kinds.load();
  const provider = accounts.get(id)?.provider;
  if (provider === undefined || acceptedIn(memory).includes(provider)) return undefined;
  const effect = kinds.get(provider)?.wording.watching;
  return effect === undefined ? undefined : l10n.t(effect);
}

/** Remembers that the user knows what watching does at an account's provider. */
export async function acceptEffect({ accounts, memory }: EffectParts, id: AccountId): Promise<void> {
  const provider = accounts.get(id)?.provider;
  if (provider !== undefined) await memory.update(acceptedKey, [...new Set([...acceptedIn(memory), provider])]);
}

/**
 * Asks whether a session may be watched, or looked at once, in a way that no panel explains; any may of which the user
 * knows the effects.
 * @param button what would be done.
 */
export async function mayWatch(
  parts: EffectParts & { readonly prompts: Prompts },
  id: AccountId,
  button: string,
): Promise<boolean> {
  const effect = await unknownEffect(parts, id);
  if (effect === undefined) return true;
  const question = { message: watchingHasEffects(), detail: effect, choices: [button] };
  if ((await parts.prompts.confirm(question)) !== button) return false;
  await acceptEffect(parts, id);
  return true;
}

function acceptedIn(memory: Memory): readonly string[] {
  const kept = memory.get(acceptedKey);
  return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : [];
}
