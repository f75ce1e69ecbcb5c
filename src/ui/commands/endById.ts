import * as l10n from '@vscode/l10n';
import { copiedSessionId } from '../../core/copiedId.ts';
import type { AccountId, SessionId } from '../../core/ids.ts';
import { nameOfAccount } from './accountNames.ts';
import { type EndParts, endTargets } from './ending.ts';
import { type PublicEndReport, publicReport } from './endReports.ts';
import { accountChoices, pickOne, targetOfOne, wholeAccount } from './targets.ts';

/**
 * Ends one session by its id, whether or not it's listed. Asks for the account and the id if they aren't given.
 * `sessionId` may be copied text around the id, such as a link; see {@link copiedSessionId}.
 */
export async function endSessionById(parts: EndParts, args: readonly unknown[]): Promise<PublicEndReport> {
  const [named] = args;
  const given: unknown = typeof named === 'object' && named !== null ? Reflect.get(named, 'sessionId') : undefined;
  const copied = typeof given === 'string' ? copiedSessionId(given) : undefined;
  if (given !== undefined && copied === undefined) {
    void parts.prompts.tell('info', noIdSentence(), []);
    return publicReport(parts, []);
  }
  // Without `sessionId`, because `targetOfOne` accepts only a bare id.
  const account: unknown = typeof named === 'object' && named !== null ? Reflect.get(named, 'accountId') : undefined;
  const accountId = targetOfOne([{ accountId: account }])?.accountId ?? (await someAccount(parts));
  if (accountId === undefined) return publicReport(parts, []);
  const sessionId = copied ?? (await askedId(parts, accountId));
  if (sessionId === undefined) return publicReport(parts, []);
  return endTargets(parts, [{ ...wholeAccount(accountId), sessionId }]);
}

async function someAccount(parts: EndParts): Promise<AccountId | undefined> {
  const choices = accountChoices(parts);
  const [only] = choices;
  if (only !== undefined && choices.length === 1) return only.value;
  const none = l10n.t('No accounts yet. Add an account first.');
  return pickOne(parts, l10n.t('End Session by ID'), l10n.t('Select an account'), none, choices);
}

async function askedId(parts: EndParts, accountId: AccountId): Promise<SessionId | undefined> {
  const answer = await parts.prompts.ask({
    title: l10n.t('End Session by ID'),
    prompt: l10n.t('Paste a session ID from {0}, or a link to the session', nameOfAccount(parts, accountId)),
    placeholder: '',
    value: '',
    secret: false,
    step: undefined,
    button: undefined,
    preview: (typed) => {
      const id = copiedSessionId(typed);
      return id === undefined || id === typed ? undefined : l10n.t('Session ID: {0}', id);
    },
    refuse: async (typed) => (copiedSessionId(typed) === undefined ? noIdSentence() : undefined),
  });
  return answer.kind === 'answer' ? copiedSessionId(answer.value) : undefined;
}

function noIdSentence(): string {
  return l10n.t("Couldn't find a session ID in this text. Paste only the ID, or a link to the session.");
}
