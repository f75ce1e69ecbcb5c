import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { Accounts, KeyPlace } from '../../services/accounts/accounts.ts';
import { KeychainError } from '../../services/accounts/secrets.ts';
import type { Prompts, Question } from '../prompts.ts';

/** Longest part of the system's own message that is shown, in characters. */
const longestReason = 200;

/**
 * Saves a key. If the keychain can't store it, as on Linux without a keyring, the user can use it for this window only: it's
 * then kept in memory. @param save called again for each attempt, and with `window` only if the user chose that.
 * @returns what `save` returned, or undefined if the user canceled: then nothing was saved.
 */
export async function saveKey<T>(
  prompts: Prompts,
  save: (place: KeyPlace) => Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  for (;;) {
    try {
      return { value: await save('keychain') };
    } catch (error) {
      if (!(error instanceof KeychainError)) throw error;
      const question = questionWithoutKeychain(error);
      const [window, again] = question.choices;
      const chosen = await prompts.confirm(question);
      if (chosen === window) return { value: await save('window') };
      if (chosen !== again) return undefined;
    }
  }
}

function questionWithoutKeychain({ reason }: KeychainError): Question {
  return {
    message: l10n.t("Couldn't save the key in the system keychain"),
    detail: [
      l10n.t('The system says: {0}', plainText(reason, longestReason)),
      l10n.t(
        'On Linux, install and unlock a keyring such as GNOME Keyring or KWallet, then restart the editor and try again.',
      ),
      l10n.t(
        "You can also use the key for this window only. It's kept in memory and never written to disk. The account stays in the list, but you'll need to enter its key again after a restart.",
      ),
    ].join('\n\n'),
    choices: [l10n.t('Use for This Window Only'), l10n.t('Try Again')],
  };
}

/** Changes an account's name. Says so if the keychain can't be used. */
export async function renameOrTell(
  { accounts, prompts }: { readonly accounts: Accounts; readonly prompts: Prompts },
  id: AccountId,
  label: string,
): Promise<void> {
  try {
    await accounts.rename(id, label);
  } catch (error) {
    if (!(error instanceof KeychainError)) throw error;
    void prompts.tell('error', keychainSentence(error), []);
  }
}

/** Removes an account. If its key can't be deleted from the keychain, the user is asked whether to leave it there. */
export async function removeWithKey(
  { accounts, prompts }: { readonly accounts: Accounts; readonly prompts: Prompts },
  id: AccountId,
  name: string,
): Promise<void> {
  try {
    await accounts.remove(id);
  } catch (error) {
    if (!(error instanceof KeychainError)) throw error;
    const anyway = l10n.t('Remove Anyway');
    const chosen = await prompts.confirm({
      message: l10n.t('Couldn\'t delete the key of "{0}" from the system keychain', name),
      detail: [
        l10n.t('The system says: {0}', plainText(error.reason, longestReason)),
        l10n.t('If you remove the account anyway, its key may stay in the keychain.'),
      ].join('\n\n'),
      choices: [anyway],
    });
    if (chosen === anyway) await accounts.remove(id, 'leaveKey');
  }
}

/** Says that the keychain can't be used, with the system's own message. */
export function keychainSentence({ reason }: KeychainError): string {
  return l10n.t("Couldn't use the system keychain: {0}", plainText(reason, longestReason));
}
