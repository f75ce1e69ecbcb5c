import { strict as assert } from 'node:assert';

/**
 * Waits until a condition holds, and fails after 15 seconds.
 * @param otherwise the failure message.
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  otherwise: () => string = () => 'it did not come to pass',
): Promise<void> {
  for (const deadline = Date.now() + 15_000; !(await isSo()); ) {
    assert.ok(Date.now() < deadline, otherwise());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
