import { ProviderError, type Trouble } from '../../core/providerError.ts';
import { type Redact, redactedCause } from '../../core/redact.ts';

/** A provider's error, or anything else that was thrown, without secrets; the same object if it contains none. */
export function redactedError(thrown: unknown, redact: Redact): ProviderError {
  const error = ProviderError.from(thrown);
  const texts = [error.message, error.stack ?? '', error.detail ?? '', JSON.stringify(error.trouble)];
  if (texts.every((text) => redact(text) === text) && isClean(error.cause, redact)) return error;
  return new ProviderError(redactedTrouble(error.trouble, redact), redact(error.message), {
    detail: error.detail === undefined ? undefined : redact(error.detail),
    cause: redactedCause(error.cause, redact),
  });
}

function redactedTrouble(trouble: Trouble, redact: Redact): Trouble {
  if (trouble.kind === 'unexpectedAnswer') return { ...trouble, what: redact(trouble.what) };
  if (trouble.kind !== 'unsupported') return trouble;
  const { reason } = trouble;
  const texts = Object.entries(reason).map(([key, text]) => [key, key === 'kind' ? text : redact(text)]);
  return { ...trouble, reason: Object.fromEntries(texts) };
}

/** Whether a cause has nothing but its message and stack, and neither contains a secret. */
function isClean(cause: unknown, redact: Redact): boolean {
  if (cause === undefined) return true;
  if (!(cause instanceof Error) || cause.cause !== undefined || Object.keys(cause).length > 0) return false;
  return [cause.message, cause.stack ?? ''].every((text) => redact(text) === text);
}
