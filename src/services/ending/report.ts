import type { GroupDeletion } from '../../core/group.ts';
import type { AccountId } from '../../core/ids.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import type { StuckReason } from '../sessions/sessionsView.ts';

/** A session to be ended, as the user saw it when they confirmed. */
export interface AccountSession {
  readonly accountId: AccountId;
  readonly session: Session;
  /** Set where no list shows the session and the user named it by its id. */
  readonly unlisted?: boolean;
}

/**
 * What became of one session. `ended` and `alreadyGone` are confirmed, see `verification.ts`. `stuck` means that the
 * provider took the request and the session isn't confirmed gone, `failed` that it didn't take the request, `cancelled`
 * that it was never sent.
 */
export type EndOutcomeKind = 'ended' | 'alreadyGone' | 'failed' | 'stuck' | 'cancelled';

/** One session's line in an {@link EndReport}. */
export interface EndResult {
  readonly accountId: AccountId;
  readonly session: Session;
  readonly outcome: EndOutcomeKind;
  /** Set for `failed` and `stuck`. */
  readonly why: StuckReason | undefined;
  /** In which of several ways it ended, in the provider's sentence. */
  readonly how: string | undefined;
  /** How often its end was sent; 0 where the request was for many. */
  readonly attempts: number;
  /** From the beginning until its outcome was known. */
  readonly ms: number;
}

/** One result for each session that was asked for, in no particular order. */
export interface EndReport {
  readonly results: readonly EndResult[];
}

/** What became of the sessions that one request was to end. */
export interface AskedReport extends EndReport {
  /** What went wrong with the request; it may have had its effect all the same. */
  readonly error: ProviderError | undefined;
}

/** What became of a group that was to be deleted, and of the sessions that ran in it. */
export interface GroupReport extends EndReport {
  /** What the provider answered, or the error in its place. */
  readonly answer: GroupDeletion | ProviderError;
}

/** How far an end has come. */
export interface EndProgress {
  readonly total: number;
  /** Sessions whose end was sent, or is not going to be. */
  readonly sent: number;
  /** Sessions whose outcome is known. */
  readonly settled: number;
}

/** How an end is watched and stopped. */
export interface EndOptions {
  /** Aborting it keeps what is not sent yet from being sent; what is under way is waited for. */
  readonly stop: AbortSignal;
  readonly onProgress: (progress: EndProgress) => void;
}
