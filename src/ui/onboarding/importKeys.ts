import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { parseAddress } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import type { SkippedEnvFile, ThisMachine } from '../../core/thisMachine.ts';
import { Turns } from '../../core/turns.ts';
import { formatAddress } from '../../core/typedAddress.ts';
import { furtherOf } from '../../services/accounts/connect.ts';
import { type AddParts, freeLabel } from '../commands/addAccount.ts';
import { failureSentence, receivers, sameAccount, sameKeySentence, tryOut } from '../commands/credentials.ts';
import { saveKey } from '../commands/saveKey.ts';
import type { Choice } from '../prompts.ts';
import { addressSentence } from '../text/addresses.ts';
import { accountHost } from '../text/names.ts';
import { listOf } from '../text/numbers.ts';
import {
  type FoundKey,
  findKeys,
  keyVariables,
  type VariableFault,
  type VariableSource,
  variablesIn,
} from './foundKeys.ts';

/** A root folder of the workspace. */
export interface WorkspaceFolder {
  readonly name: string;
  /** Undefined for a folder that isn't on this machine. */
  readonly path: string | undefined;
}

/** What importing keys needs: what adding an account needs, and where keys are looked for. */
export interface ImportParts extends AddParts {
  readonly machine: () => Promise<ThisMachine>;
  readonly environment: NodeJS.ProcessEnv;
  readonly workspace: () => { readonly isTrusted: boolean; readonly folders: readonly WorkspaceFolder[] };
}

/** Keys shorter than this are shown without their last characters. */
const shortestWithTail = 16;
/** How many sentences about unread sources are shown at most. */
const mostNotes = 5;

/**
 * Adds accounts for keys in the environment and in the variable files of a trusted workspace. The user selects the keys and
 * sees which host gets each. The files aren't watched or changed.
 * @returns the ids of the new accounts.
 */
export async function importKeys(parts: ImportParts): Promise<readonly AccountId[]> {
  await parts.kinds.load();
  // Excludes other extensions' providers, which could name a variable that holds another provider's key.
  const kinds = parts.kinds.all.filter((kind) => parts.kinds.isBuiltIn(kind));
  const { sources, notes } = await readSources(parts);
  const { keys, faults } = findKeys(kinds, sources);
  const all = [...notes, ...faults.map(faultSentence)];
  const shown = all.slice(0, mostNotes).join(' ');
  if (keys.length === 0) {
    const names = listOf(keyVariables(kinds));
    void parts.prompts.tell('info', [l10n.t('No keys found. Looked for {0}.', names), shown].join(' ').trim(), []);
    return [];
  }
  if (shown !== '') void parts.prompts.tell('warning', shown, []);
  const answer = await parts.prompts.pickMany({
    title: l10n.t('Import Keys from Environment'),
    placeholder: l10n.t('Select the keys to add as accounts'),
    choices: await Promise.all(keys.map((key) => choiceOf(parts, key))),
    step: undefined,
  });
  const added: AccountId[] = [];
  for (const key of answer.kind === 'answer' ? answer.value : []) {
    const outcome = await importOne(parts, key);
    if (outcome === 'canceled') break;
    if (outcome !== undefined) added.push(outcome);
  }
  return added;
}

async function readSources({ machine, environment, workspace }: ImportParts) {
  const sources: VariableSource[] = [{ name: l10n.t("VS Code's environment"), variables: environment }];
  const notes: string[] = [];
  const turns = new Turns();
  const { isTrusted, folders } = workspace();
  if (!isTrusted && folders.length > 0) {
    notes.push(l10n.t("You haven't trusted this workspace, so its .env files weren't read."));
  }
  for (const folder of isTrusted ? folders : []) {
    if (folder.path === undefined) {
      const name = plainText(folder.name);
      notes.push(l10n.t("The folder {0} isn't on this machine, so its .env files weren't read.", name));
      continue;
    }
    const shown = (file: string) => plainText(folders.length > 1 ? `${folder.name}/${file}` : file);
    const { files, skipped } = await (await machine()).readEnvFiles(folder.path);
    for (const { name, text } of files) {
      if (turns.isOver) await turns.pass();
      sources.push({ name: shown(name), ...variablesIn(text) });
    }
    notes.push(...skipped.map(({ name, reason }) => skippedSentence(shown(name), reason)));
  }
  return { sources, notes };
}

function skippedSentence(name: string, reason: SkippedEnvFile['reason']): string {
  switch (reason) {
    case 'link':
      return l10n.t("{0} is a symbolic link, so it wasn't read.", name);
    case 'tooLarge':
      return l10n.t("{0} is larger than 128 KB, so it wasn't read.", name);
    case 'tooMany':
      return l10n.t('Only 50 .env files of a folder are read. {0} and those after it were skipped.', name);
    case 'unreadable':
      return l10n.t("Couldn't read {0}.", name);
  }
}

function faultSentence({ variable, source, address }: VariableFault): string {
  if (address === undefined) return l10n.t("{0} in {1} isn't a valid key.", variable, source);
  if (address === 'unread') return l10n.t("Couldn't read {0} in {1}. Write it as NAME=value.", variable, source);
  return l10n.t("The address {0} in {1} can't be used. {2}", variable, source, addressSentence(address));
}

/** A key as shown on screen: at most its last four characters. */
export function maskedKey(secret: string): string {
  return `••••${secret.length < shortestWithTail ? '' : plainText(secret.slice(-4))}`;
}

async function choiceOf(parts: ImportParts, key: FoundKey): Promise<Choice<FoundKey>> {
  const { kind, origin, credentials, variable, addressVariable, sources, isForProvider } = key;
  const provider = plainText(kind.label);
  const same =
    origin === undefined ? undefined : await sameAccount(parts, kind, origin, credentials).catch(() => undefined);
  const detail = (): string => {
    if (same !== undefined) return l10n.t('{0}: already added as "{1}"', provider, plainText(same.label));
    if (origin === undefined) return l10n.t("{0}: you'll be asked for the address", provider);
    const receiver = receivers(kind, origin, credentials);
    if (addressVariable === undefined) return l10n.t('{0}: sent only to {1}', provider, receiver);
    return l10n.t('{0}: sent only to {1}, the address in {2}', provider, receiver, addressVariable);
  };
  return {
    label: variable,
    description: maskedKey(key.secret),
    detail: detail(),
    icon: undefined,
    heading: listOf(sources),
    picked: same === undefined && isForProvider,
    value: key,
  };
}

/** Undefined for a key that was skipped. */
async function importOne(parts: ImportParts, key: FoundKey): Promise<AccountId | 'canceled' | undefined> {
  const { kind, credentials, variable } = key;
  const origin = key.origin ?? (await askAddress(parts, key));
  if (origin === undefined) return 'canceled';
  const further = furtherOf(kind, origin, credentials);
  // The provider's own address was named where the key was selected, but a list of several hosts is cut off there.
  if (key.origin === undefined || key.addressVariable !== undefined || further.length > 0) {
    const answer = await confirmAddress(parts, key, origin);
    if (!answer) return undefined;
  }
  try {
    const same = await sameKeySentence(parts, kind, origin, credentials);
    if (same !== undefined) {
      void parts.prompts.tell('info', same, []);
      return undefined;
    }
    const fault = await parts.prompts.busy(l10n.t('Checking {0}…', variable), () =>
      tryOut(parts, kind, origin, credentials),
    );
    if (fault !== undefined) {
      const [save, skip] = [l10n.t('Save Anyway'), l10n.t('Skip')];
      const message = l10n.t("Couldn't check {0}. Save it anyway?", variable);
      const chosen = await parts.prompts.confirm({ message, detail: fault.sentence, choices: [save, skip] });
      if (chosen !== save) return chosen === skip ? undefined : 'canceled';
    }
    const label = freeLabel(parts, kind);
    const account = { provider: kind.id, label, origin, credentials, further };
    const saved = await saveKey(parts.prompts, (place) => parts.accounts.add(account, place));
    if (saved === undefined) return 'canceled';
    void parts.refresher.refresh(saved.value);
    return saved.value;
  } catch (error) {
    void parts.prompts.tell('error', failureSentence(error, kind, origin), []);
    return undefined;
  }
}

async function askAddress({ prompts }: ImportParts, { kind, variable }: FoundKey): Promise<string | undefined> {
  let origin: string | undefined;
  const answer = await prompts.ask({
    title: l10n.t('Import {0}', variable),
    prompt: l10n.t(kind.address.prompt),
    placeholder: kind.address.placeholder,
    value: kind.address.preset ?? '',
    secret: false,
    step: undefined,
    button: undefined,
    refuse: async (typed) => {
      const address = parseAddress(typed);
      if (!address.ok) return addressSentence(address.fault);
      origin = formatAddress(address.url);
      return undefined;
    },
  });
  return answer.kind === 'answer' ? origin : undefined;
}

async function confirmAddress({ prompts }: ImportParts, key: FoundKey, origin: string): Promise<boolean> {
  const { kind, credentials, variable, addressVariable, sources } = key;
  const receiver = receivers(kind, origin, credentials);
  const stored = l10n.t('The key is stored in the system keychain and sent only to {0}.', receiver);
  const from =
    addressVariable === undefined
      ? []
      : [l10n.t('The address comes from {0} in {1}.', addressVariable, listOf(sources))];
  const button = l10n.t('Save Key');
  const message = l10n.t('Save {0} for {1}?', variable, accountHost({ origin }));
  return (await prompts.confirm({ message, detail: [...from, stored].join(' '), choices: [button] })) === button;
}
