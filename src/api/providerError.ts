import { ProviderError, type Trouble, type TroubleKind } from '../core/providerError.ts';

/** What can be wrong at a provider. What is wrong with an account's key or address before anything is sent isn't among it. */
export type ProviderTrouble = Exclude<Trouble, { readonly kind: 'noKey' | 'badAddress' }>;

/**
 * Makes an error that a provider may throw. The user reads a sentence made from `trouble`.
 * @param message for the log only; must not hold a secret.
 * @param detail what the provider's server said about it, in one line; shown to the user.
 */
export function providerError(
  trouble: ProviderTrouble,
  message: string = trouble.kind,
  detail?: string,
): ProviderError {
  return new ProviderError(trouble, message, { detail });
}

/** Whether an error is one of a provider, of one of the given kinds where any are given. `Link.http` throws them, too. */
export function isProviderError(error: unknown, ...kinds: readonly TroubleKind[]): error is ProviderError {
  return ProviderError.is(error) && (kinds.length === 0 || kinds.includes(error.trouble.kind));
}
