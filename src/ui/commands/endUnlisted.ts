import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import { type Finding, lookUp } from '../../services/ending/lookUp.ts';
import type { AccountSession } from '../../services/ending/report.ts';
import type { Question } from '../prompts.ts';
import { questionForUnlisted } from '../text/confirmations.ts';
import { accountHost } from '../text/names.ts';
import { troubleSentence } from '../text/troubles.ts';
import { nameOfAccount, providerName } from './accountNames.ts';
import { type ConfirmParts, confirmBy } from './confirmEnd.ts';
import { describeSessions } from './descriptions.ts';
import type { EndPlan } from './endPlan.ts';
import { canceled, type PublicEndReport, publicReport } from './endReports.ts';
import { type RunParts, runEnd } from './runEnd.ts';
import { whileConnected } from './sameConnection.ts';

/** What looking up and ending an unlisted session needs. */
export interface UnlistedParts extends ConfirmParts, RunParts {
  readonly connections: Connections;
}

/**
 * Ends a session that isn't listed, by its id. It's looked up first, and the user is always asked. No end request is
 * sent if the provider doesn't know the id, or if it can look up sessions but the lookup failed.
 * @param plan has only this session.
 * @param again starts over.
 */
export async function endUnlisted(
  parts: UnlistedParts,
  plan: EndPlan,
  again: () => Promise<unknown>,
): Promise<PublicEndReport> {
  const [target] = plan.ends;
  if (target === undefined) return publicReport(parts, []);
  let told = false;
  const confirmed = await whileConnected(
    parts,
    () => [target.accountId],
    async () => {
      const question = await questionAbout(parts, target, plan.unknown);
      told = question === undefined;
      return question && confirmBy(parts, plan, question);
    },
  );
  if (confirmed !== undefined) return runEnd(parts, confirmed, again);
  return told ? publicReport(parts, []) : canceled(parts, plan.ends);
}

/** Looks a session up. @returns what to ask; undefined, after telling the user, if there is nothing to end. */
async function questionAbout(
  parts: UnlistedParts,
  target: AccountSession,
  unknown: readonly string[],
): Promise<Question | undefined> {
  const { connections, history, prompts } = parts;
  const { accountId, session } = target;
  const [subject] = describeSessions(parts, [target]);
  if (subject === undefined) return undefined;
  const provider = providerName(parts, accountId);
  prompts.note(l10n.t('Checking the session with {0}…', provider));
  let found: Finding;
  const connection = await connections.open(accountId).catch((error: unknown) => ProviderError.from(error));
  if (ProviderError.is(connection)) found = { kind: 'failed', error: connection };
  else found = await lookUp(parts, accountId, connection, session);
  const wasConfirmedGone = history.find(accountId, session.id) !== undefined;
  // As long as the provider doesn't say so, another session may be running that got the ID since.
  const isKnownToBeGone = wasConfirmedGone && found.kind === 'notFound';
  if (found.kind === 'ended' || isKnownToBeGone) {
    void prompts.tell('info', l10n.t('This session has already ended.'), []);
    return undefined;
  }
  if (found.kind === 'notFound') {
    void prompts.tell('info', notFoundSentence(provider, nameOfAccount(parts, accountId)), []);
    return undefined;
  }
  if (found.kind === 'failed') {
    const trouble = troubleSentence(found.error, accountHost(parts.accounts.get(accountId)));
    void prompts.tell('error', l10n.t('No request to end the session was sent. {0}', trouble), []);
    return undefined;
  }
  return questionForUnlisted({ id: plainText(session.id, 256), subject, found: found.kind, unknown });
}

function notFoundSentence(provider: string, account: string): string {
  return l10n.t(
    "{0} couldn't find a running session with this ID in {1}. The session may have ended, or the ID may be wrong or belong to another account. No request to end it was sent.",
    provider,
    account,
  );
}
