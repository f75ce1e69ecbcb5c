import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { AskRequest } from '../prompts.ts';
import type { AccountParts } from './accountNames.ts';

/** The longest name that a user can give an account, in characters. */
export const longestLabel = 60;

/** The question for an account's name; the caller adds title, step and `refuse`. */
export function labelRequest(value: string): Pick<AskRequest, 'prompt' | 'value' | 'secret' | 'button' | 'preview'> {
  return {
    prompt: l10n.t('Enter a name to show in the Sessions view'),
    value,
    secret: false,
    button: undefined,
    preview: (typed) => {
      const label = plainText(typed, longestLabel);
      return label === '' || label === typed.trim() || isTooLong(typed)
        ? undefined
        : l10n.t('It will be shown as "{0}".', label);
    },
  };
}

/**
 * What is wrong with an account's name; undefined if nothing is. Accounts of one provider need different names, because
 * their rows would look the same.
 * @param except the account that is renamed.
 */
export function labelFault(
  { accounts }: Pick<AccountParts, 'accounts'>,
  provider: string,
  typed: string,
  except?: AccountId,
): string | undefined {
  const label = plainText(typed, longestLabel);
  if (label === '') return l10n.t('Enter a name.');
  if (isTooLong(typed)) return l10n.t('Enter a name of at most {0} characters.', longestLabel);
  const same = accounts.all.find(
    (account) => account.provider === provider && account.id !== except && sameText(account.label, label),
  );
  return same && l10n.t('Another account of this provider is named "{0}".', plainText(same.label, longestLabel));
}

function isTooLong(typed: string): boolean {
  // One more than allowed, so that a text that is cut can be told from one that isn't.
  return [...plainText(typed, longestLabel + 1)].length > longestLabel;
}

function sameText(one: string, other: string): boolean {
  const folded = (text: string) => plainText(text, longestLabel).normalize('NFKC').toLowerCase();
  return folded(one) === folded(other);
}
