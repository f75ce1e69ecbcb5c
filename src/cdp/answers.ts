import type { Protocol } from 'devtools-protocol';
import * as v from 'valibot';
import { ProviderError } from '../core/providerError.ts';

/** The answer of `Page.captureScreenshot`: the image in base64. */
export const Shot = v.object({ data: v.string() }) satisfies v.GenericSchema<
  unknown,
  Protocol.Page.CaptureScreenshotResponse
>;

/**
 * Reads an answer. @throws ProviderError `unexpectedAnswer` without details, because Chrome's answers are documented.
 */
export function read<T>(schema: v.GenericSchema<unknown, T>, answer: unknown): T {
  const result = v.safeParse(schema, answer);
  if (result.success) return result.output;
  throw new ProviderError(
    { kind: 'unexpectedAnswer', what: "it isn't a Chrome browser that can be watched" },
    'unexpected answer',
  );
}
