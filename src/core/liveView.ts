import { isLoopback } from './origin.ts';
import { ProviderError } from './providerError.ts';

/** A page that shows a session live, to be framed. Whoever holds `url` can watch and often steer: it is a secret. */
export interface LiveView {
  readonly url: URL;
  /** The frame's `sandbox` attribute, as the vendor documents it. */
  readonly sandbox: string;
  /** The frame's `allow` attribute, as the vendor documents it. */
  readonly allow: string;
}

/**
 * Reads a live view address out of a vendor's answer. What may be framed is for the adapter to say, not for the answer.
 * @param allows whether the adapter knows this origin as one of the vendor's; asked only about https, and about http on
 * a loopback host.
 * @throws ProviderError `unexpectedAnswer` for any address that may not be framed; the address itself is not in it.
 */
export function liveViewUrl(raw: string, allows: (url: URL) => boolean): URL {
  const url = URL.parse(raw);
  const safe =
    url !== null &&
    raw.length <= 8192 &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) &&
    url.username === '' &&
    url.password === '';
  if (safe && allows(url)) return url;
  throw new ProviderError(
    { kind: 'unexpectedAnswer', what: 'the live view address is not one of this provider’s' },
    'the live view address was refused',
  );
}
