import * as l10n from '@vscode/l10n';
import type { Credentials } from '../../core/account.ts';
import { plainText } from '../../core/plainText.ts';
import type { CredentialField, ProviderKind } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { AskRequest } from '../prompts.ts';
import { accountHost } from '../words/names.ts';
import { troubleSentence } from '../words/troubles.ts';
import type { CommandContext } from './context.ts';

/** Milliseconds that trying a key may take before the person is told that nothing answers. */
export const checkTimeoutMs = 10_000;

/** The question for one field; `refuse` is for the caller to add. */
export function fieldRequest(field: CredentialField, title: string, origin: string): Omit<AskRequest, 'refuse'> {
  const sentences = [
    l10n.t(field.prompt),
    ...(field.required ? [] : [l10n.t('It may be left out')]),
    ...(field.secret
      ? [l10n.t('It is kept in the system’s keychain and sent to {0} only', accountHost({ origin }))]
      : []),
  ];
  return {
    title,
    prompt: `${sentences.join('. ')}.`,
    placeholder: l10n.t(field.label),
    value: '',
    secret: field.secret,
    step: undefined,
    button: undefined,
  };
}

/** What people paste: with blanks around it, in quotes, or as a line of a .env file. */
export function unquoted(typed: string): string {
  const value = typed.trim().replace(/^(?:export\s+)?[A-Z][A-Z0-9_]*=/, '');
  return value.replace(/^(["'])(.*)\1$/, '$2').trim();
}

/** What is wrong with a field before anybody is asked, in a sentence, or undefined. */
export function fieldFault(field: CredentialField, typed: string): string | undefined {
  const value = unquoted(typed);
  if (value === '') return field.required ? l10n.t('{0} is needed.', l10n.t(field.label)) : undefined;
  // A header cannot carry anything else; the vendor would never see what was typed.
  return /^[\x20-\x7e]+$/.test(value) ? undefined : l10n.t('This has characters that no key has. Paste it again.');
}

/** Asks the vendor whether it takes these credentials. @returns what is wrong, in a sentence, or undefined. */
export async function tryOut(
  { connections }: CommandContext,
  kind: ProviderKind,
  origin: string,
  credentials: Credentials,
): Promise<string | undefined> {
  try {
    await connections.connect(kind, origin, credentials).check(AbortSignal.timeout(checkTimeoutMs));
    return undefined;
  } catch (error) {
    return failureSentence(error, kind, origin);
  }
}

/** Why trying or storing credentials failed. What is not a provider's error came from the store for keys. */
export function failureSentence(error: unknown, kind: ProviderKind, origin: string): string {
  if (ProviderError.is(error)) return troubleSentence(error, URL.parse(origin)?.host ?? kind.label);
  const reason = error instanceof Error ? plainText(error.message, 200) : '';
  return l10n.t('This machine’s store for keys does not work: {0}', reason);
}
