import * as l10n from '@vscode/l10n';
import type { AddressFault } from '../../core/origin.ts';

/** What is wrong with an address that somebody typed, and what it should be. */
export function addressSentence(fault: AddressFault): string {
  switch (fault) {
    case 'notAUrl':
      return l10n.t('This is not an address. It should look like https://host or http://127.0.0.1:9222.');
    case 'scheme':
      return l10n.t('The address must begin with https://, or with http:// on this machine.');
    case 'notEncrypted':
      return l10n.t('Without https:// an address may only be on this machine (localhost): others would read the key.');
    case 'localName':
      return l10n.t(
        'Use localhost or 127.0.0.1 instead, or https://. Other names that end in localhost can be looked up on the network.',
      );
    case 'credentials':
      return l10n.t('The address must not hold a user name or password: they would be shown in the tree.');
    case 'query':
      return l10n.t('The address must end before “?” or “#”.');
    case 'path':
      return l10n.t('The path can’t begin with “//” or contain “\\”, “.” or “..” as a part, or an encoded slash.');
  }
}
