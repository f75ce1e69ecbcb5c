import type { Session } from './session.ts';

/** Whether a session is the user's own; undefined if unknown. */
export type IsMine = (session: Session) => boolean | undefined;

/**
 * Reads a rule such as `owner=anna`, `tag=anna` or `trackingId=anna-*`: a key of sessions' metadata (`tag` for their
 * tags) and its value, where a trailing `*` matches any rest. Whatever the rule says, browsers on this machine that were
 * started inside one of the folders are the user's own. Undefined without a rule and folders: then no session counts as someone
 * else's.
 * @param folders the workspace folders, as paths on this machine.
 */
export function isMineBy(rule: string, folders: readonly string[] = []): IsMine | undefined {
  const fits = fitBy(rule);
  if (folders.length === 0) return fits;
  return (session) => wasStartedIn(session, folders) || fits?.(session);
}

function fitBy(rule: string): ((session: Session) => boolean) | undefined {
  const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(rule) ?? [];
  if (key === undefined || value === undefined || value === '' || value === '*') return undefined;
  const prefix = value.endsWith('*') ? value.slice(0, -1) : undefined;
  const fits = (text: string) => (prefix === undefined ? text === value : text.startsWith(prefix));
  return ({ tags, metadata }) => (key === 'tag' ? tags : [metadata.get(key) ?? '']).some(fits);
}

function wasStartedIn({ local }: Session, folders: readonly string[]): boolean {
  const startedIn = local?.startedIn;
  return (
    startedIn !== undefined &&
    folders.some((folder) => `${comparable(startedIn)}/`.startsWith(`${comparable(folder)}/`))
  );
}

/** A path in a form that can be compared: Windows has two separators, and its names aren't case-sensitive. */
function comparable(path: string): string {
  const isWindows = /^[a-z]:[/\\]/i.test(path);
  const same = isWindows ? path.replaceAll('\\', '/').toLowerCase() : path;
  return same.replace(/\/+$/, '');
}
