import * as v from 'valibot';
import { parseAddress } from '../core/origin.ts';
import { plainText } from '../core/plainText.ts';
import { allCapabilities, type ProviderKind } from '../core/provider.ts';

const text = (longest: number) => v.pipe(v.string(), v.maxLength(longest));
/** Text that is shown, also in notifications and input boxes, where VS Code makes links that run commands of it. */
const plain = (longest: number) =>
  v.pipe(
    text(longest),
    v.transform((value) => plainText(value, longest)),
  );
const shownText = v.pipe(
  plain(200),
  v.check((value) => value !== '', 'Expected text that can be read'),
);
/** Never the name of a member that every object has: some of these ids are looked up in plain objects. */
const lowerCamelCase = v.pipe(
  v.string(),
  v.regex(/^[a-z][A-Za-z0-9]{0,40}$/, 'Expected lower camel case, at most 41 characters'),
  v.check((id) => !(id in {}), 'Expected a word that JavaScript has no meaning for'),
);
const sentence = plain(1_000);
const maybe = v.optional(sentence);
const usableAddress = v.pipe(
  v.string(),
  v.check((address) => parseAddress(address).ok, 'Expected https, or http on this machine'),
);

const Field = v.object({
  id: lowerCamelCase,
  label: shownText,
  prompt: sentence,
  kind: v.picklist(['secret', 'text', 'address']),
  required: v.boolean(),
  asked: v.picklist(['always', 'withAddress']),
  environment: v.pipe(v.array(text(100)), v.maxLength(20)),
});

const Kind = v.object({
  id: lowerCamelCase,
  label: shownText,
  icon: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,50}$/, 'Expected the name of a codicon')),
  address: v.object({
    preset: v.optional(usableAddress),
    ask: v.boolean(),
    prompt: sentence,
    placeholder: plain(200),
  }),
  fields: v.pipe(
    v.array(Field),
    v.maxLength(20),
    v.check((fields) => new Set(fields.map(({ id }) => id)).size === fields.length, 'Expected each id once'),
  ),
  /** Dropped: VS Code knows no settings but those of our package.json. */
  settings: v.pipe(v.array(v.unknown()), v.maxLength(20)),
  wording: v.object({
    session: sentence,
    ending: sentence,
    endEverything: maybe,
    deleteGroup: maybe,
    watching: maybe,
  }),
  can: v.array(v.picklist(allCapabilities)),
  furtherAddresses: v.unknown(),
  connect: v.unknown(),
});

/** What another extension registered, as it was when it did. */
export interface ForeignKind {
  readonly data: Omit<ProviderKind, 'connect' | 'furtherAddresses'>;
  readonly connect: (...args: readonly unknown[]) => unknown;
  readonly furtherAddresses: (...args: readonly unknown[]) => unknown;
}

/**
 * Reads a provider that another extension registers. Each field is read once, because a getter may answer differently the
 * next time; what is returned is a frozen copy that shares nothing with `raw` but its two functions.
 * @throws TypeError that names the field that is missing or wrong.
 */
export function readKind(raw: unknown): ForeignKind {
  const result = v.safeParse(Kind, raw, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    throw faultIn(v.getDotPath(issue) ?? 'the provider', issue.message);
  }
  const { connect, furtherAddresses, address, wording, ...rest } = result.output;
  const data = {
    ...rest,
    settings: [],
    address: { ...address, preset: address.preset },
    wording: {
      ...wording,
      endEverything: wording.endEverything,
      deleteGroup: wording.deleteGroup,
      watching: wording.watching,
    },
  };
  return {
    data: deepFreeze(data),
    connect: boundTo(raw, 'connect', connect),
    furtherAddresses: boundTo(raw, 'furtherAddresses', furtherAddresses),
  };
}

function boundTo(self: unknown, field: string, call: unknown): (...args: readonly unknown[]) => unknown {
  if (typeof call !== 'function') throw faultIn(field, 'Expected a function');
  return (...args) => Reflect.apply(call, self, args);
}

function faultIn(field: string, message: string): TypeError {
  return new TypeError(`registerProvider: ${field}: ${message.slice(0, 200)}`);
}

/** Freezes plain data with all that is in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
