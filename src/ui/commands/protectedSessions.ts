import * as l10n from '@vscode/l10n';
import { type AccountId, isRandomId, type SessionId } from '../../core/ids.ts';
import { unlistedSession } from '../../core/unlistedSession.ts';
import { findGone } from '../../services/ending/lookUp.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { History } from '../../services/history/history.ts';
import type { Protections } from '../../services/sessions/protections.ts';
import type { SessionsView } from '../../services/sessions/sessionsView.ts';
import type { Prompts } from '../prompts.ts';
import { withNames } from '../sessionNames.ts';
import { nameAndId, shortId } from '../text/names.ts';
import { listOf } from '../text/numbers.ts';

/** Those of some sessions that the user has protected. */
export function protectedAmong(
  { protections }: { readonly protections: Pick<Protections, 'has'> },
  sessions: readonly AccountSession[],
): readonly AccountSession[] {
  return sessions.filter(({ accountId, session }) => protections.has(accountId, session.id));
}

/** The names and short IDs of sessions, as part of a sentence. */
export function listOfSessions(
  { store }: { readonly store: SessionsView },
  sessions: readonly AccountSession[],
): string {
  return listOf(withNames(store, sessions).flatMap(({ shownAs }) => (shownAs ? [nameAndId(shownAs)] : [])));
}

/** What {@link unlistedProtected} needs. */
export interface ProtectionParts {
  readonly protections: Protections;
  readonly history: History;
}

/**
 * The protected sessions of an account that aren't listed and haven't ended as far as is known, and those of other accounts that
 * may have the same sessions.
 */
export function unlistedProtected(parts: ProtectionParts, account: AccountId): readonly SessionId[] {
  const ids = parts.protections.sharing(account).flatMap((its) => unlistedOf(parts, its, account));
  return [...new Set(ids)];
}

/** The part of {@link unlistedProtected} that is protected in one account. */
function unlistedOf({ protections, history }: ProtectionParts, its: AccountId, asked: AccountId): readonly SessionId[] {
  // It may be an earlier session with its ID that ended.
  return protections.unlisted(its, asked).filter((id) => !isRandomId(id) || history.find(its, id) === undefined);
}

/**
 * Asks the provider which of {@link unlistedProtected} are gone, or not this account's, so that a dialog doesn't mention them.
 * Never rejects.
 */
export async function checkUnlistedProtected(
  parts: ProtectionParts & Parameters<typeof findGone>[0],
  account: AccountId,
): Promise<void> {
  const { protections } = parts;
  await Promise.all(
    protections.sharing(account).map(async (its) => {
      protections.noteGone(its, []);
      const ids = unlistedOf(parts, its, account);
      protections.noteGone(its, await findGone(parts, account, ids, its !== account));
    }),
  );
}

/** A line about {@link unlistedProtected} for a dialog about everything in an account, or about a batch. */
export function unlistedProtectedSentences(ids: readonly SessionId[], of: 'account' | 'batch'): readonly string[] {
  const [first] = ids;
  if (first === undefined) return [];
  if (of === 'account') {
    return [
      ids.length === 1
        ? l10n.t("Session {0} is protected but not listed. If it's still running, it will end too.", shortId(first))
        : l10n.t("{0} protected sessions aren't listed. Those that are still running will end too.", ids.length),
    ];
  }
  return [
    ids.length === 1
      ? l10n.t(
          "Session {0} is protected but not listed. If it's in this batch and still running, it will end too.",
          shortId(first),
        )
      : l10n.t(
          "{0} protected sessions aren't listed. Those that are in this batch and still running will end too.",
          ids.length,
        ),
  ];
}

/**
 * Tracks unlisted sessions that become protected after this call, for example in another window.
 * @returns a function that finds them.
 */
export function protectedFromNowOn(parts: ProtectionParts, account: AccountId): () => readonly AccountSession[] {
  const before = new Set(unlistedProtected(parts, account));
  return () => {
    const added = unlistedProtected(parts, account).filter((id) => !before.has(id));
    return added.map((id) => ({ accountId: account, session: unlistedSession(id) }));
  };
}

/**
 * Whether sessions that would end together with others have become protected while a dialog was open, for example in another
 * window. Tells the user if so.
 */
export function wereProtected(
  parts: Pick<ProtectionParts, 'protections'> & { readonly store: SessionsView; readonly prompts: Prompts },
  sessions: readonly AccountSession[],
): boolean {
  const guarded = protectedAmong(parts, sessions);
  if (guarded.length === 0) return false;
  const names = listOfSessions(parts, guarded);
  const sentence =
    guarded.length === 1
      ? l10n.t('{0} was protected while the dialog was open, so no request was sent. Try again.', names)
      : l10n.t('{0} were protected while the dialog was open, so no request was sent. Try again.', names);
  void parts.prompts.tell('info', sentence, []);
  return true;
}
