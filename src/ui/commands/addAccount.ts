import * as l10n from '@vscode/l10n';
import { parseAddress } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import type { CredentialField, ProviderKind } from '../../core/provider.ts';
import { formatAddress, parseTypedAddress } from '../../core/typedAddress.ts';
import { furtherOf } from '../../services/accounts/connect.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import type { Answer, AskRequest } from '../prompts.ts';
import { addressSentence } from '../text/addresses.ts';
import { listOf } from '../text/numbers.ts';
import { labelFault, labelRequest, longestLabel } from './accountNamePrompt.ts';
import { mayReceiveKeys } from './consent.ts';
import {
  failureSentence,
  fieldFault,
  fieldRequest,
  fieldValue,
  keyPageButton,
  type Refusal,
  sameKeySentence,
  tryOut,
} from './credentials.ts';
import type { ListParts } from './lists.ts';
import { saveKey } from './saveKey.ts';

/** What adding an account needs: connections to check it, and the rest to list it. */
export interface AddParts extends ListParts {
  readonly connections: Connections;
}

/** The account being added, as far as the user has entered it. */
interface Draft {
  origin: string;
  credentials: Record<string, string>;
  label: string;
  /** Whether the address is asked for, and what goes with it. */
  withAddress: boolean;
}

/**
 * Adds an account: asks for what it needs, or takes it from the argument `{provider, label?, origin?, fields}`.
 * Credentials are checked first, and nothing is stored if the check fails, unless the user saves them although the server
 * didn't answer.
 * @returns the new account's id, or undefined when the user canceled.
 * @throws Error with a sentence that names what is wrong with an argument.
 */
export async function addAccount(parts: AddParts, [argument]: readonly unknown[]): Promise<string | undefined> {
  await parts.kinds.load();
  if (typeof argument === 'object' && argument !== null && 'provider' in argument) return addFrom(parts, argument);
  const drafts = new Map<ProviderKind, Draft>();
  for (let last: ProviderKind | undefined; ; ) {
    const kind = await pickKind(parts, last);
    if (kind === undefined || !(await mayReceiveKeys(parts, kind))) return undefined;
    last = kind;
    const draft = drafts.get(kind) ?? newDraft(kind);
    drafts.set(kind, draft);
    const outcome = await askAll(parts, kind, draft);
    if (outcome === 'left') return undefined;
    if (outcome === 'answered') return storeOrTell(parts, kind, draft);
  }
}

function newDraft({ address }: ProviderKind): Draft {
  return { origin: address.preset ?? '', credentials: {}, label: '', withAddress: address.ask };
}

/** Asks for the provider. @param last the one that was picked before the user went back. */
async function pickKind(parts: AddParts, last: ProviderKind | undefined): Promise<ProviderKind | undefined> {
  const { kinds, prompts } = parts;
  const stepsWith = (kind: ProviderKind) => 1 + questionsOf(parts, kind, newDraft(kind)).length;
  const [first] = kinds.addable;
  const shown = last ?? first;
  const answer = await prompts.pick({
    title: l10n.t('Add Account'),
    placeholder: l10n.t('Select a provider'),
    choices: kinds.addable.map((kind) => ({
      label: plainText(kind.label),
      description: kinds.isBuiltIn(kind) ? '' : l10n.t('from {0}', plainText(kinds.extensionOf(kind)?.name ?? '')),
      detail: needsOf(kind),
      icon: kind.icon,
      heading: undefined,
      value: kind,
    })),
    buttonsOf: (kind) => [keyPageButton(kind) ?? []].flat(),
    step: shown && { number: 1, of: stepsWith(shown), back: false },
    stepsWith,
    isActive: (kind) => kind === shown,
  });
  return answer.kind === 'answer' ? answer.value : undefined;
}

/** What a provider's sessions are, and what adding an account takes, in one line. */
function needsOf({ summary, fields, address }: ProviderKind): string {
  const needed = [
    ...(address.ask ? [l10n.t('address')] : []),
    ...fields
      .filter(({ asked }) => asked === 'always' || address.ask)
      .map(({ label, required }) => {
        const name = plainText(l10n.t(label));
        return required ? name : l10n.t('{0} (optional)', name);
      }),
  ];
  const list = listOf(needed);
  if (list === '') return summary === undefined ? l10n.t('No key needed') : plainText(l10n.t(summary));
  return summary === undefined
    ? l10n.t("You'll need: {0}", list)
    : l10n.t("{0}. You'll need: {1}", plainText(l10n.t(summary)), list);
}

/** One question. `take` writes the answer into the draft, or returns what is wrong with it. */
type Question = Omit<AskRequest, 'refuse' | 'step'> & { readonly take: (typed: string) => string | undefined };

/** The questions after the one for the provider. */
function questionsOf(parts: AddParts, kind: ProviderKind, draft: Draft): readonly Question[] {
  const { withAddress } = draft;
  return [
    ...(withAddress ? [addressQuestion(kind, draft)] : []),
    ...kind.fields
      .filter(({ asked }) => asked === 'always' || withAddress)
      .map((field) => fieldQuestion(parts, kind, draft, field, !withAddress)),
    labelQuestion(parts, kind, draft),
  ];
}

/** Asks one question after another; the user can go back, and at the first question to the provider. */
async function askAll(parts: AddParts, kind: ProviderKind, draft: Draft): Promise<'answered' | 'back' | 'left'> {
  for (let at = 0; ; ) {
    const questions = questionsOf(parts, kind, draft);
    const question = questions[at];
    if (question === undefined) return 'answered';
    // The answer before the name completes what the provider needs.
    const complete = at === Math.max(0, questions.length - 2);
    let refusal: Refusal | undefined;
    const answer: Answer<string> = await parts.prompts.ask({
      ...question,
      step: { number: at + 2, of: questions.length + 1, back: true },
      refuse: async (typed, stop) => {
        refusal = undefined;
        const fault = question.take(typed);
        if (fault !== undefined || !complete) return fault;
        refusal = await tryDraft(parts, kind, draft, stop);
        return refusal?.isUnchecked === true
          ? l10n.t('{0} To add the account anyway, select Save Anyway.', refusal.sentence)
          : refusal?.sentence;
      },
      acceptAnyway: () => (refusal?.isUnchecked === true ? l10n.t('Save Anyway') : undefined),
    });
    if (answer.kind === 'left') return 'left';
    if (answer.kind === 'back' && at === 0) return 'back';
    if (answer.kind === 'back') at -= 1;
    else if (answer.kind === 'answer') at += 1;
    else {
      draft.withAddress = true;
      at = 0;
    }
  }
}

function addressQuestion(kind: ProviderKind, draft: Draft): Question {
  const read = (typed: string) => parseTypedAddress(typed, kind.address.preset);
  return {
    title: titleFor(kind),
    prompt: l10n.t(kind.address.prompt),
    placeholder: kind.address.placeholder,
    value: draft.origin,
    secret: false,
    button: undefined,
    preview: (typed) => {
      const address = read(typed);
      if (!address.ok || formatAddress(address.url) === typed.trim()) return undefined;
      return l10n.t('The address is {0}', formatAddress(address.url));
    },
    take: (typed) => {
      const address = read(typed);
      if (!address.ok) return addressSentence(address.fault);
      draft.origin = formatAddress(address.url);
      return undefined;
    },
  };
}

function fieldQuestion(
  { kinds }: AddParts,
  kind: ProviderKind,
  draft: Draft,
  field: CredentialField,
  offerAddress: boolean,
): Question {
  return {
    ...fieldRequest(kinds, kind, field, titleFor(kind), draft.origin, draft.credentials),
    value: draft.credentials[field.id] ?? '',
    button: offerAddress ? { icon: 'server', tooltip: l10n.t('Use a Different Address…') } : undefined,
    take: (typed) => {
      const value = fieldValue(field, typed);
      if (value === '') delete draft.credentials[field.id];
      else draft.credentials[field.id] = value;
      return fieldFault(field, typed);
    },
  };
}

function labelQuestion(parts: AddParts, kind: ProviderKind, draft: Draft): Question {
  return {
    title: titleFor(kind),
    ...labelRequest(draft.label || freeLabel(parts, kind)),
    placeholder: kind.label,
    take: (typed) => {
      draft.label = plainText(typed, longestLabel);
      return labelFault(parts, kind.id, typed);
    },
  };
}

function titleFor(kind: ProviderKind): string {
  return l10n.t('Add Account: {0}', plainText(kind.label));
}

async function tryDraft(
  parts: AddParts,
  kind: ProviderKind,
  { origin, credentials }: Draft,
  stop?: AbortSignal,
): Promise<Refusal | undefined> {
  // A copy, because the user may go back and change the draft while it's checked.
  const checked = { ...credentials };
  const same = await sameKeySentence(parts, kind, origin, checked);
  if (same !== undefined) return { sentence: same, isUnchecked: false };
  return tryOut(parts, kind, origin, checked, stop);
}

async function store(
  parts: AddParts,
  kind: ProviderKind,
  { origin, credentials, label }: Pick<Draft, 'origin' | 'credentials' | 'label'>,
): Promise<string | undefined> {
  const further = furtherOf(kind, origin, credentials);
  const account = { provider: kind.id, origin, credentials, label, further };
  const saved = await saveKey(parts.prompts, (place) => parts.accounts.add(account, place));
  if (saved !== undefined) await parts.refresher.refresh(saved.value);
  return saved?.value;
}

async function storeOrTell(parts: AddParts, kind: ProviderKind, draft: Draft): Promise<string | undefined> {
  try {
    return await store(parts, kind, draft);
  } catch (error) {
    void parts.prompts.tell('error', failureSentence(error, kind, draft.origin), []);
    return undefined;
  }
}

/** The provider's name, with a number appended if it's taken. */
export function freeLabel({ accounts }: Pick<AddParts, 'accounts'>, kind: ProviderKind): string {
  const taken = new Set(accounts.all.map(({ label }) => label));
  for (let number = 1; ; number++) {
    const label = number === 1 ? kind.label : `${kind.label} ${number}`;
    if (!taken.has(label)) return label;
  }
}

async function addFrom(parts: AddParts, argument: object): Promise<string | undefined> {
  const text = (from: unknown, name: string): string | undefined => {
    const value: unknown = typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const provider = text(argument, 'provider') ?? '';
  const kind = parts.kinds.get(provider);
  if (kind === undefined || kind.isAutomatic === true) {
    const known = parts.kinds.addable.map(({ id }) => id).join(', ');
    throw new Error(l10n.t('Unknown provider "{0}". Available providers: {1}.', plainText(provider), known));
  }
  if (!(await mayReceiveKeys(parts, kind))) {
    throw new Error(l10n.t('The extension that adds "{0}" isn\'t allowed to receive its keys.', plainText(kind.label)));
  }
  const address = parseAddress(text(argument, 'origin') ?? kind.address.preset ?? '');
  if (!address.ok) throw new Error(addressSentence(address.fault));
  const credentials: Record<string, string> = {};
  for (const field of kind.fields) {
    const typed = text(Reflect.get(argument, 'fields'), field.id) ?? '';
    const fault = fieldFault(field, typed);
    if (fault !== undefined) throw new Error(fault);
    const value = fieldValue(field, typed);
    if (value !== '') credentials[field.id] = value;
  }
  const label = plainText(text(argument, 'label') ?? '', longestLabel) || freeLabel(parts, kind);
  const draft = { ...newDraft(kind), origin: formatAddress(address.url), credentials, label };
  const refusal = await tryDraft(parts, kind, draft);
  if (refusal !== undefined) throw new Error(refusal.sentence);
  return store(parts, kind, draft);
}
