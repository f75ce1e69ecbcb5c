import { isLoopback, type ParsedAddress, parseAddress } from './origin.ts';

const scheme = /^[a-z][a-z0-9+.-]*:\/\//i;
const portAlone = /^:?(\d{1,5})$/;
/** The address that Chrome prints when it starts, `ws://127.0.0.1:9222/devtools/browser/<id>`: the id changes. */
const browserSocket = /^ws(s?:\/\/[^/?#]+)\/devtools\/browser\/[\w-]+$/i;
/** A domain, an IPv4 address, or any name with a port: a key that was pasted by mistake isn't taken for a host. */
const hostLike =
  /^(?:(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}|\d{1,3}(?:\.\d{1,3}){3}|[a-z0-9.-]+(?=:\d)|localhost|\[[\da-f:]+\])(?::\d+)?(?:$|[/?#\\])/i;
const withPort = /^[^/]+\/\/[^/]*:\d+(?:\/|$)/;

/**
 * Reads an address that a user typed: as {@link parseAddress} does, but the scheme may be missing. It's http on this
 * machine and https elsewhere. `:9222` and `9222` are ports of this machine.
 * @param usual an address whose port is used on this machine if none is typed.
 */
export function parseTypedAddress(typed: string, usual?: string): ParsedAddress {
  const text = typed.trim().replace(browserSocket, 'http$1');
  const port = portAlone.exec(text)?.[1];
  const full = port === undefined ? withScheme(text) : `http://127.0.0.1:${port}`;
  const address = parseAddress(full);
  const usualUrl = usual === undefined ? null : URL.parse(usual);
  if (address.ok && usualUrl !== null && address.url.protocol === 'http:' && !withPort.test(full)) {
    // Only http on this machine is an address at all, so the port changes nothing about who receives a key.
    if (isLoopback(usualUrl.hostname)) address.url.port = usualUrl.port;
  }
  return address;
}

function withScheme(text: string): string {
  if (scheme.test(text) || !hostLike.test(text)) return text;
  const local = parseAddress(`http://${text}`);
  return local.ok || local.fault === 'localName' ? `http://${text}` : `https://${text}`;
}

/** Writes an address the way it is stored and shown: without the slash that `URL` puts behind a bare host. */
export function formatAddress(url: URL): string {
  return url.pathname === '/' ? url.origin : url.href;
}
