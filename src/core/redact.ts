import { escapeHtml } from './escapeHtml.ts';
import { withoutInvisible } from './plainText.ts';

/** Replaces secrets in a text with a mark; made by {@link redactor}. */
export type Redact = (text: string) => string;

/** Finds an account's secrets in texts. Made by {@link knownSecrets}. */
export interface KnownSecrets {
  /** Whether there are no known secrets to look for. */
  readonly isEmpty: boolean;
  /** Takes out the secrets, and any value that is named like one. For messages, errors and the log. */
  readonly redact: Redact;
  /** Takes out only the secrets. For names, tags and metadata of sessions, where `token=…` may be an ordinary word. */
  readonly hide: Redact;
  /** Whether an id is one of the secrets or holds one that is too long to be in it by chance. */
  isIn(id: string): boolean;
}

const mark = '•••';
/** Shorter values would match ordinary text; no provider's key is that short. */
const shortestSecret = 4;
/** Fewer characters of Base64 turn up in ordinary text. */
const shortestBase64 = 8;
/** An id of random characters doesn't contain that much of a secret by chance. */
const shortestInId = 16;
/** A text that was cut may end with the beginning of a secret: this many characters don't match by chance. */
const shortestCut = 8;
/** Longest text that is searched, in characters; the rest is dropped, because no more is ever shown. */
const longestText = 16_384;
/** Query keys and JSON fields whose value is a secret wherever it turns up, e.g. in a provider's error message. */
const namedSecret =
  /((?:api[-_]?key|access[-_]?token|token|signing[-_]?key|authorization|password|secret)["']?\s*[=:]\s*["']?)(?:bearer\s+|basic\s+)?[^\s"'&,;)}\]]+/gi;
const userInfo = /\b(\w+:\/\/)[^\s/@]+@/g;

/** Returns {@link KnownSecrets.redact} of some secrets. */
export function redactor(secrets: Iterable<string>): Redact {
  return knownSecrets(secrets).redact;
}

/**
 * Finds secrets in any text: as they are, without a scheme in front (`Bearer …`), of `Basic …` the user name and the
 * password too; each of them also URL-encoded, as JSON or HTML escapes it, and in Base64, alone or as a part of what was
 * encoded. Case, marks on letters, and what is invisible or blank between the characters, make no difference. A text may
 * have been cut within a secret: its beginning is found at the end of a text, too.
 */
export function knownSecrets(secrets: Iterable<string>): KnownSecrets {
  const values = new Set([...secrets].flatMap(partsOf).filter(({ length }) => length >= shortestSecret));
  const raw = [...values].map((value) => compared(value)).filter((form) => form !== '');
  const forms = [...new Set([...values].flatMap(formsOf).map(compared))].filter((form) => form !== '');
  const shortest = Math.min(...forms.map(({ length }) => Math.min(length, shortestCut)));
  const foundIn = (text: string) =>
    text.length >= shortest &&
    (forms.some((form) => form.length <= text.length && text.includes(form)) || cutIn(text, forms) !== undefined);

  function hide(whole: string): string {
    if (whole.length < shortest) return whole;
    const text = whole.length > longestText ? whole.slice(0, longestText) : whole;
    let hidden = foundIn(compared(text)) ? hideIn(text, viewOf(text), forms) : text;
    for (const escapes of escapesIn(hidden)) {
      if (foundIn(compared(hidden.replace(escapes, decoded)))) hidden = hideIn(hidden, viewOf(hidden, escapes), forms);
    }
    return hidden;
  }

  return {
    isEmpty: forms.length === 0,
    hide,
    redact(text) {
      const hidden = hide(text);
      // Invisible characters stay where nothing was taken out.
      const visible = withoutInvisible(hidden);
      const named = visible.replace(namedSecret, `$1${mark}`).replace(userInfo, `$1${mark}@`);
      return named === visible ? hidden : named;
    },
    isIn(id) {
      const text = compared(id);
      return (
        raw.some((form) => text === form) || forms.some((form) => form.length >= shortestInId && text.includes(form))
      );
    },
  };
}

/** Keeps of the cause of an error what a log may hold: its code and message, without secrets. */
export function redactedCause(cause: unknown, redact: Redact): Error | undefined {
  if (!(cause instanceof Error)) return undefined;
  const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code} ` : '';
  return new Error(redact(code + cause.message));
}

/** A secret, and what of it is one by itself: the value behind a scheme's name, a name and password behind `Basic`. */
function partsOf(secret: string): string[] {
  const [, scheme = '', value = ''] = /^\s*([a-z][\w-]*)\s+(\S.*)$/is.exec(secret) ?? [];
  if (value === '') return [secret];
  const named = /^\w+=["']?(.*?)["']?$/s.exec(value)?.[1] ?? value;
  if (scheme.toLowerCase() !== 'basic') return [secret, value, named];
  const pairs = value.includes(':') ? [value] : encodings.map((name) => Buffer.from(value, 'base64').toString(name));
  const halves = pairs.flatMap((pair) => {
    const colon = pair.indexOf(':');
    return colon < 0 ? [] : [pair, pair.slice(0, colon), pair.slice(colon + 1)];
  });
  return [secret, value, ...halves];
}

/** How servers encode the characters of a name and password: RFC 7617 doesn't say. */
const encodings = ['utf8', 'latin1'] as const;

/** The forms of a secret to look for, in texts as they are and unescaped; nested escapes keep one layer. */
function formsOf(value: string): string[] {
  const base64 = encodings
    .flatMap((name) => [0, 1, 2].map((before) => base64Within(Buffer.from(value, name), before)))
    .filter(({ length }) => length >= shortestBase64);
  return [
    value,
    // As a server shows it that reads UTF-8 as Latin-1.
    Buffer.from(value).toString('latin1'),
    encodeURIComponent(value.toWellFormed()),
    // As forms encode it: a blank is a plus sign.
    new URLSearchParams([['', value]]).toString().slice(1),
    // Escaped, because a text that is unescaped loses what looks like an escape within the value.
    JSON.stringify(value).slice(1, -1),
    escapeHtml(value),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

/**
 * The characters of Base64 that a value alone decides, where so many bytes modulo three stand before it: all of its
 * Base64 but for those at either end into which its neighbours' bits go.
 */
function base64Within(value: Buffer, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), value]);
  return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

/** What makes no difference between the characters of a secret: what is invisible, blank, or a mark on another letter. */
const passedOver = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{DI}\p{M}\s]+/gu;
const capitals = /[A-Z]+/g;
/** Replaced one by one, because a Greek sigma is lowercased differently at the end of a word. */
const otherCapitals = /[\p{Lu}--[A-Z]]/gv;
/** What HTML calls the characters of keys and passwords, and those that are passed over. */
const htmlNames: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '\u{ad}',
  zwj: '\u{200d}',
  zwnj: '\u{200c}',
  tab: '\t',
  newline: '\n',
  excl: '!',
  num: '#',
  dollar: '$',
  percnt: '%',
  lpar: '(',
  rpar: ')',
  ast: '*',
  midast: '*',
  plus: '+',
  comma: ',',
  period: '.',
  sol: '/',
  colon: ':',
  hyphen: '-',
  semi: ';',
  equals: '=',
  quest: '?',
  commat: '@',
  lsqb: '[',
  lbrack: '[',
  bsol: '\\',
  rsqb: ']',
  rbrack: ']',
  hat: '^',
  lowbar: '_',
  underbar: '_',
  grave: '`',
  diacriticalgrave: '`',
  lcub: '{',
  lbrace: '{',
  verbar: '|',
  vert: '|',
  verticalline: '|',
  rcub: '}',
  rbrace: '}',
};
/** The longest first: one may be the beginning of another. */
const namesByLength = Object.keys(htmlNames).sort((a, b) => b.length - a.length);
/** How URLs write a character: its bytes in UTF-8, or a single byte that isn't UTF-8. */
const inUrls =
  '%[cd][\\da-f]%[89ab][\\da-f]|%e[\\da-f](?:%[89ab][\\da-f]){2}|%f[0-4](?:%[89ab][\\da-f]){3}|%[\\da-f]{2}';
/** How JSON writes one. JSON in JSON has several backslashes in front of one character. */
const inJson = '\\\\u[\\da-f]{4}|\\\\{2,7}["/]|\\\\["\\\\/bfnrt]';
const inHtml = `&(?:${namesByLength.join('|')}|#0{0,20}\\d{1,7}|#x0{0,20}[\\da-f]{1,6});?`;
const allEscapes = new RegExp([inUrls, inJson, inHtml].join('|'), 'gi');
const kindsOfEscapes: readonly (readonly [sign: string, escapes: RegExp])[] = [
  ['%', new RegExp(inUrls, 'gi')],
  ['\\', new RegExp(inJson, 'gi')],
  ['&', new RegExp(inHtml, 'gi')],
];

/**
 * The escapes to decode in a text, one set after the other: all of them, and each kind alone if there are several, because a
 * secret may itself contain what looks like an escape of another kind.
 */
function escapesIn(text: string): readonly RegExp[] {
  const kinds = kindsOfEscapes.filter(([sign]) => text.includes(sign)).map(([, escapes]) => escapes);
  return kinds.length > 1 ? [allEscapes, ...kinds] : kinds;
}

/** A text as it is compared. */
function compared(text: string): string {
  return (
    text
      // Sorting many combining marks takes quadratic time.
      .replace(passedOver, '')
      .normalize('NFKD')
      .replace(passedOver, '')
      .replace(capitals, (letters) => letters.toLowerCase())
      .replace(otherCapitals, (letter) => letter.toLowerCase())
  );
}

/** A text as it is compared, and where each of its characters comes from: from an index of the text, up to another. */
interface View {
  readonly text: string;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** @param escapes those that are decoded. */
function viewOf(text: string, escapes?: RegExp): View {
  const view = { text: '', from: [] as number[], to: [] as number[] };
  const found = escapes === undefined ? [] : [...text.matchAll(escapes)];
  const escapesAt = new Map(found.map(({ 0: written, index }) => [index, written]));
  for (let at = 0; at < text.length; ) {
    const written = escapesAt.get(at);
    const code = text.charCodeAt(at);
    // Most characters are compared as they are.
    if (written === undefined && code > 0x20 && code < 0x7f) {
      view.text += code >= 0x41 && code <= 0x5a ? String.fromCharCode(code + 0x20) : text.charAt(at);
      view.from.push(at);
      view.to.push(++at);
      continue;
    }
    const source = written ?? String.fromCodePoint(text.codePointAt(at) ?? 0);
    const end = at + source.length;
    const units = compared(written === undefined ? source : decoded(written));
    view.text += units;
    for (let unit = 0; unit < units.length; unit++) {
      view.from.push(at);
      view.to.push(end);
    }
    at = end;
  }
  return view;
}

/** What an escape stands for; itself where that is nothing. */
function decoded(written: string): string {
  try {
    if (written.startsWith('%')) return percentDecoded(written);
    if (/^\\{2,}["/]$/.test(written)) return written.slice(-1);
    if (written.startsWith('\\')) return String(JSON.parse(`"${written}"`));
    const name = written.slice(1).replace(/;$/, '');
    if (!name.startsWith('#')) return htmlNames[name.toLowerCase()] ?? written;
    return String.fromCodePoint(/^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1)));
  } catch {
    return written;
  }
}

function percentDecoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    return Buffer.from(written.replaceAll('%', ''), 'hex').toString('latin1');
  }
}

/** Puts a mark in the place of each piece of a text that one of the forms covers. */
function hideIn(text: string, view: View, forms: readonly string[]): string {
  const covered = new Array<boolean>(view.text.length).fill(false);
  for (const form of forms) {
    for (let at = view.text.indexOf(form); at >= 0; at = view.text.indexOf(form, at + 1)) {
      covered.fill(true, at, at + form.length);
    }
  }
  const cut = cutIn(view.text, forms);
  if (cut !== undefined) covered.fill(true, cut);
  let shown = '';
  let next = 0;
  for (let unit = 0; unit < covered.length; unit++) {
    if (!covered[unit]) continue;
    const begin = Math.max(next, view.from[unit] ?? 0);
    while (covered[unit + 1]) unit++;
    shown += text.slice(next, begin) + mark;
    next = view.to[unit] ?? text.length;
  }
  return shown + text.slice(next);
}

/** What may be left of an escape at the end of a text that was cut, and what stands for the rest. */
const cutOff =
  /(?:(?:%[\da-f]{2}){0,3}%[\da-f]?|\\(?:u[\da-f]{0,3})?|&(?:[a-z]{0,16}|#\d{0,27}|#x[\da-f]{0,26}))?(?:\.{3})?$/i;
const longestEscape = 32;

/** Where, in a text as it is compared, the beginning of a form stands that the text's end has cut; undefined for none. */
function cutIn(text: string, forms: readonly string[]): number | undefined {
  const end = text.length - (cutOff.exec(text.slice(-longestEscape))?.[0].length ?? 0);
  const found = forms.flatMap((form) => {
    const beginning = form.slice(0, shortestCut);
    if (beginning.length < shortestCut) return [];
    for (let at = Math.max(0, end - form.length + 1); ; at++) {
      at = text.indexOf(beginning, at);
      if (at < 0) return [];
      if (form.startsWith(text.slice(at, end))) return [at];
    }
  });
  return found.length === 0 ? undefined : Math.min(...found);
}
