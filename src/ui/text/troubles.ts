import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import type { NoKeyReason, ProviderError, UnsupportedReason } from '../../core/providerError.ts';
import type { StuckReason } from '../../services/sessions/sessionsView.ts';
import { addressSentence } from './addresses.ts';
import { timeOfDay } from './locale.ts';

/** What the user can do about an error: enter another key, enter the missing key, or retry. */
export type Remedy = 'replaceKey' | 'enterKey' | 'retry';

/** The remedy for an account's error. @param hasKey whether accounts of its provider have a key at all. */
export function remedyFor({ trouble }: ProviderError, hasKey: boolean): Remedy {
  if (trouble.kind === 'noKey') return 'enterKey';
  return hasKey && (trouble.kind === 'unauthorized' || trouble.kind === 'forbidden') ? 'replaceKey' : 'retry';
}

/** An error in two or three words, for a row. */
export function shortTrouble({ trouble }: ProviderError): string {
  switch (trouble.kind) {
    case 'unauthorized':
      return l10n.t('key rejected');
    case 'forbidden':
      return l10n.t('not allowed');
    case 'notFound':
      return l10n.t('not found');
    case 'rateLimited':
      return l10n.t('rate limited');
    case 'conflict':
      return l10n.t('refused');
    case 'otherSession':
      return l10n.t('ID may be reused');
    case 'unreachable':
      return l10n.t('unreachable');
    case 'timedOut':
      return l10n.t('no response in time');
    case 'canceled':
      return l10n.t('canceled');
    case 'tooOften':
      return l10n.t('too many requests');
    case 'unexpectedAnswer':
      return l10n.t('unexpected response');
    case 'serverFault':
      return l10n.t('server error {0}', trouble.status);
    case 'unsupported':
      return l10n.t('not supported');
    case 'noKey':
      return l10n.t('key not found');
    case 'badAddress':
      return l10n.t('invalid address');
  }
}

/**
 * What happened, and what to do, in a sentence or two.
 * @param host the host that the error is about, e.g. `api.anchorbrowser.io`.
 */
export function troubleSentence(error: ProviderError, host: string): string {
  const sentence = plainSentence(error, host);
  // For a rejected key, the provider's own words add nothing; for other errors, they often give the reason.
  return withItsWords(sentence, error.trouble.kind === 'unauthorized' ? undefined : error.detail);
}

function plainSentence({ trouble }: ProviderError, host: string): string {
  switch (trouble.kind) {
    case 'unauthorized':
      return l10n.t('{0} rejected the key. Replace it with a valid key.', host);
    case 'forbidden':
      return l10n.t(
        "{0} doesn't allow this with the current key. Check the key's permissions, or use a different key.",
        host,
      );
    case 'notFound':
      return l10n.t("{0} has nothing at this address. Check the account's address.", host);
    case 'rateLimited':
      return trouble.retryAt === undefined
        ? l10n.t('{0} is rate limiting requests. Wait a moment, then try again.', host)
        : l10n.t('{0} is rate limiting requests until {1}.', host, timeOfDay(trouble.retryAt));
    case 'conflict':
      return l10n.t(
        '{0} refused the request. It may already have been carried out, or another operation may be in progress.',
        host,
      );
    case 'otherSession':
      return l10n.t(
        'No request was sent to {0}, because a different session may have this ID by now. Refresh the list, then try again.',
        host,
      );
    case 'unreachable':
      return unreachable(trouble.why, host);
    case 'timedOut':
      return l10n.t("{0} didn't respond in time. Try again, or check whether it's down.", host);
    case 'canceled':
      // An account that was removed has no host.
      return host === '' ? l10n.t('The request was canceled.') : l10n.t('The request to {0} was canceled.', host);
    case 'tooOften':
      return l10n.t(
        'Too many requests like this were made to {0} in the last few seconds. Wait a moment, then try again.',
        host,
      );
    case 'unexpectedAnswer':
      return l10n.t("{0} sent an unexpected response: {1}. Check the account's address.", host, trouble.what);
    case 'serverFault':
      return l10n.t(
        "{0} failed with HTTP {1}. The problem is on the server's side. Try again later.",
        host,
        trouble.status,
      );
    case 'unsupported':
      return unsupported(trouble.reason, host);
    case 'noKey':
      return noKey(trouble.why, host);
    case 'badAddress':
      return l10n.t(
        "This account's address isn't valid, so nothing is sent to {0}. {1} Remove the account and add it again.",
        host,
        addressSentence(trouble.fault),
      );
  }
}

function noKey(why: NoKeyReason | undefined, host: string): string {
  switch (why) {
    case 'newer':
      return l10n.t(
        'The key for {0} was saved by a newer version of this extension. Update the extension, or enter the key again.',
        host,
      );
    case 'damaged':
      return l10n.t("The saved key for {0} can't be read. Enter it again.", host);
    case 'keychain':
      return l10n.t(
        "Couldn't read the key for {0} from the system keychain. Unlock the keychain and refresh, or enter the key again.",
        host,
      );
    case 'otherMachine':
      return l10n.t(
        'This key was entered on another machine, and {0} is a different one here. Nothing was sent. To use the account on this machine, enter its key again.',
        host,
      );
    case 'missing':
    case undefined:
      return l10n.t('Key not found on this machine. Enter the key for {0} to list its sessions.', host);
  }
}

function unsupported(reason: UnsupportedReason, host: string): string {
  switch (reason.kind) {
    case 'noRequest':
      return l10n.t("{0} doesn't support this.", host);
    case 'liveView':
      return l10n.t("{0} doesn't offer live views.", host);
    case 'sessionLiveView':
      return l10n.t('This session has no live view.');
    case 'viewAddress':
      return l10n.t("This editor can't show the address of this live view. Open the session in a browser instead.");
    case 'routeOff':
      return l10n.t("Couldn't list sessions, because {0} has {1} turned off.", host, plainText(reason.route));
    case 'settingOff':
      return l10n.t('To list the sessions of {0}, turn on the setting {1}.', host, plainText(reason.setting));
    case 'unknownProvider':
      return l10n.t(
        'The provider "{0}" isn\'t available. Install or enable the extension that adds it.',
        plainText(reason.provider),
      );
    case 'keysNotAllowed':
      return l10n.t("The extension that adds this provider isn't allowed to receive your keys.");
    case 'otherHost':
      return l10n.t(
        "This account's key wasn't saved for {0}, so it wasn't sent there. Save it again with Replace Key.",
        plainText(reason.host),
      );
    case 'otherAddress':
      return l10n.t("A request to an address other than this account's was blocked.");
    case 'stated':
      return plainText(reason.sentence, 200);
  }
}

function unreachable(why: 'refused' | 'dns' | 'tls' | 'cut' | 'proxy' | 'route', host: string): string {
  switch (why) {
    case 'refused':
      return l10n.t("Couldn't connect to {0}. Check whether it's running.", host);
    case 'dns':
      return l10n.t("Couldn't find the host {0}. Check the address and your network.", host);
    case 'tls':
      return l10n.t(
        "The certificate of {0} isn't trusted. If it's your own certificate, add it to your system's certificate store.",
        host,
      );
    case 'cut':
      return l10n.t('The connection to {0} was interrupted. Try again.', host);
    case 'proxy':
      return l10n.t('The proxy blocked the request to {0}. Check the http.proxy setting.', host);
    case 'route':
      return l10n.t("Couldn't reach {0}. Check your network, then try again.", host);
  }
}

/** Why a session hasn't ended, in a few words for a row. The provider's own text comes last. */
export function shortStuck(why: StuckReason): string {
  switch (why.kind) {
    case 'stillRuns':
      return why.found ? l10n.t('not ended: still running') : l10n.t('not ended: not found, but still listed');
    case 'unconfirmed':
      return why.error === undefined
        ? l10n.t("couldn't be confirmed")
        : l10n.t("couldn't be confirmed: {0}", shortTrouble(why.error));
    case 'failed':
      return l10n.t('not ended: {0}', shortTrouble(why.error));
    case 'notDeleted':
      return l10n.t('not deleted: {0}', plainText(why.said) || l10n.t("it didn't give a reason"));
  }
}

/** For the row of a session that is missing from the latest list and isn't confirmed gone. */
export function notListed(): string {
  return l10n.t('not in the latest list');
}

/** Why a session hasn't ended; the end of a line that begins with its name. */
export function stuckSentence(why: StuckReason, host: string): string {
  switch (why.kind) {
    case 'stillRuns':
      return withItsWords(
        why.found
          ? l10n.t('{0} accepted the request but says the session is still running.', host)
          : l10n.t("{0} lists the session but couldn't find it to end it. It may still be running.", host),
        why.said,
      );
    case 'unconfirmed':
      if (why.error !== undefined) {
        return l10n.t("The request was sent, but the end couldn't be confirmed. {0}", troubleSentence(why.error, host));
      }
      return why.isCombined
        ? l10n.t(
            'Several servers share {0}. None of those that responded has this session, but it may still be running on another one.',
            host,
          )
        : l10n.t("{0} no longer lists it but can't tell whether it ended. It may still be running.", host);
    case 'failed':
      return troubleSentence(why.error, host);
    case 'notDeleted':
      return l10n.t("{0} couldn't delete it: {1}", host, plainText(why.said, 200) || l10n.t("it didn't give a reason"));
  }
}

function withItsWords(sentence: string, said: string | undefined): string {
  return said === undefined ? sentence : l10n.t('{0} The provider says: {1}', sentence, plainText(said, 200));
}
