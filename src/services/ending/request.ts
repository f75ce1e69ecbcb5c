import type { EndAnswer, Provider } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { isRecognizable, type Session } from '../../core/session.ts';
import type { StuckReason } from '../sessions/sessionsView.ts';

/** What is known about a request to end a session, before checking whether the session is gone. */
export type Sent =
  | { readonly kind: 'notSent' }
  | {
      readonly kind: 'taken';
      /** Whether the provider answered that it knows no such running session. */
      readonly alreadyGone: boolean;
      /** Whether the server that answered had the session and says it ended it. */
      readonly byItsWorker?: boolean;
      readonly how: string | undefined;
      /** The provider's own message. */
      readonly said: string | undefined;
    }
  /** It may have had an effect anyway: only a check can tell. */
  | { readonly kind: 'unclear'; readonly why: StuckReason }
  /** It had no effect. */
  | { readonly kind: 'refused'; readonly why: StuckReason };

/** Stands in for the answer when the provider doesn't need to be asked. */
export const wasNotThere: Sent = { kind: 'taken', alreadyGone: true, how: undefined, said: undefined };

/** How many times the end of one session is sent at most, except after a rate limit. */
export const mostAttempts = 3;

/** Sends something over a connection, once, and returns what is known about it then. Never rejects. */
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

/** Turns a provider's answer to an end into what is known. "No such session" is also an answer. */
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

/** The error of a request, if it failed. */
export function errorOf(sent: Sent): ProviderError | undefined {
  return 'why' in sent && 'error' in sent.why ? sent.why.error : undefined;
}

/** Whether the provider no longer knew the session when it was asked to end it. */
export function wasGoneBefore(sent: Sent): boolean {
  return sent.kind === 'taken' && sent.alreadyGone;
}

/** Whether the server that answered had the session and says it ended it. */
export function isByItsWorker(sent: Sent): boolean {
  return sent.kind === 'taken' && sent.byItsWorker === true;
}

/** The reason a session is stuck that the provider still lists, whatever it answered. */
export function stillRunning(sent: Sent): StuckReason {
  const { alreadyGone, said } = sent.kind === 'taken' ? sent : { alreadyGone: false, said: undefined };
  return { kind: 'stillRuns', found: !alreadyGone, said };
}

/** Whether the provider asks for fewer requests or is overloaded. */
export function wantsLess({ trouble }: ProviderError): boolean {
  return trouble.kind === 'rateLimited' || (trouble.kind === 'serverFault' && trouble.status === 503);
}

/** Whether a request may succeed if it's sent again a little later. */
export function mayPass(error: ProviderError): boolean {
  return ProviderError.isOf(error, 'rateLimited', 'serverFault', 'timedOut', 'unreachable');
}

/**
 * Whether the request to end a session had no effect, or none that a second one adds to, so that it can be sent again without a
 * check. An overloaded server may still have ended it, and started another one with its ID.
 */
export function mayRepeat(error: ProviderError, session: Session): boolean {
  if (wantsLess(error)) return error.trouble.kind === 'rateLimited' || isRecognizable(session);
  const { trouble } = error;
  return trouble.kind === 'unreachable' && (trouble.why === 'refused' || trouble.why === 'dns');
}

/** A rate limit passes: it is waited out as long as the provider names a time, or for a few more attempts. */
export function attemptsFor({ trouble }: ProviderError): number {
  return trouble.kind === 'rateLimited' ? 8 : mostAttempts;
}

/** The reason nothing is sent for an account that was removed. */
export function accountRemoved(): ProviderError {
  return new ProviderError({ kind: 'canceled' }, 'the account was removed in the meantime');
}

/** The reason nothing is sent or confirmed with a different key than the one the operation started with. */
export function keyReplaced(): ProviderError {
  return new ProviderError({ kind: 'canceled' }, 'the account’s key was replaced in the meantime');
}

/** The reason nothing is sent or confirmed where it isn't known which session a row of the list is about. */
export function unreadableRow(): ProviderError {
  const what = "a row of its list doesn't say which session it's about";
  return new ProviderError({ kind: 'unexpectedAnswer', what }, what);
}

/**
 * The reason nothing is sent to a session with a random ID whose start is later now. No other session gets that ID: its provider may
 * tell the start in another way than before, or it was started again.
 */
export function startedLater(): ProviderError {
  return new ProviderError({ kind: 'otherSession' }, 'its start is later than when the end was confirmed');
}

/** The provider says it accepts no more requests for now, though it hasn't rejected one yet. */
export function usedUp(retryAt: number): ProviderError {
  return new ProviderError({ kind: 'rateLimited', retryAt }, 'the rate limit is used up for longer than is waited');
}

/** The reason a provider isn't asked for something it has no request for. @param what the action, for the log. */
export function unsupported(what: string): ProviderError {
  return new ProviderError({ kind: 'unsupported', reason: { kind: 'noRequest' } }, `the provider can't ${what}`);
}

/** Whether a failed request may have had an effect anyway. */
function endCauseOf(error: ProviderError): Sent {
  const why = { kind: 'failed', error } as const;
  switch (error.trouble.kind) {
    case 'timedOut':
    case 'serverFault':
    case 'unexpectedAnswer':
    case 'conflict':
    case 'otherSession':
    case 'notFound':
      return { kind: 'unclear', why };
    case 'unreachable':
      return { kind: error.trouble.why === 'cut' || error.trouble.why === 'route' ? 'unclear' : 'refused', why };
    case 'canceled':
    case 'tooOften':
    case 'unauthorized':
    case 'forbidden':
    case 'rateLimited':
    case 'unsupported':
    case 'noKey':
    case 'badAddress':
      return { kind: 'refused', why };
  }
}
