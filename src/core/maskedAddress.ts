import { pageId } from './ids.ts';
import { longestTitle, longestUrl, mostPages, type Page } from './page.ts';
import { redactor } from './redact.ts';
import { Turns } from './turns.ts';

/** What stands for a value that is not shown. */
export const hidden = '•••';
const secretKey = /key|token|secret|password|authorization|cookie/i;
const withoutSecrets = redactor([]);

/** Where a query or a fragment begins, if nothing before it is blank, and what comes before. */
const beforeTail = /^[^\s?#]*(?=[?#]\S)/;
/** A longer name in a query is more likely a value that happens to have a "=" in it, or at its end. */
const longestName = 20;

/** Whether metadata under this key may hold a secret, and so its value is never shown. */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key);
}

/**
 * A page's title without the values of an address that it may be: Chrome titles a page that has none by its address, with
 * some of it decoded, the beginning or the end cut off, and for a while after the page has gone on to another.
 */
export function titleWithoutValues(whole: string, url: string): string {
  const title = whole.slice(0, longestTitle);
  const [opaque] = /^(data|blob):(?=\S)/.exec(title) ?? [];
  if (opaque !== undefined) return `${opaque}${hidden}`;
  const tail = decoded(title.replace(/^[^?#]*/, ''));
  const looksLikeOne = /[./:]/.test(beforeTail.exec(title)?.[0] ?? '');
  const isAddress =
    looksLikeOne ||
    hasValuesInPath(title) ||
    (tail.length > 1 && (url.length > longestUrl || decoded(url).includes(tail)));
  return withoutSecrets(isAddress ? withoutTail(title) : title);
}

/** The first pages of a session as they're kept, with their titles masked. In turns, because titles may be long. */
export function maskedPages(
  pages: readonly { readonly id: string; readonly title: string; readonly url: string }[],
): Promise<readonly Page[]> {
  return new Turns().map(pages.slice(0, mostPages), ({ id, title, url }) => {
    return { id: pageId(id), title: titleWithoutValues(title, url), url };
  });
}

/** Whether a title may be an address whose path has values of its own: `shop.example/cart;jsessionid=0123`. */
function hasValuesInPath(title: string): boolean {
  const [path = ''] = /^[^\s?#]*/.exec(title) ?? [];
  const at = path.search(/[./:]/);
  return at >= 0 && /;[^=;/]+=/.test(path.slice(at));
}

/** An address without escapes. Bytes that aren't UTF-8 become U+FFFD. Fast, because any page can have a long address. */
function decoded(address: string): string {
  if (!address.includes('%')) return address;
  const bytes = Buffer.from(address);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const escaped = byte === 0x25 ? 16 * digit(bytes[at + 1]) + digit(bytes[at + 2]) : Number.NaN;
    bytes[length++] = Number.isNaN(escaped) ? byte : escaped;
    if (!Number.isNaN(escaped)) at += 2;
  }
  return bytes.toString('utf8', 0, length);
}

/** The value of a hexadecimal digit; NaN for any other character. */
function digit(code: number | undefined): number {
  if (code === undefined) return Number.NaN;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** A page's address without what its query and fragment say, which often is a secret; the names in the query stay. */
export function withoutValues(raw: string): string {
  const url = URL.parse(raw);
  if (url === null) return withoutSecrets(raw);
  if (url.protocol === 'data:' || url.protocol === 'blob:') return `${url.protocol}${hidden}`;
  const site = url.origin === 'null' ? url.protocol : url.origin;
  return withoutSecrets(withoutTail(`${site}${url.pathname}${url.search}${url.hash}`));
}

/** An address with the values of its path and its query masked, and without its fragment. The names in its query stay. */
function withoutTail(address: string): string {
  const [, path = '', query, fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(address) ?? [];
  const site = path.replace(/;([^=;/]*)=[^;/]*/g, `;$1=${hidden}`);
  return `${site}${query === undefined ? '' : `?${query.split('&').map(nameAlone).join('&')}`}${fragment && `#${hidden}`}`;
}

/** Masks the value of a parameter of a query, or all of it if it has no name or no value. */
function nameAlone(part: string): string {
  const [, name = '', value = '='] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
  return name.length > longestName || /^=+$/.test(value) ? hidden : `${name}=${hidden}`;
}
