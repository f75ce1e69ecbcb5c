import { isLoopback } from './origin.ts';
import { ProviderError } from './providerError.ts';

const longestAddress = 8_192;
/** What a content security policy takes for one host, and for nothing else: some characters mean more to it. */
const oneHost = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])$/;

/** Whether a user only watches a session, or also controls it. */
export type ViewMode = 'watch' | 'interact';

/** A page that shows a session live, to be framed. Anyone with `url` can watch the session and often control it, so it is a secret. */
export interface LiveView {
  readonly url: URL;
  /** The frame's `sandbox` attribute, as the provider documents it. */
  readonly sandbox: string;
  /** The frame's `allow` attribute, as the provider documents it. */
  readonly allow: string;
  /** Whether the URL itself decides if the session can be controlled, so that another mode needs another URL. */
  readonly fixedMode: boolean;
  /**
   * Whether the address works only once, so that opening it uses it up for everyone else. Only one that is known to work more
   * than once is asked whether it may be framed.
   */
  readonly singleUse: 'yes' | 'no' | 'unknown';
  /** What the framed page posts to the page around it once the session is over; undefined where none is documented. */
  readonly disconnectMessage: string | undefined;
  /** Milliseconds for which the address can be opened from now on; undefined where it ends with its session. */
  readonly expiresInMs?: number | undefined;
  /**
   * Closes the address, so that it can be neither opened nor watched any longer; where it is closed already, that is fine.
   * Undefined where that cannot be done. Throws as a provider's members do.
   */
  readonly close?: ((signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Reads a live view address out of a provider's answer. What may be framed is for the adapter to say, not for the answer.
 * @param allows whether the adapter knows this origin as one of the provider's; asked only about https, and about http on
 * a loopback host.
 * @throws ProviderError `unexpectedAnswer` for any address that may not be framed; the address itself is not in it.
 */
export function liveViewUrl(raw: string, allows: (url: URL) => boolean): URL {
  const url = safeUrl(raw);
  if (url !== undefined && allows(url)) return url;
  throw refused("the live view address isn't one of this provider's");
}

/**
 * Reads the address of a recording out of a provider's answer. It is opened in the user's own browser, never framed, and
 * may be wherever the provider keeps files.
 * @throws ProviderError `unexpectedAnswer` for anything but https, or http on a loopback host.
 */
export function recordingUrl(raw: string): URL {
  const url = safeUrl(raw);
  if (url !== undefined) return url;
  throw refused('the address of the recording is not one that can be opened');
}

function safeUrl(raw: string): URL | undefined {
  const url = URL.parse(raw);
  const safe =
    url !== null &&
    raw.length <= longestAddress &&
    oneHost.test(url.hostname) &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) &&
    url.username === '' &&
    url.password === '';
  return safe ? url : undefined;
}

function refused(what: string): ProviderError {
  return new ProviderError({ kind: 'unexpectedAnswer', what }, `refused: ${what}`);
}
