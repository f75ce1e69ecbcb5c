import * as l10n from '@vscode/l10n';
import { formatAddress, parseAddress } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import type { CredentialField, ProviderKind } from '../../core/provider.ts';
import { furtherOf } from '../../services/accounts/connect.ts';
import type { Connections } from '../../services/accounts/connections.ts';
import type { Answer, AskRequest } from '../prompts.ts';
import { addressSentence } from '../text/addresses.ts';
import { mayReceiveKeys } from './consent.ts';
import { failureSentence, fieldFault, fieldRequest, fieldValue, tryOut } from './credentials.ts';
import type { ListParts } from './lists.ts';

/** What adding an account needs: connections to check it, and the rest to list it. */
export interface AddParts extends ListParts {
  readonly connections: Connections;
}

/** The longest name that a user can give an account, in characters. */
export const longestLabel = 60;

/** The account being added, as far as the user has entered it. */
interface Draft {
  origin: string;
  readonly credentials: Record<string, string>;
  label: string;
}

/**
 * Adds an account: asks for what it needs, or takes it from the argument `{provider, label?, origin?, fields}`.
 * Credentials are checked first, and nothing is stored if the check fails.
 * @returns the new account's id, or undefined when the user canceled.
 * @throws Error with a sentence that names what is wrong with an argument.
 */
export async function addAccount(parts: AddParts, [argument]: readonly unknown[]): Promise<string | undefined> {
  await parts.kinds.load();
  if (typeof argument === 'object' && argument !== null && 'provider' in argument) return addFrom(parts, argument);
  const kind = await pickKind(parts);
  if (kind === undefined || !(await mayReceiveKeys(parts, kind))) return undefined;
  const draft: Draft = { origin: kind.address.preset ?? '', credentials: {}, label: '' };
  if (!(await askAll(parts, kind, draft))) return undefined;
  try {
    return await store(parts, kind, draft);
  } catch (error) {
    void parts.prompts.tell('error', failureSentence(error, kind, draft.origin), []);
    return undefined;
  }
}

async function pickKind({ kinds, prompts }: AddParts): Promise<ProviderKind | undefined> {
  const answer = await prompts.pick({
    title: l10n.t('Add Account'),
    placeholder: l10n.t('Select a provider'),
    choices: kinds.all.map((kind) => ({
      label: plainText(kind.label),
      description: plainText(kind.address.preset ?? ''),
      detail:
        kind.fields.length === 0
          ? l10n.t('No key needed')
          : l10n.t('Asks for: {0}', kind.fields.map(({ label }) => l10n.t(label)).join(', ')),
      icon: kind.icon,
      heading: undefined,
      value: kind,
    })),
    step: undefined,
  });
  return answer.kind === 'answer' ? answer.value : undefined;
}

/** One question. `take` writes the answer into the draft, or returns what is wrong with it. */
type Question = Omit<AskRequest, 'refuse' | 'step'> & { readonly take: (typed: string) => string | undefined };

/** Asks one question after another; the user can go back. False when they canceled. */
async function askAll(parts: AddParts, kind: ProviderKind, draft: Draft): Promise<boolean> {
  let withAddress = kind.address.ask;
  for (let at = 0; ; ) {
    const questions = [
      ...(withAddress ? [addressQuestion(kind, draft)] : []),
      ...kind.fields
        .filter(({ asked }) => asked === 'always' || withAddress)
        .map((field) => fieldQuestion(kind, draft, field, !withAddress)),
      labelQuestion(parts, kind, draft),
    ];
    const question = questions[at];
    if (question === undefined) return true;
    // The answer before the name completes what the provider needs.
    const complete = at === Math.max(0, questions.length - 2);
    const answer: Answer<string> = await parts.prompts.ask({
      ...question,
      step: { number: at + 1, of: questions.length, back: at > 0 },
      refuse: async (typed) => question.take(typed) ?? (complete ? tryDraft(parts, kind, draft) : undefined),
    });
    if (answer.kind === 'left') return false;
    if (answer.kind === 'back') at -= 1;
    else if (answer.kind === 'answer') at += 1;
    else {
      withAddress = true;
      at = 0;
    }
  }
}

function addressQuestion(kind: ProviderKind, draft: Draft): Question {
  return {
    title: titleFor(kind),
    prompt: l10n.t(kind.address.prompt),
    placeholder: kind.address.placeholder,
    value: draft.origin,
    secret: false,
    button: undefined,
    take: (typed) => {
      const address = parseAddress(typed);
      if (!address.ok) return addressSentence(address.fault);
      draft.origin = formatAddress(address.url);
      return undefined;
    },
  };
}

function fieldQuestion(kind: ProviderKind, draft: Draft, field: CredentialField, offerAddress: boolean): Question {
  return {
    ...fieldRequest(kind, field, titleFor(kind), draft.origin, draft.credentials),
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
    prompt: l10n.t('Enter a name to show in the Sessions view'),
    placeholder: kind.label,
    value: draft.label || freeLabel(parts, kind),
    secret: false,
    button: undefined,
    take: (typed) => {
      draft.label = plainText(typed, longestLabel);
      return draft.label === '' ? l10n.t('Enter a name.') : undefined;
    },
  };
}

function titleFor(kind: ProviderKind): string {
  return l10n.t('Add Account: {0}', plainText(kind.label));
}

async function tryDraft(parts: AddParts, kind: ProviderKind, draft: Draft): Promise<string | undefined> {
  const { origin, credentials } = draft;
  try {
    const same = await parts.accounts.findSame({ provider: kind.id, origin, credentials });
    if (same !== undefined) return l10n.t('You already added this account as "{0}".', plainText(same.label));
  } catch (error) {
    return failureSentence(error, kind, origin);
  }
  return tryOut(parts, kind, origin, credentials);
}

async function store(parts: AddParts, kind: ProviderKind, draft: Draft): Promise<string> {
  const further = furtherOf(kind, draft.origin, draft.credentials);
  const id = await parts.accounts.add({ provider: kind.id, ...draft, further });
  await parts.refresher.refresh(id);
  return id;
}

/** The provider's name, with a number appended if it's taken. */
function freeLabel({ accounts }: AddParts, kind: ProviderKind): string {
  const taken = new Set(accounts.all.map(({ label }) => label));
  for (let number = 1; ; number++) {
    const label = number === 1 ? kind.label : `${kind.label} ${number}`;
    if (!taken.has(label)) return label;
  }
}

async function addFrom(parts: AddParts, argument: object): Promise<string> {
  const text = (from: unknown, name: string): string | undefined => {
    const value: unknown = typeof from === 'object' && from !== null ? Reflect.get(from, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const provider = text(argument, 'provider') ?? '';
  const kind = parts.kinds.get(provider);
  if (kind === undefined) {
    const known = parts.kinds.all.map(({ id }) => id).join(', ');
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
  const draft: Draft = { origin: formatAddress(address.url), credentials, label };
  const fault = await tryDraft(parts, kind, draft);
  if (fault !== undefined) throw new Error(fault);
  return store(parts, kind, draft);
}
