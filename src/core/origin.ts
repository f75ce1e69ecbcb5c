/** Whether a host name always means the machine that asks: `localhost`, `*.localhost`, 127.0.0.0/8 and `::1`. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    name === '::1' ||
    /^127(\.\d{1,3}){3}$/.test(name)
  );
}

/** Why an address cannot be an account's. */
export type AddressFault = 'notAUrl' | 'scheme' | 'notEncrypted' | 'credentials' | 'query';

/** The outcome of {@link parseAddress}. */
export type ParsedAddress =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly fault: AddressFault };

/**
 * Reads the address that an account's key may be sent to: https, or http on a loopback host, so that no key crosses a
 * network in clear; without user name, password, query or fragment. The path, if any, keeps no trailing slash.
 */
export function parseAddress(raw: string): ParsedAddress {
  const url = URL.parse(raw.trim());
  if (url === null || url.hostname === '') return { ok: false, fault: 'notAUrl' };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { ok: false, fault: 'scheme' };
  if (url.username !== '' || url.password !== '') return { ok: false, fault: 'credentials' };
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return { ok: false, fault: 'notEncrypted' };
  if (url.search !== '' || url.hash !== '') return { ok: false, fault: 'query' };
  url.pathname = url.pathname.replace(/\/+$/, '');
  return { ok: true, url };
}

/** Writes an address the way it is stored and shown: without the slash that `URL` puts behind a bare host. */
export function formatAddress(url: URL): string {
  return url.pathname === '/' ? url.origin : url.href;
}

/** Whether an address is at an account's own, or on the same machine where that is this one. */
export function isAtAccount(url: URL, account: URL): boolean {
  return url.origin === account.origin || (isLoopback(account.hostname) && isLoopback(url.hostname));
}

/** Whether an address is https, at a domain or below it. */
export function isWithin({ protocol, hostname }: URL, domain: string): boolean {
  return protocol === 'https:' && (hostname === domain || hostname.endsWith(`.${domain}`));
}
