import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { AccountId } from '../../core/ids.ts';
import { isListed, troubleOf } from '../../services/sessions/sessionsView.ts';
import type { Answer, Choice, ChoiceButton } from '../prompts.ts';
import { accountHost } from '../text/names.ts';
import { shortTrouble } from '../text/troubles.ts';
import { kindOf, nameOfAccount } from './accountNames.ts';
import { renameAccount, replaceKey, testAccount } from './accounts.ts';
import { addAccount } from './addAccount.ts';
import { type RemoveParts, removeAccount } from './removeAccount.ts';
import { accountChoices } from './targets.ts';

/** The actions for an account in the list. `open` shows the others as a list, for keyboard users. */
type Action = 'open' | 'rename' | 'replaceKey' | 'test' | 'remove';
type Chosen = { readonly id: AccountId; readonly action: Action } | { readonly action: 'add' };

/** The result of each account's last test; undefined while it's in progress. */
type Tests = Map<AccountId, string | undefined>;

/** Shows the accounts and the actions for each, and keeps them up to date until the user closes the list. */
export async function manageAccounts(parts: RemoveParts): Promise<void> {
  await parts.kinds.load();
  const tests: Tests = new Map();
  for (let last: Chosen | undefined; ; ) {
    const chosen = await pickAction(parts, tests, last);
    if (chosen === undefined) return;
    last = chosen;
    if (chosen.action === 'add') await addAccount(parts, []);
    else await act(parts, chosen, tests);
  }
}

async function pickAction(parts: RemoveParts, tests: Tests, last: Chosen | undefined): Promise<Chosen | undefined> {
  let show = () => {};
  const answer: Answer<Chosen> = await parts.prompts.pick<Chosen>({
    title: l10n.t('Manage Accounts'),
    placeholder: l10n.t('Select an account to rename, test, or remove it, or to replace its key'),
    choices: choicesOf(parts, tests),
    step: undefined,
    buttonsOf: (chosen) => ('id' in chosen ? buttonsOf(parts, chosen.id) : []),
    isActive: (chosen) =>
      last !== undefined && 'id' in last ? 'id' in chosen && chosen.id === last.id : chosen.action === last?.action,
    follow: (showChoices) => {
      let shown = '';
      show = () => {
        const choices = choicesOf(parts, tests);
        const text = JSON.stringify(choices);
        // Setting the list again closes the tooltip of the button under the mouse.
        if (text !== shown) showChoices(choices);
        shown = text;
      };
      const following = [parts.accounts.onDidChange(show), parts.store.onDidChange(show)];
      return { dispose: () => following.forEach((one) => void one.dispose()) };
    },
    stays: (chosen) => {
      if (chosen.action !== 'test') return false;
      void test(parts, chosen.id, tests, () => show());
      return true;
    },
  });
  return answer.kind === 'answer' ? answer.value : undefined;
}

function choicesOf(parts: RemoveParts, tests: Tests): Choice<Chosen>[] {
  const accounts = accountChoices(parts).map((choice): Choice<Chosen> => {
    const id = choice.value;
    return {
      ...choice,
      description: stateOf(parts, choice),
      detail: tests.has(id) ? (tests.get(id) ?? l10n.t('Testing the connection…')) : choice.detail,
      value: { id, action: 'open' },
    };
  });
  const add: Choice<Chosen> = {
    label: l10n.t('Add Account…'),
    description: '',
    detail: '',
    icon: 'add',
    heading: undefined,
    value: { action: 'add' },
  };
  return [...accounts, add];
}

/** How many sessions an account has, if that's known, and what is wrong with it. */
function stateOf({ store }: RemoveParts, { value, description }: Choice<AccountId>): string {
  const state = store.state(value);
  const trouble = state && troubleOf(state);
  const isKnown = isListed(state) || (state?.contents.sessions.size ?? 0) > 0;
  return [isKnown ? description : '', trouble === undefined ? '' : shortTrouble(trouble)]
    .filter((part) => part !== '')
    .join(' · ');
}

interface NamedAction {
  readonly action: Exclude<Action, 'open'>;
  readonly icon: string;
  readonly name: string;
}

function actionsOf(parts: RemoveParts, account: Account): readonly NamedAction[] {
  const kind = kindOf(parts, account);
  const hasKey = kind?.fields.some((field) => field.kind === 'secret') === true;
  const state = parts.store.state(account.id);
  const isMissing = state !== undefined && troubleOf(state)?.trouble.kind === 'noKey';
  if (kind?.isAutomatic === true) return [{ action: 'remove', icon: 'eye-closed', name: l10n.t('Hide') }];
  const keyName = isMissing ? l10n.t('Enter Key…') : l10n.t('Replace Key…');
  return [
    { action: 'rename', icon: 'edit', name: l10n.t('Rename…') },
    ...(hasKey ? [{ action: 'replaceKey', icon: 'key', name: keyName } as const] : []),
    { action: 'test', icon: 'plug', name: l10n.t('Test Connection') },
    { action: 'remove', icon: 'trash', name: l10n.t('Remove…') },
  ];
}

function buttonsOf(parts: RemoveParts, id: AccountId): ChoiceButton<Chosen>[] {
  const account = parts.accounts.get(id);
  const actions = account === undefined ? [] : actionsOf(parts, account);
  return actions.map(({ action, icon, name }) => ({ icon, tooltip: name, value: { id, action } }));
}

async function act(
  parts: RemoveParts,
  { id, action }: Extract<Chosen, { readonly id: AccountId }>,
  tests: Tests,
): Promise<void> {
  // What another test said is about the key or the state that was there then.
  if (action !== 'open') tests.delete(id);
  const target = [{ accountId: id }];
  switch (action) {
    case 'open':
      return openActions(parts, id, tests);
    case 'rename':
      return renameAccount(parts, target);
    case 'replaceKey':
      return replaceKey(parts, target);
    case 'test':
      return test(parts, id, tests, () => {});
    case 'remove':
      return removeAccount(parts, target);
  }
}

/** The actions as a list. */
async function openActions(parts: RemoveParts, id: AccountId, tests: Tests): Promise<void> {
  const account = parts.accounts.get(id);
  if (account === undefined) return;
  const answer = await parts.prompts.pick({
    title: nameOfAccount(parts, id),
    placeholder: accountHost(account),
    choices: actionsOf(parts, account).map(({ action, icon, name }) => {
      return { label: name, description: '', detail: '', icon, heading: undefined, value: action };
    }),
    step: undefined,
    back: true,
  });
  if (answer.kind === 'answer') await act(parts, { id, action: answer.value }, tests);
}

/** Tests an account and shows the result beside it. */
async function test(parts: RemoveParts, id: AccountId, tests: Tests, show: () => void): Promise<void> {
  const account = parts.accounts.get(id);
  if (account === undefined || (tests.has(id) && tests.get(id) === undefined)) return;
  tests.set(id, undefined);
  show();
  tests.set(id, (await testAccount(parts, account)).sentence);
  show();
}
