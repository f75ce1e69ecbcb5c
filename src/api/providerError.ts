import { ProviderError, type Trouble, type TroubleKind } from '../core/providerError.ts';

/** What can go wrong at a provider. Leaves out problems with an account's key or address before anything is sent. */
export type ProviderTrouble = Exclude<Trouble, { readonly kind: 'noKey' | 'badAddress' }>;

/**
 * Makes an error that a provider may throw. The user reads a sentence made from `trouble`.
 * @param message only for the log; must not contain a secret.
 * @param detail the server's own message, in one line; shown to the user.
 */
export function providerError(
  trouble: ProviderTrouble,
  message: string = trouble.kind,
  detail?: string,
): ProviderError {
  return new ProviderError(trouble, message, { detail });
}

/** Whether an error is a provider's, of one of the given kinds if any are given. `Link.http` throws them, too. */
export function isProviderError(error: unknown, ...kinds: readonly TroubleKind[]): error is ProviderError {
  return ProviderError.is(error) && (kinds.length === 0 || kinds.includes(error.trouble.kind));
}
