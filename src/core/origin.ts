import type { AddressFault } from './providerError.ts';

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

/** The same, but only of an IPv4 address: another browser can have the same port of ::1. */
export function ipv4Port(address: string): string | undefined {
  const url = loopbackUrl(address);
  return url?.hostname === '[::1]' ? undefined : url?.port;
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
