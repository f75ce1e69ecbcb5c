import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { StuckReason } from '../../services/sessionsView.ts';
import { addressSentence } from './addresses.ts';
import { timeOfDay } from './ages.ts';

/** What a person can do about a trouble: give another key, give the key that is missing, or have it tried again. */
export type Remedy = 'replaceKey' | 'enterKey' | 'retry';

/** The remedy for an account's trouble. @param hasKey whether accounts of its vendor have a key at all. */
export function remedyFor({ trouble }: ProviderError, hasKey: boolean): Remedy {
  if (trouble.kind === 'noKey') return 'enterKey';
  return hasKey && (trouble.kind === 'unauthorized' || trouble.kind === 'forbidden') ? 'replaceKey' : 'retry';
}

/** Two or three words for a row. */
export function shortTrouble({ trouble }: ProviderError): string {
  switch (trouble.kind) {
    case 'unauthorized':
      return l10n.t('key rejected');
    case 'forbidden':
      return l10n.t('not allowed');
    case 'notFound':
      return l10n.t('not found');
    case 'rateLimited':
      return l10n.t('too many requests');
    case 'conflict':
      return l10n.t('refused');
    case 'unreachable':
      return l10n.t('unreachable');
    case 'timedOut':
      return l10n.t('no answer in time');
    case 'cancelled':
      return l10n.t('given up');
    case 'unexpectedAnswer':
      return l10n.t('unexpected answer');
    case 'serverFault':
      return l10n.t('server error {0}', trouble.status);
    case 'unsupported':
      return l10n.t('not supported');
    case 'noKey':
      return l10n.t('key not found');
    case 'badAddress':
      return l10n.t('unusable address');
  }
}

/**
 * What happened, and what to do, in a sentence or two.
 * @param host who did not answer as hoped, e.g. `api.anchorbrowser.io`.
 */
export function troubleSentence(error: ProviderError, host: string): string {
  const sentence = plainSentence(error, host);
  // A rejected key is explained by the vendor in words that say no more; other refusals often carry the reason.
  return withItsWords(sentence, error.trouble.kind === 'unauthorized' ? undefined : error.detail);
}

function plainSentence({ trouble }: ProviderError, host: string): string {
  switch (trouble.kind) {
    case 'unauthorized':
      return l10n.t('{0} rejected the key. Replace it with one that is valid.', host);
    case 'forbidden':
      return l10n.t('{0} does not allow this with this key. Check what the key may do, or use another.', host);
    case 'notFound':
      return l10n.t('{0} has nothing at this address. Check the address of the account.', host);
    case 'rateLimited':
      return trouble.retryAt === undefined
        ? l10n.t('{0} gets too many requests. Wait a moment and try again.', host)
        : l10n.t('{0} gets too many requests. It wants none before {1}.', host, timeOfDay(trouble.retryAt));
    case 'conflict':
      return l10n.t('{0} refused: it is already done, or something else is under way.', host);
    case 'unreachable':
      return unreachable(trouble.why, host);
    case 'timedOut':
      return l10n.t('{0} did not answer in time. Try again, or look whether it is down.', host);
    case 'cancelled':
      return l10n.t('The request to {0} was given up.', host);
    case 'unexpectedAnswer':
      return l10n.t('{0} did not answer as documented: {1}. Check the address of the account.', host, trouble.what);
    case 'serverFault':
      return l10n.t('{0} failed with HTTP {1}. That is a fault on its side: try again later.', host, trouble.status);
    case 'unsupported':
      return l10n.t('{0} is not possible here.', plainText(trouble.what));
    case 'noKey':
      return l10n.t('Key not found on this machine. Enter the key for {0} to list its sessions.', host);
    case 'badAddress':
      return l10n.t(
        'Nothing is sent to {0}: the address of this account can’t be used. {1} Remove the account and add it again.',
        host,
        addressSentence(trouble.fault),
      );
  }
}

function unreachable(why: 'refused' | 'dns' | 'tls' | 'cut' | 'proxy' | 'route', host: string): string {
  switch (why) {
    case 'refused':
      return l10n.t('Nothing answers at {0}. Is it running?', host);
    case 'dns':
      return l10n.t('There is no host {0}. Check the address, and the network.', host);
    case 'tls':
      return l10n.t('The certificate of {0} cannot be trusted. If it is your own, add it to the system’s store.', host);
    case 'cut':
      return l10n.t('The connection to {0} broke off. Try again.', host);
    case 'proxy':
      return l10n.t('The proxy did not let the request to {0} through. Check the setting http.proxy.', host);
    case 'route':
      return l10n.t('{0} cannot be reached. Check the network.', host);
  }
}

/** The same in a few words, for a row; text of the vendor's comes last. */
export function shortStuck(why: StuckReason): string {
  switch (why.kind) {
    case 'stillRuns':
      return why.found ? l10n.t('not ended: still running') : l10n.t('not ended: not found, yet listed');
    case 'unconfirmed':
      return why.error === undefined
        ? l10n.t("couldn't be confirmed")
        : l10n.t("couldn't be confirmed: {0}", shortTrouble(why.error));
    case 'failed':
      return l10n.t('not ended: {0}', shortTrouble(why.error));
    case 'notDeleted':
      return l10n.t('not deleted: {0}', plainText(why.said) || l10n.t('it gives no reason'));
  }
}

/** For the row of a session that the latest list leaves out and that isn't confirmed gone. */
export function notListed(): string {
  return l10n.t('not in the latest list');
}

/** The same as a sentence. */
export function notListedSentence(host: string): string {
  return l10n.t(
    "It's missing from the latest list from {0}, but that isn't confirmation that it ended. It may still be running.",
    host,
  );
}

/** Why a session that was to end has not; the end of a line that begins with its name. */
export function stuckSentence(why: StuckReason, host: string): string {
  switch (why.kind) {
    case 'stillRuns':
      return withItsWords(
        why.found
          ? l10n.t('{0} took the request, and still says that the session runs.', host)
          : l10n.t('{0} lists the session, but does not find it when asked to end it: it may run on.', host),
        why.said,
      );
    case 'unconfirmed':
      if (why.error !== undefined) {
        return l10n.t("The request was sent, but it couldn't be confirmed. {0}", troubleSentence(why.error, host));
      }
      return why.isCombined
        ? l10n.t(
            'Several servers share {0}. None that answered has the session, but it may still be running on another.',
            host,
          )
        : l10n.t("{0} no longer lists it and can't say whether it ended. It may still be running.", host);
    case 'failed':
      return troubleSentence(why.error, host);
    case 'notDeleted':
      return l10n.t('{0} could not delete it: {1}', host, plainText(why.said, 200) || l10n.t('it gives no reason'));
  }
}

function withItsWords(sentence: string, said: string | undefined): string {
  return said === undefined ? sentence : l10n.t('{0} It says: {1}', sentence, plainText(said, 200));
}

/** The end of such a line where the account is there no longer, and with it everybody who could be asked. */
export function accountRemovedSentence(): string {
  return l10n.t('Its account was removed meanwhile: it may run on.');
}
