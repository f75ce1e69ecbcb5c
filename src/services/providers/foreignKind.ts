import * as v from 'valibot';
import { parseAddress } from '../../core/origin.ts';
import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';

const text = (longest: number) => v.pipe(v.string(), v.maxLength(longest));
/**
 * Text that is shown, including in notifications and input boxes, where VS Code renders links that can run commands.
 */
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
  required: v.optional(v.boolean(), true),
  asked: v.optional(v.picklist(['always', 'withAddress']), 'always'),
  environment: v.optional(v.pipe(v.array(text(100)), v.maxLength(20)), []),
  // Unlike a built-in provider's key, this one is saved exactly as pasted unless the provider says otherwise.
  keepsScheme: v.optional(v.boolean(), true),
});

/** Optional fields have a default, so that new fields don't break providers written before. */
const Kind = v.object({
  id: lowerCamelCase,
  label: shownText,
  icon: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,50}$/, 'Expected the name of a codicon')), 'globe'),
  summary: v.exactOptional(plain(100)),
  keyPage: v.exactOptional(
    v.pipe(
      text(500),
      v.check((page) => URL.parse(page)?.protocol === 'https:', 'Expected an https address'),
    ),
  ),
  address: v.pipe(
    v.object({
      preset: v.optional(usableAddress),
      ask: v.optional(v.boolean(), false),
      prompt: maybe,
      placeholder: v.optional(plain(200), ''),
    }),
    v.check(({ preset, ask }) => preset !== undefined || ask, 'Expected a preset, or “ask” to be true'),
  ),
  fields: v.optional(
    v.pipe(
      v.array(Field),
      v.maxLength(20),
      v.check((fields) => new Set(fields.map(({ id }) => id)).size === fields.length, 'Expected each id once'),
    ),
    [],
  ),
  wording: v.object({ ending: sentence, endEverything: maybe, deleteGroup: maybe, watching: maybe }),
  furtherAddresses: v.optional(v.unknown()),
  connect: v.unknown(),
});

/** What another extension registered, as it was at that moment. */
export interface ForeignKind {
  readonly data: Omit<ProviderKind, 'connect' | 'furtherAddresses'>;
  readonly connect: (...args: readonly unknown[]) => unknown;
  readonly furtherAddresses: (...args: readonly unknown[]) => unknown;
}

/**
 * Reads a provider that another extension registers. Each field is read only once, because a getter may return
 * something else the next time. The result is a frozen copy that shares nothing with `raw` except its two functions.
 * @throws TypeError that names the field that is missing or wrong.
 */
export function readKind(raw: unknown): ForeignKind {
  const { connect, furtherAddresses, address, wording, ...rest } = parsed(raw);
  const data = {
    ...rest,
    settings: [],
    can: [],
    address: {
      preset: address.preset,
      ask: address.ask,
      prompt: address.prompt ?? `Address of ${rest.label}`,
      placeholder: address.placeholder,
    },
    wording: {
      session: '',
      ending: wording.ending,
      endEverything: wording.endEverything,
      deleteGroup: wording.deleteGroup,
      watching: wording.watching,
    },
  };
  return {
    data: deepFreeze(data),
    connect: boundTo(raw, 'connect', connect),
    furtherAddresses: boundTo(raw, 'furtherAddresses', furtherAddresses === undefined ? () => [] : furtherAddresses),
  };
}

function parsed(raw: unknown): v.InferOutput<typeof Kind> {
  let result: v.SafeParseResult<typeof Kind>;
  try {
    result = v.safeParse(Kind, raw, { abortEarly: true });
  } catch {
    throw faultIn('the provider', 'It has a field that can’t be read');
  }
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw faultIn(v.getDotPath(issue) ?? 'the provider', issue.message);
}

function boundTo(self: unknown, field: string, call: unknown): (...args: readonly unknown[]) => unknown {
  if (typeof call !== 'function') throw faultIn(field, 'Expected a function');
  return (...args) => Reflect.apply(call, self, args);
}

function faultIn(field: string, message: string): TypeError {
  return new TypeError(`registerProvider: ${field}: ${message.slice(0, 200)}`);
}

/** Freezes plain data recursively. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

/**
 * Whether something is a promise. It is then not a usable answer where one is needed synchronously. Its rejection is
 * handled here, because nothing awaits it and it would be reported as unhandled.
 */
export function isPromise(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null || !('then' in answer)) return false;
  Promise.resolve(answer).catch(() => {});
  return true;
}
