import * as v from 'valibot';
import type { Link, Provider } from '../../core/provider.ts';
import { idField } from '../../http/decode.ts';

/** One of the three things that are called Browserless. */
export interface Surface
  extends Pick<
    Provider,
    'ending' | 'check' | 'list' | 'end' | 'probe' | 'probeMany' | 'endEverything' | 'liveView' | 'devtools'
  > {}

/** Troubles that say nothing about what answers at the address. */
export const passingTroubles = ['cancelled', 'unreachable', 'timedOut', 'rateLimited', 'serverFault'] as const;

/** What ids are made of at Browserless: anything else is no id, and must not come near /kill. */
const idPattern = /^[\w-]+$/;

export const BrowserId = v.pipe(idField, v.regex(idPattern));
export const Text = v.fallback(v.nullish(v.string()), undefined);
export const Rows = v.array(v.unknown());

export function bearer({ credentials: { token } }: Link): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
