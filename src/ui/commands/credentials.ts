import * as l10n from '@vscode/l10n';
import type { Credentials } from '../../core/account.ts';
import { formatAddress, parseAddress, receiverOf } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import type { CredentialField, ProviderKind } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { furtherOf } from '../../services/accounts/connect.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import type { AskRequest } from '../prompts.ts';
import { addressSentence } from '../text/addresses.ts';
import { accountHost } from '../text/names.ts';
import { listOf } from '../text/numbers.ts';
import { troubleSentence } from '../text/troubles.ts';

/** Timeout for checking a key, in milliseconds. */
export const checkTimeoutMs = 10_000;
/** Maximum length of a host and path that are shown; a host alone has at most 253 characters. */
const longestReceiver = 400;

/**
 * The prompt for one field; the caller adds `refuse`. It names every host that a secret may be sent to, as far as the
 * address and the answers so far determine it.
 */
export function fieldRequest(
  kind: ProviderKind,
  field: CredentialField,
  title: string,
  origin: string,
  credentials: Credentials,
): Omit<AskRequest, 'refuse'> {
  const secret = field.kind === 'secret';
  const sentences = [
    asSentence(l10n.t(field.prompt)),
    ...(field.required ? [] : [l10n.t('Optional.')]),
    ...(secret
      ? [l10n.t('Stored in the system keychain and sent only to {0}.', receivers(kind, origin, credentials))]
      : []),
  ];
  return {
    title,
    prompt: sentences.join(' '),
    placeholder: l10n.t(field.label),
    value: '',
    secret,
    step: undefined,
    button: undefined,
  };
}

/** Adds the period that the prompt of another extension's provider may lack. */
function asSentence(prompt: string): string {
  return /[.?!:]$/.test(prompt) ? prompt : `${prompt}.`;
}

/** The value in pasted text: without spaces around it, quotes, or the name that a line of a .env file starts with. */
function unquoted(typed: string): string {
  const value = typed.trim().replace(/^(?:export\s+)?[A-Z][A-Z0-9_]*=/, '');
  return value.replace(/^(["'])(.*)\1$/, '$2').trim();
}

/** Who receives a secret, according to the function that builds the URLs of requests. */
function receivers(kind: ProviderKind, origin: string, credentials: Credentials): string {
  const all = new Set([origin, ...furtherOf(kind, origin, credentials)].map(shownReceiver));
  return listOf(all);
}

/** An address as the prompt shows it. Nothing is sent to one that can't be used. */
function shownReceiver(address: string): string {
  const parsed = parseAddress(address);
  return parsed.ok ? plainText(receiverOf(parsed.url), longestReceiver) : accountHost({ origin: address });
}

/** The value of a field as it's saved; an address is normalized. */
export function fieldValue(field: CredentialField, typed: string): string {
  const value = unquoted(typed);
  const address = field.kind === 'address' ? parseAddress(value) : undefined;
  return address?.ok === true ? formatAddress(address.url) : value;
}

/** A sentence about what is wrong with a field, checked without a request; undefined if nothing is. */
export function fieldFault(field: CredentialField, typed: string): string | undefined {
  const value = unquoted(typed);
  if (value === '') return field.required ? l10n.t('{0} is required.', l10n.t(field.label)) : undefined;
  if (field.kind === 'address') {
    const address = parseAddress(value);
    return address.ok ? undefined : addressSentence(address.fault);
  }
  // A header can't carry anything else, so the provider would never receive what was typed.
  return /^[\x20-\x7e]+$/.test(value)
    ? undefined
    : l10n.t("This contains characters that aren't allowed in a key. Paste the key again.");
}

/** Checks credentials with the provider. @returns what is wrong, in a sentence, or undefined. */
export async function tryOut(
  { connections }: { readonly connections: Connections },
  kind: ProviderKind,
  origin: string,
  credentials: Credentials,
): Promise<string | undefined> {
  try {
    const provider = await connections.connect(kind, origin, credentials);
    await provider.check(AbortSignal.timeout(checkTimeoutMs));
    return undefined;
  } catch (error) {
    return failureSentence(error, kind, origin);
  }
}

/** Why checking or storing credentials failed. Anything but a provider's error came from the keychain. */
export function failureSentence(error: unknown, kind: ProviderKind, origin: string): string {
  if (ProviderError.is(error)) return troubleSentence(error, URL.parse(origin)?.host ?? kind.label);
  const reason = error instanceof Error ? plainText(error.message, 200) : '';
  return l10n.t("Couldn't use the system keychain: {0}", reason);
}
