import { redactor } from './redact.ts';

/** What stands for a value that is not shown. */
export const hidden = '•••';
const secretKey = /key|token|secret|password|authorization|cookie/i;
const withoutSecrets = redactor([]);

/** Longest title that is looked at and kept, in characters; a page can have one of megabytes. */
const longestTitle = 1_000;
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
  const isAddress = /[./:]/.test(beforeTail.exec(title)?.[0] ?? '') || (tail.length > 1 && decoded(url).includes(tail));
  return withoutSecrets(isAddress ? withoutTail(title) : title);
}

function decoded(address: string): string {
  return address.replace(/(?:%[\da-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/** A page's address without what its query and fragment say, which often is a secret; the names in the query stay. */
export function withoutValues(raw: string): string {
  const url = URL.parse(raw);
  if (url === null) return withoutSecrets(raw);
  if (url.protocol === 'data:' || url.protocol === 'blob:') return `${url.protocol}${hidden}`;
  const site = url.origin === 'null' ? url.protocol : url.origin;
  return withoutSecrets(withoutTail(`${site}${url.pathname}${url.search}${url.hash}`));
}

/** An address without what stands behind its question mark, but for the names there, and without its fragment. */
function withoutTail(address: string): string {
  const [, path = '', query, fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(address) ?? [];
  const site = path.replace(/;([^=;/]*)=[^;/]*/g, `;$1=${hidden}`);
  return `${site}${query === undefined ? '' : `?${query.split('&').map(nameAlone).join('&')}`}${fragment && `#${hidden}`}`;
}

/** The name of a part of a query. What has none is all value, and so is what only ends as names do. */
function nameAlone(part: string): string {
  const [, name = '', value = '='] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
  return name.length > longestName || /^=+$/.test(value) ? hidden : `${name}=${hidden}`;
}
