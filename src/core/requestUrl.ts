import { isLoopback } from './origin.ts';
import { ProviderError } from './providerError.ts';

/**
 * The URL of a request below an account's address. Neither the path nor the address can lead it to another host: they are
 * put in place of the path of the address's origin, and never parsed as an address.
 * @param path begins with a slash; what may not stand in a path is percent-encoded.
 */
export function requestUrl(address: URL, path: string, query: Readonly<Record<string, string | number>> = {}): URL {
  const url = new URL(address.origin);
  url.pathname = address.pathname.replace(/\/+$/, '') + path;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url;
}

/**
 * Who receives the requests below an address, and the key with them, as the prompts name it: its host, and its path if it
 * has one.
 */
export function receiverOf(address: URL): string {
  const { host, pathname } = requestUrl(address, '');
  return pathname === '/' ? host : host + pathname;
}

/**
 * The last check before a request is sent or a WebSocket is opened.
 * @param origin where it may go, as `URL.origin` writes it, with `http` or `https` for WebSockets too.
 * @throws ProviderError `unsupported` when the URL is at another origin, holds a user name or password, or is unencrypted
 * and leaves this machine.
 */
export function assertOrigin(url: URL, origin: string): void {
  const { protocol, hostname, host, username, password } = url;
  const isEncrypted = protocol === 'https:' || protocol === 'wss:';
  const isLocal = (protocol === 'http:' || protocol === 'ws:') && isLoopback(hostname);
  const actual = `${isEncrypted ? 'https' : 'http'}://${host}`;
  if ((isEncrypted || isLocal) && actual === origin && username === '' && password === '') return;
  const trouble = { kind: 'unsupported', reason: { kind: 'otherAddress' } } as const;
  throw new ProviderError(trouble, `a request was not sent: its address is not at ${origin}`);
}

/** Whether an address is at an account's own, or on the same machine where that is this one. */
export function isAtAccount(url: URL, account: URL): boolean {
  return url.origin === account.origin || (isLoopback(account.hostname) && isLoopback(url.hostname));
}

/** Whether an address is https, at a domain or below it. */
export function isWithin({ protocol, hostname }: URL, domain: string): boolean {
  return protocol === 'https:' && (hostname === domain || hostname.endsWith(`.${domain}`));
}
