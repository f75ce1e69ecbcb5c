import { strict as assert } from 'node:assert';

/** Waits until something is so, and fails after 15 seconds. @param otherwise what to say then. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  otherwise: () => string = () => 'it did not come to pass',
): Promise<void> {
  for (const deadline = Date.now() + 15_000; !(await isSo()); ) {
    assert.ok(Date.now() < deadline, otherwise());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
