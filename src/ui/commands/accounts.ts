import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import { parseAddress } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import type { CredentialField, ProviderKind } from '../../core/provider.ts';
import { badAddress, ProviderError } from '../../core/providerError.ts';
import { furtherOf } from '../../services/connect.ts';
import { questionForRemoval } from '../words/confirmations.ts';
import { accountHost, accountName } from '../words/names.ts';
import { troubleSentence } from '../words/troubles.ts';
import { longestLabel } from './addAccount.ts';
import { type CommandContext, kindOf, nameOf } from './context.ts';
import { checkTimeoutMs, fieldFault, fieldRequest, fieldValue, tryOut } from './credentials.ts';
import { accountChoices, pickOne, targetsOf } from './targets.ts';

/**
 * Asks for another key for the same account and address, or for the one that is not found on this machine; the old one
 * stays until the new one was tried.
 */
export async function replaceKey(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const account = await accountTarget(context, args, l10n.t('Replace Key'));
  await context.kinds.load();
  const kind = account && kindOf(context, account);
  if (account === undefined || kind === undefined) return;
  const saved = await context.accounts.open(account.id);
  // The address that the key is saved with is the one it will be sent to.
  const origin = saved?.origin ?? account.origin;
  const address = parseAddress(origin);
  if (!address.ok) {
    void context.prompts.tell('error', troubleSentence(badAddress(address.fault), accountHost({ origin })), []);
    return;
  }
  const credentials: Record<string, string> = { ...saved?.credentials };
  const asked = kind.fields.filter(
    (field) => field.kind === 'secret' || (saved === undefined && isAsked(field, kind, origin)),
  );
  if (asked.length === 0) {
    void context.prompts.tell('info', l10n.t('{0} needs no key.', kind.label), []);
    return;
  }
  const name = accountName(account, kind);
  const title = saved === undefined ? l10n.t('Enter Key for {0}', name) : l10n.t('Replace Key of {0}', name);
  for (const field of asked) {
    const last = field === asked.at(-1);
    const answer = await context.prompts.ask({
      ...fieldRequest(kind, field, title, origin, credentials),
      refuse: async (typed) => {
        const value = fieldValue(field, typed);
        if (value === '') delete credentials[field.id];
        else credentials[field.id] = value;
        return fieldFault(field, typed) ?? (last ? tryOut(context, kind, origin, credentials) : undefined);
      },
    });
    if (answer.kind !== 'answer') return;
  }
  const further = furtherOf(kind, origin, credentials);
  await context.accounts.replaceCredentials(account.id, credentials, further);
  await context.refresher.refresh(account.id);
}

/** Whether a field was asked for when the account was added, as far as its address tells. */
function isAsked(field: CredentialField, kind: ProviderKind, origin: string): boolean {
  return field.asked === 'always' || origin !== kind.address.preset;
}

/** Asks for another label. */
export async function renameAccount(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const account = await accountTarget(context, args, l10n.t('Rename Account'));
  if (account === undefined) return;
  const answer = await context.prompts.ask({
    title: l10n.t('Rename {0}', nameOf(context, account.id)),
    prompt: l10n.t('A name for the tree'),
    placeholder: '',
    value: account.label,
    secret: false,
    step: undefined,
    button: undefined,
    refuse: async (typed) => (plainText(typed, longestLabel) === '' ? l10n.t('A name is needed.') : undefined),
  });
  if (answer.kind === 'answer') await context.accounts.rename(account.id, plainText(answer.value, longestLabel));
}

/** Forgets an account after a confirmation that says that its sessions go on. */
export async function removeAccount(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const account = await accountTarget(context, args, l10n.t('Remove Account'));
  if (account === undefined) return;
  const running = context.store.state(account.id)?.contents.sessions.size ?? 0;
  const question = questionForRemoval(nameOf(context, account.id), running);
  if ((await context.prompts.confirm(question)) === question.choices[0]) await context.accounts.remove(account.id);
}

/** Tries an account's key and says how it went. */
export async function testConnection(context: CommandContext, args: readonly unknown[]): Promise<boolean | undefined> {
  const account = await accountTarget(context, args, l10n.t('Test Connection'));
  if (account === undefined) return undefined;
  const began = context.now();
  try {
    const provider = await context.connections.open(account.id);
    const { identity, sessionLimit } = await provider.check(AbortSignal.timeout(checkTimeoutMs));
    const sentences = [
      l10n.t('{0} answers ({1} ms).', accountHost(account), context.now() - began),
      ...(identity === undefined ? [] : [plainText(identity)]),
      ...(sessionLimit === undefined ? [] : [l10n.t('At most {0} sessions at once.', sessionLimit)]),
    ];
    void context.prompts.tell('info', sentences.join(' '), []);
    return true;
  } catch (error) {
    void context.prompts.tell('error', troubleSentence(ProviderError.from(error), accountHost(account)), []);
    return false;
  }
}

/** The account that is named, or the one that the person picks. */
async function accountTarget(
  context: CommandContext,
  args: readonly unknown[],
  title: string,
): Promise<Account | undefined> {
  const none = l10n.t('There is no account yet.');
  const id =
    targetsOf(context, args)[0]?.accountId ??
    (await pickOne(context, title, l10n.t('Choose an account'), none, accountChoices(context)));
  return id === undefined ? undefined : context.accounts.get(id);
}
