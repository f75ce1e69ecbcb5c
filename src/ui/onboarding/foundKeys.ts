import { parseEnv } from 'node:util';
import { parseAddress } from '../../core/origin.ts';
import type { CredentialField, ProviderKind } from '../../core/provider.ts';
import type { AddressFault } from '../../core/providerError.ts';
import { formatAddress } from '../../core/typedAddress.ts';
import { fieldFault, fieldValue } from '../commands/credentials.ts';

/** A source of variables: the environment, or one file. */
export interface VariableSource {
  /** As shown on screen. */
  readonly name: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Variables that other programs may find in the file, though they can't be read here. */
  readonly unread?: ReadonlySet<string>;
}

/** A key that a variable holds. */
export interface FoundKey {
  readonly kind: ProviderKind;
  readonly variable: string;
  readonly secret: string;
  readonly credentials: Readonly<Record<string, string>>;
  /** The address that the key is for; undefined where the user must enter it. */
  readonly origin: string | undefined;
  /** The variable that the address comes from; undefined for the provider's own address. */
  readonly addressVariable: string | undefined;
  /** Names of the sources that have this key. */
  readonly sources: readonly string[];
  /**
   * Whether it's for the provider's own address, and no source names another one for this provider. For example, `.env` may
   * have the key of a server whose address is in `.env.local`.
   */
  readonly isForProvider: boolean;
}

/** A variable that can't be used. */
export interface VariableFault {
  readonly variable: string;
  readonly source: string;
  /** What is wrong with an address; undefined where the value isn't a key. */
  readonly address: AddressFault | 'unread' | undefined;
}

/** Longer values aren't keys. In characters. */
const longestKey = 4_096;

/** What begins a line that sets a variable for a program that reads `.env` files: some take `NAME: value`, or a tab after `export`. */
const setting = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*([=:])/;
/**
 * A word that may set a variable in another way: shells have many, such as several in a line, and python-dotenv takes a name in
 * quotes. What only reads one doesn't count, such as `$NAME` and `${NAME}`; `${NAME:=value}` does.
 */
const mention = /(?<![\w$]|\$\{)([A-Za-z_]\w*)|\$\{([A-Za-z_]\w*):?=/g;
/** The same in a comment at the end of a line, which isn't one if a quote goes on there. */
const commented = /(?:[\s;&|(]|\$\{)([A-Za-z_]\w*)\s*\+?[=:]/g;
/** A line that only passes variables on. */
const exportOnly = /^\s*export(?:\s+[A-Za-z_]\w*)+\s*$/;
const lineBreaks = /[\n\r\u2028\u2029]+/;

/**
 * The variables in the text of a `.env` file. Nothing in it is expanded or run. Escaped line breaks become spaces, because no
 * key has one and they make Node's parser take quadratic time.
 */
export function variablesIn(text: string): Required<Omit<VariableSource, 'name'>> {
  const variables = parseEnv(
    text
      .replace(/^\ufeff/, '')
      .replace(/\r\n?/g, '\n')
      .replace(/\\n/g, ' '),
  );
  const unread = new Set<string>();
  // Shells join a line to the next one after a backslash, but not a comment.
  const joined = text.replace(/\\\r?\n/g, '');
  for (const line of [text, ...(joined === text ? [] : [joined])].flatMap((one) => one.split(lineBreaks))) {
    if (/^\s*#/.test(line) || exportOnly.test(line)) continue;
    const [first = '', name, sign] = setting.exec(line) ?? [];
    const isRead = name !== undefined && sign === '=' && Object.hasOwn(variables, name);
    const others = isRead ? line.slice(first.length) : line;
    // A shell's quotes may be in the middle of a name.
    for (const text of [others, others.replace(/["'\\]/g, '')]) {
      const [before, comment] = [text.replace(/\s#.*/, ''), /\s#.*/.exec(text)?.[0] ?? ''];
      for (const [, other, set] of before.matchAll(mention)) unread.add(other ?? set ?? '');
      for (const [, other = ''] of comment.matchAll(commented)) unread.add(other);
    }
  }
  return { variables, unread };
}

/** The names of variables that may hold a key of these providers. */
export function keyVariables(kinds: readonly ProviderKind[]): readonly string[] {
  return kinds.flatMap(({ fields }) => fields.filter(isSecret).flatMap(({ environment }) => environment));
}

/**
 * The keys in some variables. An address applies only to keys from the same source. If it can't be used, that source's keys
 * aren't offered at all, because they aren't meant for the provider's own address.
 */
export function findKeys(
  kinds: readonly ProviderKind[],
  sources: readonly VariableSource[],
): { readonly keys: readonly FoundKey[]; readonly faults: readonly VariableFault[] } {
  const keys = new Map<string, FoundKey>();
  const addressed = new Set<string>();
  const faults: VariableFault[] = [];
  for (const { name: source, variables, unread } of sources) {
    const read = (variable: string) => (Object.hasOwn(variables, variable) ? (variables[variable] ?? '').trim() : '');
    for (const kind of kinds) {
      const secrets = kind.fields
        .filter(isSecret)
        .flatMap((field) =>
          field.environment.filter((variable) => read(variable) !== '').map((variable) => ({ field, variable })),
        );
      const address = addressIn(kind, read, unread);
      if (address.variable !== undefined) addressed.add(kind.id);
      if (secrets.length === 0) continue;
      if (address.fault !== undefined) {
        faults.push({ variable: address.variable ?? '', source, address: address.fault });
        continue;
      }
      for (const { field, variable } of secrets) {
        const secret = fieldValue(field, read(variable));
        if (!isKey(field, secret)) {
          faults.push({ variable, source, address: undefined });
          continue;
        }
        const credentials = { [field.id]: secret, ...textsIn(kind, read) };
        const id = JSON.stringify([kind.id, address.origin, credentials]);
        const known = keys.get(id);
        const found = {
          kind,
          variable,
          secret,
          credentials,
          origin: address.origin,
          addressVariable: address.variable,
          isForProvider: false,
        };
        if (known === undefined) keys.set(id, { ...found, sources: [source] });
        else if (!known.sources.includes(source)) keys.set(id, { ...known, sources: [...known.sources, source] });
      }
    }
  }
  const all = [...keys.values()].map((key) => ({
    ...key,
    isForProvider: key.origin !== undefined && !addressed.has(key.kind.id),
  }));
  return { keys: all, faults };
}

function isSecret({ kind }: CredentialField): boolean {
  return kind === 'secret';
}

/**
 * A value such as `$(pass show key)` or `${OTHER}` refers to a key and isn't one itself, and neither is one that goes on with
 * another variable of the same line.
 */
function isKey(field: CredentialField, value: string): boolean {
  const isOne = value !== '' && value.length <= longestKey && !/\$[({]|[\s;&|](?:export\s+)?\w+=/.test(value);
  return isOne && fieldFault(field, value) === undefined;
}

interface FoundAddress {
  readonly origin: string | undefined;
  readonly variable: string | undefined;
  readonly fault?: VariableFault['address'];
}

function addressIn(
  { address }: ProviderKind,
  read: (variable: string) => string,
  unread: ReadonlySet<string> | undefined,
): FoundAddress {
  const own = address.ask ? undefined : address.preset;
  const hidden = address.environment?.find((one) => unread?.has(one));
  if (hidden !== undefined) return { origin: undefined, variable: hidden, fault: 'unread' };
  const variable = address.environment?.find((one) => read(one) !== '');
  if (variable === undefined) return { origin: own, variable };
  // Playwright and Puppeteer connect to the same server with ws: and wss:.
  const parsed = parseAddress(read(variable).replace(/^ws(s?):/i, 'http$1:'));
  if (!parsed.ok) return { origin: undefined, variable, fault: parsed.fault };
  const origin = formatAddress(parsed.url);
  return { origin, variable: origin === own ? undefined : variable };
}

/** Values that belong to a key and aren't secret, such as a project ID. */
function textsIn({ fields }: ProviderKind, read: (variable: string) => string): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const field of fields) {
    if (field.kind !== 'text') continue;
    const value = field.environment.map(read).find((one) => one !== '');
    if (value !== undefined && isKey(field, value)) texts[field.id] = fieldValue(field, value);
  }
  return texts;
}
