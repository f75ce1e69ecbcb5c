import { redactor } from './redact.ts';

/** What stands for a value that is not shown. */
export const hidden = '•••';
const withoutSecrets = redactor([]);

/**
 * A page's title without the values of the address that it may be: Chrome titles a page that has none by its address, with
 * some of it decoded, and the beginning or the end cut off. Of an address before, as long as it was of the same host.
 */
export function titleWithoutValues(title: string, url: string): string {
  const [opaque] = /^(data|blob):(?=\S)/.exec(title) ?? [];
  if (opaque !== undefined) return `${opaque}${hidden}`;
  const tail = decoded(title.replace(/^[^?#]*/, ''));
  const host = (URL.parse(title)?.host ?? '') || (URL.parse(`http://${title}`)?.host ?? '');
  const isAddress = (tail.length > 1 && decoded(url).includes(tail)) || (host !== '' && URL.parse(url)?.host === host);
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
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(address) ?? [];
  // What has no name is all value.
  const values = query.split('&').map((part) => part.replace(/^(\??[^=]*=|\?)?.*$/s, `$1${hidden}`));
  return `${path}${query && values.join('&')}${fragment && `#${hidden}`}`;
}
