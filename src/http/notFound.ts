import * as v from 'valibot';

/**
 * A test for `HttpRequest.isOwnNotFound`, from the bodies with which a provider documents that it doesn't know a
 * session. Text bodies are strings, JSON bodies are values.
 */
export function notFoundLike(...bodies: readonly v.GenericSchema[]): (said: unknown) => boolean {
  return (said) => bodies.some((body) => v.is(body, said));
}

/** For requests that a provider never answers with "not found", such as one for a list. */
export const neverNotFound = (): boolean => false;
