import * as v from 'valibot';
import type { Link, Provider } from '../../core/provider.ts';
import { idField } from '../../http/decode.ts';

/** One of the three products called Browserless. */
export interface Surface
  extends Pick<
    Provider,
    'ending' | 'check' | 'list' | 'end' | 'probe' | 'probeMany' | 'endEverything' | 'liveView' | 'devtools'
  > {}

/** Errors that say nothing about which product is at the address. */
export const passingTroubles = ['canceled', 'unreachable', 'timedOut', 'rateLimited', 'serverFault'] as const;

/** The characters of Browserless ids: nothing else is an id, and nothing else may be sent to /kill. */
const idPattern = /^[\w-]+$/;

export const BrowserId = v.pipe(idField, v.regex(idPattern));
export const Text = v.fallback(v.nullish(v.string()), undefined);
export const Rows = v.array(v.unknown());

export function bearer({ credentials: { token } }: Link): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
