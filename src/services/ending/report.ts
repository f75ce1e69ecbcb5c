import type { GroupDeletion } from '../../core/group.ts';
import type { AccountId } from '../../core/ids.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import type { StuckReason } from '../sessions/sessionsView.ts';

/** What a session was called when the user looked, as plain text: a page may have another title by now. */
export interface ShownName {
  /** The short id if nothing names the session. */
  readonly name: string;
  /** Differs from the short ids of all other sessions of its account. */
  readonly shortId: string;
}

/** A session to be ended, as the user saw it when they confirmed. */
export interface AccountSession {
  readonly accountId: AccountId;
  readonly session: Session;
  /** Set if the session isn't listed and the user named it by its id. */
  readonly unlisted?: boolean;
  /** Set in plans, so that dialogs and reports call it the same. */
  readonly shownAs?: ShownName | undefined;
}

/**
 * What happened to one session. `ended` and `alreadyGone` are confirmed, see `verification.ts`. `stuck` means that the
 * provider accepted the request but the session isn't confirmed gone, `failed` that it didn't accept the request,
 * `canceled` that it was never sent.
 */
export type EndOutcomeKind = 'ended' | 'alreadyGone' | 'failed' | 'stuck' | 'canceled';

/** One session's line in an {@link EndReport}. */
export interface EndResult {
  readonly accountId: AccountId;
  readonly session: Session;
  readonly outcome: EndOutcomeKind;
  /** See {@link AccountSession.shownAs}. */
  readonly shownAs?: ShownName | undefined;
  /** Set for `failed` and `stuck`. */
  readonly why: StuckReason | undefined;
  /** How it was ended, in the provider's sentence, if there are several ways. */
  readonly how: string | undefined;
  /** How many times its end was sent; 0 if one request was for many sessions. */
  readonly attempts: number;
  /** Milliseconds from the start until its outcome was known. */
  readonly ms: number;
}

/** One result for each requested session, in no particular order. */
export interface EndReport {
  readonly results: readonly EndResult[];
}

/** What happened to the sessions that one request was meant to end. */
export interface AskedReport extends EndReport {
  /** What went wrong with the request. It may have had an effect anyway. */
  readonly error: ProviderError | undefined;
}

/** What happened to a group that was to be deleted, and to its running sessions. */
export interface GroupReport extends EndReport {
  /** The provider's answer, or the error if there was none. */
  readonly answer: GroupDeletion | ProviderError;
}

/** The progress of an end operation. */
export interface EndProgress {
  readonly total: number;
  /** Sessions whose end was sent, or won't be. */
  readonly sent: number;
  /** Sessions whose outcome is known. */
  readonly settled: number;
}

/** How to follow and stop an end operation. */
export interface EndOptions {
  /** Aborting it keeps what isn't sent yet from being sent. Requests in flight are waited for. */
  readonly stop: AbortSignal;
  readonly onProgress: (progress: EndProgress) => void;
  /** See `Connections.generation`: those in which the user confirmed the end. By default, those of now. */
  readonly generations?: ReadonlyMap<AccountId, number> | undefined;
}
