import * as v from 'valibot';
import { plainText } from '../../core/plainText.ts';
import { ProviderError, type Trouble } from '../../core/providerError.ts';
import { maybeTime, number } from './foreignAnswers.ts';

const longestWhat = 200;
/** It becomes part of our own sentences, in notifications too. */
const shownWhat = v.pipe(
  v.string(),
  v.transform((what) => plainText(what, longestWhat)),
);
const RawTrouble = v.variant('kind', [
  v.object({
    kind: v.picklist(['unauthorized', 'forbidden', 'notFound', 'conflict', 'canceled']),
  }),
  v.object({ kind: v.literal('rateLimited'), retryAt: maybeTime }),
  v.object({
    kind: v.literal('unreachable'),
    why: v.picklist(['refused', 'dns', 'tls', 'cut', 'proxy', 'route']),
  }),
  v.object({ kind: v.literal('timedOut'), afterMs: number }),
  v.object({ kind: v.literal('unexpectedAnswer'), what: shownWhat }),
  v.object({ kind: v.literal('serverFault'), status: number }),
  v.object({
    kind: v.literal('unsupported'),
    reason: v.object({ kind: v.literal('stated'), sentence: shownWhat }),
  }),
]);

const longestMessage = 1_000;

/**
 * Turns anything that another extension's code threw into a new error. If it isn't a provider's error, it becomes an
 * unexpected answer with its message.
 */
export function errorOf(thrown: unknown): ProviderError {
  try {
    const trouble = ProviderError.is(thrown) ? v.safeParse(RawTrouble, thrown.trouble) : undefined;
    if (ProviderError.is(thrown) && trouble?.success === true) {
      const { detail } = thrown;
      return new ProviderError(troubleFrom(trouble.output), String(thrown.message).slice(0, longestMessage), {
        detail: typeof detail === 'string' ? detail.slice(0, longestMessage) : undefined,
      });
    }
    return failed(messageOf(thrown));
  } catch {
    return failed('');
  }
}

function messageOf(thrown: unknown): string {
  const message: unknown = typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'message') : thrown;
  return typeof message === 'string' ? message : '';
}

function failed(message: string): ProviderError {
  // The sentence continues after it.
  const said = plainText(message, longestWhat).replace(/[.\s]+$/, '');
  return new ProviderError(
    { kind: 'unexpectedAnswer', what: said || 'the extension that adds this provider failed' },
    `the extension that adds the provider failed: ${plainText(message, longestMessage)}`,
  );
}

function troubleFrom(raw: v.InferOutput<typeof RawTrouble>): Trouble {
  return raw.kind === 'rateLimited' ? { kind: 'rateLimited', retryAt: raw.retryAt ?? undefined } : raw;
}
