import type { HttpAnswer } from '../core/http.ts';
import { plainText } from '../core/plainText.ts';

/**
 * Headers by which load balancers are commonly told to name the server that an answer came from: HAProxy's and nginx's
 * documentation and Fastly's have the first, nginx's `$upstream_addr` usually goes by the last two. None is a standard.
 */
const names = ['x-served-by', 'x-backend-server', 'x-upstream', 'x-upstream-addr'] as const;

/** Which of several servers behind one address gave an answer; undefined where it does not say. */
export function servedBy(answer: HttpAnswer): string | undefined {
  for (const name of names) {
    const value = answer.header(name);
    if (value !== undefined && value !== '') return `${name}: ${plainText(value, 100)}`;
  }
  return undefined;
}
