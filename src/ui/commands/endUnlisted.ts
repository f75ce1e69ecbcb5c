import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import { ProviderError } from '../../core/providerError.ts';
import { type Finding, lookUp } from '../../services/ending/lookUp.ts';
import type { EndTarget } from '../../services/ending/report.ts';
import { type EndSubject, questionForUnlisted } from '../words/confirmations.ts';
import { accountHost } from '../words/names.ts';
import { troubleSentence } from '../words/troubles.ts';
import { type CommandContext, nameOf } from './context.ts';
import { cancelled, endNow, type PublicEndReport, publicReport } from './endReports.ts';

/**
 * Ends a session that no list shows, by its id. The provider is asked about it first, and the user always: nothing is sent
 * for an id that the provider doesn't know, or that couldn't be asked about although the provider can be asked.
 * @param subject what a dialog says about it.
 * @param again tries the whole thing once more.
 */
export async function endUnlisted(
  context: CommandContext,
  target: EndTarget,
  subject: EndSubject,
  again: () => Promise<unknown>,
): Promise<PublicEndReport> {
  const { connections, history, prompts } = context;
  const { accountId, session } = target;
  const provider = subject.vendor || subject.account;
  const tell = (level: 'info' | 'error', sentence: string): PublicEndReport => {
    void prompts.tell(level, sentence, []);
    return publicReport(context, []);
  };
  prompts.note(l10n.t('Asking {0} about the session…', provider));
  let found: Finding;
  const connection = await connections.open(accountId).catch((error: unknown) => ProviderError.from(error));
  if (ProviderError.is(connection)) found = { kind: 'failed', error: connection };
  else found = await lookUp(context, accountId, connection, session);
  const wasConfirmedGone = history.find(accountId, session.id) !== undefined;
  if (found.kind === 'ended' || (wasConfirmedGone && found.kind !== 'running')) {
    return tell('info', l10n.t('That session has already ended.'));
  }
  if (found.kind === 'notFound') return tell('info', notFoundSentence(provider, nameOf(context, accountId)));
  if (found.kind === 'failed') {
    const trouble = troubleSentence(found.error, accountHost(context.accounts.get(accountId)));
    return tell('error', l10n.t('Nothing was sent to end the session. {0}', trouble));
  }
  const question = questionForUnlisted({ id: plainText(session.id, 256), subject, found: found.kind });
  if ((await prompts.confirm(question)) !== question.choices[0]) return cancelled(context, [target]);
  // With another key the id may be another session's.
  if ((await connections.open(accountId).catch(() => undefined)) !== connection) {
    return tell('info', l10n.t('The account changed in the meantime. Nothing was sent to end the session.'));
  }
  return endNow(context, [target], again);
}

function notFoundSentence(provider: string, account: string): string {
  return l10n.t(
    "{0} doesn't find a running session with this ID in {1}. It may have ended, or the ID may be wrong or from another account. Nothing was sent.",
    provider,
    account,
  );
}
