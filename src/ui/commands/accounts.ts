import * as l10n from '@vscode/l10n';
import type { Credentials } from '../../core/account.ts';
import type { AccountId } from '../../core/ids.ts';
import { formatAddress, parseAddress } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import type { CredentialField, ProviderKind } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import type { Answer, AskRequest, Step } from '../prompts.ts';
import { addressSentence } from '../words/addresses.ts';
import { questionForRemoval } from '../words/confirmations.ts';
import { accountHost, accountName } from '../words/names.ts';
import { troubleSentence } from '../words/troubles.ts';
import { type CommandContext, kindOf, nameOf } from './context.ts';
import { accountChoices, pickOne, targetsOf } from './targets.ts';

/** Milliseconds that trying a key may take before the person is told that nothing answers. */
const checkTimeoutMs = 10_000;
const longestLabel = 60;

/** What a person is adding, as far as they have said it. */
interface Draft {
  origin: string;
  readonly credentials: Record<string, string>;
  label: string;
}

/**
 * Adds an account: asks for what it needs, or takes it from the argument
 * `{provider, label?, origin?, fields}`. What is given is tried first; where that fails nothing is stored.
 * @returns the new account's id, or undefined when the person left.
 * @throws Error with a sentence that names what is wrong with an argument.
 */
export async function addAccount(context: CommandContext, [argument]: readonly unknown[]): Promise<string | undefined> {
  if (typeof argument === 'object' && argument !== null && 'provider' in argument) return addFrom(context, argument);
  const kind = await pickKind(context);
  if (kind === undefined) return undefined;
  const draft: Draft = { origin: kind.address.preset ?? '', credentials: {}, label: '' };
  if (!(await askAll(context, kind, draft))) return undefined;
  try {
    return await store(context, kind, draft);
  } catch (error) {
    void context.prompts.tell('error', sentenceOf(error, kind, draft.origin), []);
    return undefined;
  }
}

/** Asks for another key for the same account and address; the old one stays until the new one was tried. */
export async function replaceKey(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const id = await accountTarget(context, args, l10n.t('Replace Key'));
  const account = id === undefined ? undefined : context.accounts.get(id);
  const kind = account && kindOf(context, account);
  if (account === undefined || kind === undefined) return;
  const before = (await context.accounts.open(account.id))?.credentials ?? {};
  const credentials: Record<string, string> = { ...before };
  const asked = kind.fields.filter(({ secret }) => secret);
  if (asked.length === 0) {
    void context.prompts.tell('info', l10n.t('{0} needs no key.', kind.label), []);
    return;
  }
  for (const [index, field] of asked.entries()) {
    const last = index === asked.length - 1;
    const answer = await context.prompts.ask({
      ...fieldRequest(field, l10n.t('Replace Key of {0}', accountName(account, kind)), '', undefined, account.origin),
      refuse: async (typed) => {
        credentials[field.id] = unquoted(typed);
        return emptyFault(field, typed) ?? (last ? tryOut(context, kind, account.origin, credentials) : undefined);
      },
    });
    if (answer.kind !== 'answer') return;
  }
  await context.accounts.replaceCredentials(account.id, credentials);
  await context.refresher.refresh(account.id);
}

/** Asks for another label. */
export async function renameAccount(context: CommandContext, args: readonly unknown[]): Promise<void> {
  const id = await accountTarget(context, args, l10n.t('Rename Account'));
  const account = id === undefined ? undefined : context.accounts.get(id);
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
  const id = await accountTarget(context, args, l10n.t('Remove Account'));
  if (id === undefined) return;
  const running = context.store.state(id)?.contents.sessions.size ?? 0;
  const question = questionForRemoval(nameOf(context, id), running);
  if ((await context.prompts.confirm(question)) === question.choices[0]) await context.accounts.remove(id);
}

/** Tries an account's key and says how it went. */
export async function testConnection(context: CommandContext, args: readonly unknown[]): Promise<boolean | undefined> {
  const id = await accountTarget(context, args, l10n.t('Test Connection'));
  const account = id === undefined ? undefined : context.accounts.get(id);
  if (account === undefined) return undefined;
  const began = context.now();
  try {
    const provider = await context.connections.open(account.id);
    const facts = await provider.check(AbortSignal.timeout(checkTimeoutMs));
    const ms = context.now() - began;
    const parts = [
      l10n.t('{0} answers ({1} ms).', accountHost(account), ms),
      ...(facts.identity === undefined ? [] : [plainText(facts.identity)]),
      ...(facts.sessionLimit === undefined ? [] : [l10n.t('At most {0} sessions at once.', facts.sessionLimit)]),
    ];
    void context.prompts.tell('info', parts.join(' '), []);
    return true;
  } catch (error) {
    void context.prompts.tell('error', troubleSentence(ProviderError.from(error), accountHost(account)), []);
    return false;
  }
}

async function accountTarget(
  context: CommandContext,
  args: readonly unknown[],
  title: string,
): Promise<AccountId | undefined> {
  const named = targetsOf(context, args)[0]?.accountId;
  if (named !== undefined) return named;
  const none = l10n.t('There is no account yet.');
  return pickOne(context, title, l10n.t('Choose an account'), none, accountChoices(context));
}

async function pickKind({ kinds, prompts }: CommandContext): Promise<ProviderKind | undefined> {
  await kinds.load();
  const answer = await prompts.pick({
    title: l10n.t('Add Account'),
    placeholder: l10n.t('Where do the browsers run?'),
    choices: kinds.all.map((kind) => ({
      label: plainText(kind.label),
      description: plainText(kind.address.preset ?? ''),
      detail:
        kind.fields.length === 0
          ? l10n.t('Needs no key')
          : l10n.t('Needs: {0}', kind.fields.map(({ label }) => l10n.t(label)).join(', ')),
      icon: kind.icon,
      heading: undefined,
      value: kind,
    })),
    step: undefined,
  });
  return answer.kind === 'answer' ? answer.value : undefined;
}

/** Asks question after question, forwards and backwards. False when the person left. */
async function askAll(context: CommandContext, kind: ProviderKind, draft: Draft): Promise<boolean> {
  let askAddress = kind.address.ask;
  for (let at = 0; ; ) {
    const questions = [...(askAddress ? ['address' as const] : []), ...kind.fields, 'label' as const];
    const question = questions[at];
    if (question === undefined) return true;
    const step = { number: at + 1, of: questions.length, back: at > 0 };
    // All that the vendor needs is known with the answer before the label.
    const complete = at === Math.max(0, questions.length - 2);
    const answer =
      question === 'address'
        ? await askOrigin(context, kind, draft, step, complete)
        : question === 'label'
          ? await askLabel(context, kind, draft, step, complete)
          : await askField(context, kind, draft, question, step, complete, askAddress);
    if (answer.kind === 'left') return false;
    if (answer.kind === 'back') at -= 1;
    else if (answer.kind === 'button') {
      askAddress = true;
      at = 0;
    } else at += 1;
  }
}

function askOrigin(
  context: CommandContext,
  kind: ProviderKind,
  draft: Draft,
  step: Step,
  complete: boolean,
): Promise<Answer<string>> {
  return context.prompts.ask({
    title: titleFor(kind),
    prompt: l10n.t(kind.address.prompt),
    placeholder: kind.address.placeholder,
    value: draft.origin,
    secret: false,
    step,
    button: undefined,
    refuse: async (typed) => {
      const address = parseAddress(typed);
      if (!address.ok) return addressSentence(address.fault);
      draft.origin = formatAddress(address.url);
      return complete ? tryDraft(context, kind, draft) : undefined;
    },
  });
}

function askField(
  context: CommandContext,
  kind: ProviderKind,
  draft: Draft,
  field: CredentialField,
  step: Step,
  complete: boolean,
  askedAddress: boolean,
): Promise<Answer<string>> {
  return context.prompts.ask({
    ...fieldRequest(field, titleFor(kind), draft.credentials[field.id] ?? '', step, draft.origin),
    button: askedAddress ? undefined : { icon: 'server', tooltip: l10n.t('Use Another Address…') },
    refuse: async (typed) => {
      draft.credentials[field.id] = unquoted(typed);
      return emptyFault(field, typed) ?? (complete ? tryDraft(context, kind, draft) : undefined);
    },
  });
}

function askLabel(
  context: CommandContext,
  kind: ProviderKind,
  draft: Draft,
  step: Step,
  complete: boolean,
): Promise<Answer<string>> {
  return context.prompts.ask({
    title: titleFor(kind),
    prompt: l10n.t('A name for the tree'),
    placeholder: kind.label,
    value: draft.label || freeLabel(context, kind),
    secret: false,
    step,
    button: undefined,
    refuse: async (typed) => {
      draft.label = plainText(typed, longestLabel);
      if (draft.label === '') return l10n.t('A name is needed.');
      return complete ? tryDraft(context, kind, draft) : undefined;
    },
  });
}

function fieldRequest(
  field: CredentialField,
  title: string,
  value: string,
  step: Step | undefined,
  origin: string,
): Omit<AskRequest, 'refuse'> {
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
    value,
    secret: field.secret,
    step,
    button: undefined,
  };
}

function titleFor(kind: ProviderKind): string {
  return l10n.t('Add Account: {0}', plainText(kind.label));
}

/** What people paste: with blanks around it, in quotes, or as a line of a .env file. */
function unquoted(typed: string): string {
  const value = typed.trim().replace(/^(?:export\s+)?[A-Z][A-Z0-9_]*=/, '');
  return value.replace(/^(["'])(.*)\1$/, '$2').trim();
}

function emptyFault(field: CredentialField, typed: string): string | undefined {
  const value = unquoted(typed);
  if (value === '') return field.required ? l10n.t('{0} is needed.', l10n.t(field.label)) : undefined;
  // A header cannot carry anything else; the vendor would never see what was typed.
  return /^[\x20-\x7e]+$/.test(value) ? undefined : l10n.t('This has characters that no key has. Paste it again.');
}

async function tryDraft(context: CommandContext, kind: ProviderKind, draft: Draft): Promise<string | undefined> {
  const { origin, credentials } = draft;
  try {
    const same = await context.accounts.findSame({ provider: kind.id, origin, credentials });
    if (same !== undefined) return l10n.t('This is already added as “{0}”.', plainText(same.label));
  } catch (error) {
    return sentenceOf(error, kind, origin);
  }
  return tryOut(context, kind, origin, credentials);
}

/** Asks the vendor whether it takes these credentials. @returns what is wrong, in a sentence, or undefined. */
async function tryOut(
  context: CommandContext,
  kind: ProviderKind,
  origin: string,
  credentials: Credentials,
): Promise<string | undefined> {
  try {
    await context.connections.connect(kind, origin, credentials).check(AbortSignal.timeout(checkTimeoutMs));
    return undefined;
  } catch (error) {
    return sentenceOf(error, kind, origin);
  }
}

function sentenceOf(error: unknown, kind: ProviderKind, origin: string): string {
  if (ProviderError.is(error)) return troubleSentence(error, URL.parse(origin)?.host ?? kind.label);
  const reason = error instanceof Error ? plainText(error.message, 200) : '';
  return l10n.t('This machine’s store for keys does not work: {0}', reason);
}

async function store(context: CommandContext, kind: ProviderKind, draft: Draft): Promise<string> {
  const { origin, credentials, label } = draft;
  const id = await context.accounts.add({ provider: kind.id, origin, credentials, label });
  await context.refresher.refresh(id);
  return id;
}

/** The vendor's name, with a number behind it where that is taken. */
function freeLabel({ accounts }: CommandContext, kind: ProviderKind): string {
  const taken = new Set(accounts.all.map(({ label }) => label));
  for (let number = 1; ; number++) {
    const label = number === 1 ? kind.label : `${kind.label} ${number}`;
    if (!taken.has(label)) return label;
  }
}

async function addFrom(context: CommandContext, argument: object): Promise<string> {
  const part = (name: string): unknown => Reflect.get(argument, name);
  const text = (name: string): string | undefined => {
    const value = part(name);
    return typeof value === 'string' ? value : undefined;
  };
  const provider = text('provider');
  await context.kinds.load();
  const kind = context.kinds.get(provider ?? '');
  if (kind === undefined) {
    const known = context.kinds.all.map(({ id }) => id).join(', ');
    throw new Error(l10n.t('There is no provider “{0}”. Known are: {1}.', plainText(provider ?? ''), known));
  }
  const address = parseAddress(text('origin') ?? kind.address.preset ?? '');
  if (!address.ok) throw new Error(addressSentence(address.fault));
  const given = part('fields');
  const credentials: Record<string, string> = {};
  for (const field of kind.fields) {
    const raw: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, field.id) : undefined;
    const typed = typeof raw === 'string' ? raw : '';
    const fault = emptyFault(field, typed);
    if (fault !== undefined) throw new Error(fault);
    if (unquoted(typed) !== '') credentials[field.id] = unquoted(typed);
  }
  const label = plainText(text('label') ?? '', longestLabel) || freeLabel(context, kind);
  const draft: Draft = { origin: formatAddress(address.url), credentials, label };
  const fault = await tryDraft(context, kind, draft);
  if (fault !== undefined) throw new Error(fault);
  return store(context, kind, draft);
}
