import { strict as assert } from 'node:assert';
import { ProviderError, type TroubleKind } from '../../src/core/providerError.ts';

/** The error that a provider throws. Fails when it throws none, or one of another class. */
export async function errorOf(promise: Promise<unknown> | undefined): Promise<ProviderError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(ProviderError.is(error), String(error));
    return error;
  }
  return assert.fail('it succeeded');
}

/** The kind of a provider's error. */
export async function troubleOf(promise: Promise<unknown> | undefined): Promise<TroubleKind> {
  return (await errorOf(promise)).trouble.kind;
}
