import * as l10n from '@vscode/l10n';
import type { AddressFault } from '../../core/providerError.ts';

/** What is wrong with an address that the user typed, and how to fix it. */
export function addressSentence(fault: AddressFault): string {
  switch (fault) {
    case 'notAUrl':
      return l10n.t('Enter a valid address, for example https://host or http://127.0.0.1:9222.');
    case 'scheme':
      return l10n.t('The address must start with https://, or with http:// for a server on this machine.');
    case 'notEncrypted':
      return l10n.t(
        'Use https://, or others on the network could read the key. Only servers on this machine (localhost) can use http://.',
      );
    case 'localName':
      return l10n.t(
        'Use localhost, 127.0.0.1, or https:// instead. Other names that end in localhost could lead to another machine.',
      );
    case 'credentials':
      return l10n.t(
        "The address can't contain a user name or password, because the address is shown in the Sessions view.",
      );
    case 'query':
      return l10n.t('The address can\'t contain "?" or "#".');
    case 'path':
      return l10n.t('The path can\'t start with "//" or contain "\\", an encoded slash, or "." or ".." as a segment.');
  }
}
