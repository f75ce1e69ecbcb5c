import type { EndAnswer, Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { StuckReason } from '../sessions/sessionsView.ts';

/** What is known of a request to end a session, before anybody has looked whether the session is gone. */
export type Sent =
  | { readonly kind: 'notSent' }
  | {
      readonly kind: 'taken';
      /** Whether the provider answered that it knows no such running session. */
      readonly alreadyGone: boolean;
      /** Whether the server that answered had the session and says it ended it. */
      readonly byItsWorker?: boolean;
      readonly how: string | undefined;
      /** What the provider said about it. */
      readonly said: string | undefined;
    }
  /** It may have had its effect all the same: only looking tells. */
  | { readonly kind: 'unclear'; readonly why: StuckReason }
  /** It had no effect. */
  | { readonly kind: 'refused'; readonly why: StuckReason };

/** What stands for the answer of a provider that need not be asked. */
export const wasNotThere: Sent = { kind: 'taken', alreadyGone: true, how: undefined, said: undefined };

/** An end that was sent is never called back. */
export const neverAborted = new AbortController().signal;

/** How often the end of one session is sent at most, but for a rate limit. */
export const mostAttempts = 3;

/** Sends something by a connection, once, and tells what is known of it then. Never rejects. */
export async function sentBy(
  connection: () => Promise<Provider>,
  call: (provider: Provider) => Promise<Sent>,
): Promise<Sent> {
  try {
    return await call(await connection());
  } catch (error) {
    return endCauseOf(ProviderError.from(error));
  }
}

/** What a provider's answer to an end is worth: one that knows no such session has answered, too. */
export async function answerOf(answer: Promise<EndAnswer>): Promise<Sent> {
  try {
    const { outcome, how } = await answer;
    return {
      kind: 'taken',
      alreadyGone: outcome === 'alreadyGone',
      byItsWorker: outcome === 'ended',
      how,
      said: undefined,
    };
  } catch (error) {
    if (!ProviderError.isOf(error, 'notFound')) throw error;
    return { kind: 'taken', alreadyGone: true, how: undefined, said: error.detail };
  }
}

/** What went wrong with a request, where anything did. */
export function errorOf(sent: Sent): ProviderError | undefined {
  return 'why' in sent && 'error' in sent.why ? sent.why.error : undefined;
}

/** Whether the provider did not know the session any longer when it was asked to end it. */
export function wasGoneBefore(sent: Sent): boolean {
  return sent.kind === 'taken' && sent.alreadyGone;
}

/** Whether the server that answered had the session and says it ended it. */
export function isByItsWorker(sent: Sent): boolean {
  return sent.kind === 'taken' && sent.byItsWorker === true;
}

/** Why a session is stuck that the provider goes on to list, whatever it answered. */
export function stillRunning(sent: Sent): StuckReason {
  const { alreadyGone, said } = sent.kind === 'taken' ? sent : { alreadyGone: false, said: undefined };
  return { kind: 'stillRuns', found: !alreadyGone, said };
}

/** Whether the provider has more to do than it can or wants to. */
export function wantsLess({ trouble }: ProviderError): boolean {
  return trouble.kind === 'rateLimited' || (trouble.kind === 'serverFault' && trouble.status === 503);
}

/** Whether a request had no effect, or none that a second one adds to, so that it can be sent again without a look. */
export function mayRepeat(error: ProviderError): boolean {
  if (wantsLess(error)) return true;
  const { trouble } = error;
  return trouble.kind === 'unreachable' && (trouble.why === 'refused' || trouble.why === 'dns');
}

/** A rate limit ends by itself: it is outwaited as long as the provider names a time, or refuses seldom enough. */
export function attemptsFor({ trouble }: ProviderError): number {
  return trouble.kind === 'rateLimited' ? 8 : mostAttempts;
}

/** Why nothing is sent for an account that is there no longer. */
export function accountRemoved(): ProviderError {
  return new ProviderError({ kind: 'cancelled' }, 'the account was removed meanwhile');
}

/** Why nothing is sent, and nothing proven, with another key than the one that it began with. */
export function keyReplaced(): ProviderError {
  return new ProviderError({ kind: 'cancelled' }, 'the account’s key was replaced meanwhile');
}

/** The provider takes no more for now, by its own account, though it has refused nothing yet. */
export function usedUp(retryAt: number): ProviderError {
  return new ProviderError({ kind: 'rateLimited', retryAt }, 'the rate limit is used up for longer than is waited');
}

/** Why something isn't asked of a provider that has no request for it. @param what what it is, for the log. */
export function unsupported(what: string): ProviderError {
  return new ProviderError({ kind: 'unsupported', reason: { kind: 'noRequest' } }, `the provider can't ${what}`);
}

/** Whether a request that failed may have had its effect all the same. */
function endCauseOf(error: ProviderError): Sent {
  const why = { kind: 'failed', error } as const;
  switch (error.trouble.kind) {
    case 'timedOut':
    case 'serverFault':
    case 'unexpectedAnswer':
    case 'conflict':
    case 'notFound':
      return { kind: 'unclear', why };
    case 'unreachable':
      return { kind: error.trouble.why === 'cut' || error.trouble.why === 'route' ? 'unclear' : 'refused', why };
    case 'cancelled':
    case 'unauthorized':
    case 'forbidden':
    case 'rateLimited':
    case 'unsupported':
    case 'noKey':
    case 'badAddress':
      return { kind: 'refused', why };
  }
}
