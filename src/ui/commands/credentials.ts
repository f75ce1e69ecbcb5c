import * as l10n from '@vscode/l10n';
import type { Account, AccountFacts, Credentials } from '../../core/account.ts';
import type { AccountId } from '../../core/ids.ts';
import { parseAddress } from '../../core/origin.ts';
import { plainText, withoutInvisible } from '../../core/plainText.ts';
import type { CredentialField, Provider, ProviderKind } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { isWithin, receiverOf } from '../../core/requestUrl.ts';
import { formatAddress, parseTypedAddress } from '../../core/typedAddress.ts';
import { furtherOf } from '../../services/accounts/connect.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import { findSame } from '../../services/accounts/findSame.ts';
import { KeychainError } from '../../services/accounts/secrets.ts';
import type { ProviderKinds } from '../../services/providers/providerKinds.ts';
import type { AskRequest, LinkButton } from '../prompts.ts';
import { addressSentence } from '../text/addresses.ts';
import { accountHost } from '../text/names.ts';
import { listOf } from '../text/numbers.ts';
import { troubleSentence } from '../text/troubles.ts';
import type { AccountParts } from './accountNames.ts';
import { keychainSentence } from './saveKey.ts';

/** Timeout for checking a key, in milliseconds. */
const checkTimeoutMs = 10_000;
/** Maximum length of a host and path that are shown; a host alone has at most 253 characters. */
const longestReceiver = 400;

/**
 * The prompt for one field; the caller adds `refuse`. For a secret of a built-in provider it names every host that the
 * secret may be sent to, as far as the address and the answers so far determine it. The code of another extension can
 * send it anywhere, so the prompt names the extension instead.
 */
export function fieldRequest(
  kinds: Pick<ProviderKinds, 'isBuiltIn' | 'extensionOf'>,
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
    ...(secret ? [receiverSentence(kinds, kind, origin, credentials)] : []),
  ];
  return {
    title,
    prompt: sentences.join(' '),
    placeholder: l10n.t(field.label),
    value: '',
    secret,
    step: undefined,
    button: undefined,
    link: secret ? keyPageButton(kind, origin) : undefined,
  };
}

/** Where a secret is kept, and who receives it. */
function receiverSentence(
  kinds: Pick<ProviderKinds, 'isBuiltIn' | 'extensionOf'>,
  kind: ProviderKind,
  origin: string,
  credentials: Credentials,
): string {
  if (kinds.isBuiltIn(kind)) {
    return l10n.t('Stored in the system keychain and sent only to {0}.', receivers(kind, origin, credentials));
  }
  const by = kinds.extensionOf(kind);
  return by === undefined
    ? l10n.t('Stored in the system keychain and given to the extension that adds this provider.')
    : l10n.t(
        'Stored in the system keychain and given to the extension "{0}" ({1}), which can send it anywhere.',
        plainText(by.name),
        plainText(by.id),
      );
}

/**
 * A button that opens the page on which a provider's keys are made. Undefined for a server of the user's own, whose key
 * the provider didn't make.
 * @param origin the account's address; undefined if it isn't known yet.
 */
export function keyPageButton({ keyPage, address }: ProviderKind, origin?: string): LinkButton | undefined {
  const url = keyPage === undefined ? null : URL.parse(keyPage);
  const server = origin === undefined ? null : URL.parse(origin);
  if (url === null) return undefined;
  const isOwnServer = address.preset === undefined && server !== null && !isWithin(server, url.hostname);
  return isOwnServer ? undefined : { icon: 'link-external', tooltip: l10n.t('Get a Key at {0}', url.host), url };
}

/** Adds the period that the prompt of another extension's provider may lack. */
function asSentence(prompt: string): string {
  return /[.?!:]$/.test(prompt) ? prompt : `${prompt}.`;
}

const nameInFront = /^(?:export\s+|set\s+|\$env:)?[A-Z][A-Z0-9_]*\s*=\s*(?=[^=\s])/;
const quotes = /^(["'`\u2018\u201c])(.*)["'`\u2019\u201d][,;]?$/;
const schemeInFront = /^(?:Authorization:\s*)?Bearer\s+/i;

/**
 * The value in pasted text: without spaces around it, quotes, or the name that a line of a .env file starts with. A key
 * is also taken out of a header (`Bearer …`) unless the scheme is part of it, and from between invisible characters.
 */
function pastedValue({ kind, keepsScheme }: CredentialField, typed: string): string {
  let value = typed;
  for (let before: string | undefined; before !== value; ) {
    before = value;
    value = value.trim().replace(nameInFront, '').replace(quotes, '$2');
    if (kind === 'secret') value = withoutInvisible(value);
    if (kind === 'secret' && keepsScheme !== true) value = value.replace(schemeInFront, '');
  }
  return value;
}

/** Who receives a secret, according to the function that builds the URLs of requests. */
export function receivers(kind: ProviderKind, origin: string, credentials: Credentials): string {
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
  const value = pastedValue(field, typed);
  const address = field.kind === 'address' ? parseTypedAddress(value) : undefined;
  return address?.ok === true ? formatAddress(address.url) : value;
}

/** A sentence about what is wrong with a field, checked without a request; undefined if nothing is. */
export function fieldFault(field: CredentialField, typed: string): string | undefined {
  const value = pastedValue(field, typed);
  if (value === '') return field.required ? l10n.t('{0} is required.', l10n.t(field.label)) : undefined;
  if (field.kind === 'address') {
    const address = parseTypedAddress(value);
    return address.ok ? undefined : addressSentence(address.fault);
  }
  // A header can't carry anything else, so the provider would never receive what was typed.
  return /^[\x20-\x7e]+$/.test(value)
    ? undefined
    : l10n.t("This contains characters that aren't allowed in a key. Paste the key again.");
}

/** Why credentials couldn't be used. */
export interface Refusal {
  readonly sentence: string;
  /** Whether the key may be right: nothing that could tell has answered. */
  readonly isUnchecked: boolean;
}

/** Checks credentials with the provider. @returns what is wrong, or undefined. @param stop ends the check early. */
export async function tryOut(
  { connections }: { readonly connections: Connections },
  kind: ProviderKind,
  origin: string,
  credentials: Credentials,
  stop?: AbortSignal,
): Promise<Refusal | undefined> {
  try {
    await checkInTime(await connections.connect(kind, origin, credentials), stop);
    return undefined;
  } catch (error) {
    const isUnchecked = ProviderError.isOf(error, 'unreachable', 'timedOut', 'serverFault', 'rateLimited');
    return { sentence: failureSentence(error, kind, origin), isUnchecked };
  }
}

/**
 * Checks a provider's key.
 * @param withinMs the time it may take, in milliseconds.
 * @throws ProviderError `timedOut` if it takes longer.
 */
export async function checkInTime(
  provider: Pick<Provider, 'check'>,
  stop?: AbortSignal,
  withinMs = checkTimeoutMs,
): Promise<AccountFacts> {
  const timeout = AbortSignal.timeout(withinMs);
  try {
    return await provider.check(stop === undefined ? timeout : AbortSignal.any([stop, timeout]));
  } catch (error) {
    if (!timeout.aborted || stop?.aborted === true) throw error;
    throw new ProviderError({ kind: 'timedOut', afterMs: withinMs }, 'checking the key took too long');
  }
}

/** The account that already has this key at this address, if any. @param except one that isn't compared. */
export function sameAccount(
  { accounts }: Pick<AccountParts, 'accounts'>,
  kind: ProviderKind,
  origin: string,
  credentials: Credentials,
  except?: AccountId,
): Promise<Account | undefined> {
  const isKey = (id: string) => kind.fields.some((field) => field.id === id && field.kind === 'secret');
  return findSame(accounts, { provider: kind.id, origin, credentials }, isKey, except);
}

/** The same as a sentence; undefined if there is none. */
export async function sameKeySentence(...args: Parameters<typeof sameAccount>): Promise<string | undefined> {
  const same = await sameAccount(...args);
  return same && l10n.t('You already added this account as "{0}".', plainText(same.label));
}

/** Why checking or storing credentials failed. Anything but a provider's error came from the keychain. */
export function failureSentence(error: unknown, kind: ProviderKind, origin: string): string {
  if (ProviderError.is(error)) return troubleSentence(error, URL.parse(origin)?.host ?? kind.label);
  return keychainSentence(KeychainError.from(error));
}
