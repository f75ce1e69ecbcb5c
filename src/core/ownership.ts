import type { Session } from './session.ts';

/** Whether a session is the user's own. */
export type IsMine = (session: Session) => boolean;

/**
 * Reads a rule such as `owner=anna`, `tag=anna` or `trackingId=anna-*`: a key of sessions' metadata (`tag` for their
 * tags) and its value, where a trailing `*` matches any rest. Undefined for anything else: then no
 * session counts as someone else's.
 */
export function isMineBy(rule: string): IsMine | undefined {
  const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(rule) ?? [];
  if (key === undefined || value === undefined || value === '' || value === '*') return undefined;
  const prefix = value.endsWith('*') ? value.slice(0, -1) : undefined;
  const fits = (text: string) => (prefix === undefined ? text === value : text.startsWith(prefix));
  return ({ tags, metadata }) => (key === 'tag' ? tags : [metadata.get(key) ?? '']).some(fits);
}
