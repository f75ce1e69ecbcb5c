import { type AddressFault, ProviderError } from './providerError.ts';

/**
 * Whether a host name, as `URL` writes it, is this machine's and needs no resolver to say so: `localhost`, an address in
 * 127.0.0.0/8, or `::1`. Names such as `app.localhost` and `localhost.` are not: systems ask a DNS server about them.
 */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase();
  return name === 'localhost' || name === '[::1]' || name === '::1' || loopbackV4.test(name);
}

/** The URL of an address of this machine; undefined for any other address, or if it isn't a URL. */
export function loopbackUrl(address: string): URL | undefined {
  const url = URL.parse(address);
  return url !== null && isLoopback(url.hostname) ? url : undefined;
}

/** The port of an address of this machine, empty for the usual one; undefined for any other address. */
export function loopbackPort(address: string): string | undefined {
  return loopbackUrl(address)?.port;
}

const loopbackV4 = /^127(\.(25[0-5]|2[0-4]\d|1\d\d|\d{1,2})){3}$/;
const localName = /(^|\.)localhost\.?$/;

/** The outcome of {@link parseAddress}. */
export type ParsedAddress =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly fault: AddressFault };

/** The parts of an address as it is written, before `URL` rewrites it: what follows `//`, the path, and the rest. */
const written = /^[a-z][a-z0-9+.-]*:\/\/([^/\\?#]+)([^?#]*)(.*)$/i;
const controls = /\p{Cc}/u;
/** `URL` turns `\` into `/` and follows dot segments; servers and proxies may do the same with what is percent-encoded. */
const misleadingPath = /^\/\/|\\|%2f|%5c|(^|\/)(\.|%2e){1,2}(\/|$)/i;

/**
 * Reads the address that an account's key may be sent to: https, or http on a loopback host, so that no key crosses a
 * network in clear; without user name, password, query or fragment, and without a path that could be read as another
 * host or path. The path, if any, keeps no trailing slash.
 */
export function parseAddress(raw: string): ParsedAddress {
  const trimmed = raw.trim();
  const [, authority = '', path = '', rest = ''] = (!controls.test(trimmed) && written.exec(trimmed)) || [];
  const url = authority === '' ? null : URL.parse(trimmed);
  if (url === null || url.hostname === '') return { ok: false, fault: 'notAUrl' };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { ok: false, fault: 'scheme' };
  if (authority.includes('@')) return { ok: false, fault: 'credentials' };
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return { ok: false, fault: localName.test(url.hostname) ? 'localName' : 'notEncrypted' };
  }
  if (rest !== '') return { ok: false, fault: 'query' };
  if (misleadingPath.test(path)) return { ok: false, fault: 'path' };
  url.pathname = url.pathname.replace(/\/+$/, '');
  return { ok: true, url };
}

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
