import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import type { Memory } from '../../core/storage.ts';
import type { Accounts } from '../../services/accounts/accounts.ts';
import type { ProviderKinds } from '../../services/providers/providerKinds.ts';
import type { Prompts } from '../prompts.ts';
import { watchingHasEffects } from '../text/watching.ts';

/** The ids of the providers whose effects of watching the user has accepted. */
const acceptedKey = 'watchingAccepted';

/** What {@link unknownEffect} needs. */
export interface EffectParts {
  readonly accounts: Accounts;
  readonly kinds: ProviderKinds;
  readonly memory: Memory;
}

/**
 * How watching affects an account's sessions, in the words of its provider's adapter; undefined if nothing is
 * documented or the user has accepted it.
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

/** Remembers that the user has accepted how watching affects the sessions of an account's provider. */
export async function acceptEffect({ accounts, memory }: EffectParts, id: AccountId): Promise<void> {
  const provider = accounts.get(id)?.provider;
  if (provider !== undefined) await memory.update(acceptedKey, [...new Set([...acceptedIn(memory), provider])]);
}

/**
 * Asks before a session is watched, or a screenshot of it taken, outside a live view, which would explain the effects.
 * Doesn't ask if the user has accepted them.
 * @param button the label of the button that confirms.
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
