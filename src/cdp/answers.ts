import type { Protocol } from 'devtools-protocol';
import * as v from 'valibot';
import { ProviderError } from '../core/providerError.ts';

/** What `Page.captureScreenshot` answers: the picture in base64. */
export const Shot = v.object({ data: v.string() }) satisfies v.GenericSchema<
  unknown,
  Protocol.Page.CaptureScreenshotResponse
>;

/** @throws ProviderError `unexpectedAnswer`, which says no more: what Chrome answers here is documented. */
export function read<T>(schema: v.GenericSchema<unknown, T>, answer: unknown): T {
  const result = v.safeParse(schema, answer);
  if (result.success) return result.output;
  throw new ProviderError(
    { kind: 'unexpectedAnswer', what: "it isn't a Chrome browser that can be watched" },
    'unexpected answer',
  );
}
