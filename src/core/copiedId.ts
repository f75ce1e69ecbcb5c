import { idFault, type SessionId } from './ids.ts';

/** Longer texts aren't searched for an id. */
const longestText = 4_096;
const deepestUrl = 3;
/** What an id is copied with: quotes, brackets, commas, spaces and what can't be seen. */
const wrapping = /[\s\p{Cf}"'`“”„‘’‚«»<>()[\]{},;]/u;
/** The key that stands before an id in JSON, YAML and query strings. */
const key = /^["']?(?:session|browser)?[ _-]?id["']?\s*[:=]\s*/i;
/** Query parameters that name a session in providers' links, in lower case and without `_`. */
const idParameters = new Set(['sessionid', 'session', 'browserid']);
/** Query parameters that hold another address, as in the links of DevTools. */
const addressParameters = new Set(['ws', 'wss', 'url']);
/** Parts of a path after which the id of a session comes. */
const idPlaces = new Set(['sessions', 'session', 'kill', 'browser', 'debug', 'live', 'reconnect']);

/**
 * The id of a session in a copied text: the id itself with quotes, commas or spaces around it, or a link to the
 * session, such as its dashboard page, its live view, its DevTools address or the address that ends it.
 * @returns undefined where it can't be told which part is the id. It's never guessed, and `all` is never one.
 */
export function copiedSessionId(text: string): SessionId | undefined {
  if (text.length > longestText) return undefined;
  const rest = unwrapped(unwrapped(text).replace(key, ''));
  // An address loses its line breaks when it's parsed: two of them would become one.
  if (/\s/.test(rest)) return undefined;
  const found = rest.includes('/') ? fromUrl(rest, 0) : rest;
  return found === undefined || idFault(found) !== undefined ? undefined : (found as SessionId);
}

/** Removes what a text is wrapped in. A single regular expression for both ends would take quadratic time. */
function unwrapped(text: string): string {
  const characters = Array.from(text);
  const isInside = (character: string) => !wrapping.test(character);
  return characters.slice(characters.findIndex(isInside), characters.findLastIndex(isInside) + 1).join('');
}

function fromUrl(text: string, depth: number): string | undefined {
  const isWhole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const url = URL.parse(isWhole ? text : text.startsWith('/') ? `https://host${text}` : `https://${text}`);
  if (url === null || depth > deepestUrl) return undefined;
  const { pathname, searchParams, hash } = url;
  for (const [name, value] of searchParams) {
    if (idParameters.has(name.toLowerCase().replaceAll('_', ''))) return value;
  }
  const inPath = fromPath(pathname) ?? fromPath(hash.slice(1));
  if (inPath !== undefined) return inPath;
  for (const [name, value] of searchParams) {
    const inner = addressParameters.has(name.toLowerCase()) ? fromUrl(value, depth + 1) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** The part of a path after the first one that an id usually follows, such as `sessions`. It isn't checked. */
function fromPath(path: string): string | undefined {
  const parts = path.split(/[/?#]/).filter((part) => part !== '');
  const place = parts.findIndex((part, index) => idPlaces.has(part.toLowerCase()) && index + 1 < parts.length);
  const part = place < 0 ? undefined : parts[place + 1];
  if (part === undefined) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
