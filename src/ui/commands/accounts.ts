import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import { systemClock } from '../../core/clock.ts';
import { parseAddress } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import type { CredentialField, ProviderKind } from '../../core/provider.ts';
import { badAddress, ProviderError } from '../../core/providerError.ts';
import { furtherOf } from '../../services/accounts/connect.ts';
import { limitRequests } from '../../services/accounts/requestPace.ts';
import { accountHost, accountName } from '../text/names.ts';
import { troubleSentence } from '../text/troubles.ts';
import { labelFault, labelRequest, longestLabel } from './accountNamePrompt.ts';
import { kindOf, kindOfAccount, nameOfAccount } from './accountNames.ts';
import type { AddParts } from './addAccount.ts';
import { checkInTime, fieldFault, fieldRequest, fieldValue, sameKeySentence, tryOut } from './credentials.ts';
import { renameOrTell, saveKey } from './saveKey.ts';
import { accountChoices, pickOne, targetOfOne } from './targets.ts';

/** What commands about an existing account need. */
export type KnownAccountParts = AddParts;

/**
 * Asks for a new key for the same account and address, or for a key that isn't found on this machine. The old one stays
 * until the new one has been checked.
 */
export async function replaceKey(parts: KnownAccountParts, args: readonly unknown[]): Promise<void> {
  const account = await accountTarget(parts, args, l10n.t('Replace Key'));
  await parts.kinds.load();
  const kind = account && kindOf(parts, account);
  if (account === undefined || kind === undefined) return;
  const known = await parts.accounts.open(account.id);
  // The key will be sent to the address that it's saved with.
  const origin = known?.origin ?? account.origin;
  const address = parseAddress(origin);
  if (!address.ok) {
    void parts.prompts.tell('error', troubleSentence(badAddress(address.fault), accountHost({ origin })), []);
    return;
  }
  const credentials: Record<string, string> = { ...known?.credentials };
  const fields = kind.fields.filter(
    (field) => field.kind === 'secret' || (known === undefined && isAsked(field, kind, origin)),
  );
  if (fields.length === 0) {
    void parts.prompts.tell('info', l10n.t("{0} doesn't need a key.", kind.label), []);
    return;
  }
  const name = accountName(account, kind);
  const title = known === undefined ? l10n.t('Enter Key for {0}', name) : l10n.t('Replace Key for {0}', name);
  for (let at = 0; at < fields.length; ) {
    const field = fields[at];
    if (field === undefined) return;
    const last = field === fields.at(-1);
    const answer = await parts.prompts.ask({
      ...fieldRequest(parts.kinds, kind, field, title, origin, credentials),
      step: fields.length === 1 ? undefined : { number: at + 1, of: fields.length, back: at > 0 },
      refuse: async (typed, stop) => {
        const value = fieldValue(field, typed);
        if (value === '') delete credentials[field.id];
        else credentials[field.id] = value;
        const fault = fieldFault(field, typed);
        if (fault !== undefined || !last) return fault;
        const checked = { ...credentials };
        return (
          (await sameKeySentence(parts, kind, origin, checked, account.id)) ??
          (await tryOut(parts, kind, origin, checked, stop))?.sentence
        );
      },
    });
    if (answer.kind === 'back') at -= 1;
    else if (answer.kind === 'answer') at += 1;
    else return;
  }
  const further = furtherOf(kind, origin, credentials);
  const saved = await saveKey(parts.prompts, (place) =>
    parts.accounts.replaceCredentials(account.id, credentials, further, place),
  );
  if (saved !== undefined) await parts.refresher.refresh(account.id);
}

/** Whether a field was asked for when the account was added, judging by its address. */
function isAsked(field: CredentialField, kind: ProviderKind, origin: string): boolean {
  return field.asked === 'always' || origin !== kind.address.preset;
}

/** Asks for a new name. */
export async function renameAccount(parts: KnownAccountParts, args: readonly unknown[]): Promise<void> {
  const account = await accountTarget(parts, args, l10n.t('Rename Account'));
  if (account === undefined) return;
  const answer = await parts.prompts.ask({
    title: l10n.t('Rename {0}', nameOfAccount(parts, account.id)),
    ...labelRequest(account.label),
    placeholder: '',
    step: undefined,
    refuse: async (typed) => labelFault(parts, account.provider, typed, account.id),
  });
  if (answer.kind === 'answer') await renameOrTell(parts, account.id, plainText(answer.value, longestLabel));
}

/** Checks an account's key and shows the result. */
export async function testConnection(parts: KnownAccountParts, args: readonly unknown[]): Promise<boolean | undefined> {
  const account = await accountTarget(parts, args, l10n.t('Test Connection'));
  if (account === undefined) return undefined;
  const { isGood, sentence } = await testAccount(parts, account);
  void parts.prompts.tell(isGood ? 'info' : 'error', sentence, []);
  return isGood;
}

/** Checks an account's key. Never rejects. */
export async function testAccount(
  parts: Pick<KnownAccountParts, 'connections'>,
  account: Account,
): Promise<{ readonly isGood: boolean; readonly sentence: string }> {
  try {
    const provider = await parts.connections.open(account.id);
    limitRequests({ connections: parts.connections, clock: systemClock }, account.id, 'connectionTest');
    const began = systemClock.monotonic();
    const { identity, sessionLimit } = await checkInTime(provider);
    const sentences = [
      l10n.t('{0} responded in {1} ms.', accountHost(account), Math.round(systemClock.monotonic() - began)),
      ...(identity === undefined ? [] : [plainText(identity)]),
      ...(sessionLimit === undefined ? [] : [l10n.t('Session limit: {0}.', sessionLimit)]),
    ];
    return { isGood: true, sentence: sentences.join(' ') };
  } catch (error) {
    return { isGood: false, sentence: troubleSentence(ProviderError.from(error), accountHost(account)) };
  }
}

/** The account that the arguments name, or else the one that the user picks. */
export async function accountTarget(
  parts: KnownAccountParts,
  args: readonly unknown[],
  title: string,
): Promise<Account | undefined> {
  const none = l10n.t('No accounts yet. Add an account first.');
  const id =
    targetOfOne(args)?.accountId ??
    (await pickOne(parts, title, l10n.t('Select an account'), none, addedChoices(parts)));
  return id === undefined ? undefined : parts.accounts.get(id);
}

/** The accounts that the user added, as choices. */
function addedChoices(parts: KnownAccountParts) {
  return accountChoices(parts).filter(({ value }) => kindOfAccount(parts, value)?.isAutomatic !== true);
}
