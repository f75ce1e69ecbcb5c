import { oncePer } from './oncePer.ts';
import { loopbackUrl } from './origin.ts';
import { isEmptyTab, type Page } from './page.ts';
import { plainText } from './plainText.ts';
import type { Session } from './session.ts';

/**
 * Keys of metadata, and of tags such as `job:nightly` or `job=nightly`, whose value counts as a session's name. The first
 * that a session has counts. Case, and characters other than letters, make no difference: `Job-Name` is `jobname`.
 */
const nameKeys = ['name', 'sessionname', 'title', 'label', 'job', 'jobname', 'task', 'taskname', 'trackingid'] as const;

/** A tag that holds a key and a value. */
const keyedTag = /^([^:=]{1,40})[:=](.+)$/s;

/** Longest title within a name, in characters: the host behind it must fit, too. */
const longestTitle = 60;

/** What a session is called, as plain text. */
export interface SessionName {
  /** Empty if nothing names the session. */
  readonly text: string;
  /** `owner`: its owner gave it the name. `page`: it's named by a page. `host`: only its host is known. */
  readonly from: 'owner' | 'page' | 'host' | 'nothing';
}

/**
 * The best name that is known of a session: the name or job that its owner gave it, else the title and host of its page,
 * else its host. @param pages its pages, if they were fetched.
 */
export function bestName(session: Session, pages: readonly Page[] | undefined = session.pages): SessionName {
  const owner = plainText(session.name ?? '') || nameInMetadata(session) || nameInTags(session);
  if (owner !== '') return { text: owner, from: 'owner' };
  const page = mainPage(pages ?? []);
  if (page !== undefined) return { text: titleAndHost(page), from: 'page' };
  const host = plainText(session.host ?? '');
  return host === '' ? { text: '', from: 'nothing' } : { text: host, from: 'host' };
}

/**
 * The page that stands for a session: the first that has a title, else the first that has a host. Found once for the same list,
 * because rows ask several times and there may be hundreds of long titles.
 */
export const mainPage = oncePer((pages: readonly Page[]): Page | undefined => {
  const titled = pages.find((page) => !isEmptyTab(page) && plainText(page.title) !== '');
  return titled ?? pages.find((page) => !isEmptyTab(page) && hostOf(page) !== '');
});

/** A page's host, as plain text; empty if its address has none. */
export function hostOf({ url }: Page): string {
  return plainText(URL.parse(url)?.host ?? '');
}

function titleAndHost(page: Page): string {
  const title = plainText(page.title, longestTitle);
  const host = hostOf(page);
  // A browser shows the address of a page without a title in its place. A port of this machine names nothing.
  const isNoName = title.includes(host) || loopbackUrl(page.url) !== undefined;
  if (title === '' || host === '' || isNoName) return title || host;
  return plainText(`${title} · ${host}`);
}

function nameInMetadata({ metadata }: Session): string {
  return metadata.size === 0 ? '' : firstNamed(metadata);
}

function nameInTags({ tags }: Session): string {
  const keyed = tags.flatMap((tag) => {
    const [, key, value] = keyedTag.exec(tag) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  return keyed.length === 0 ? '' : firstNamed(keyed);
}

function firstNamed(entries: Iterable<readonly [key: string, value: string]>): string {
  const named = new Map<string, string>();
  for (const [key, value] of entries) {
    const plain = plainText(value);
    const letters = key.toLowerCase().replace(/[^a-z]/g, '');
    if (plain !== '' && !named.has(letters)) named.set(letters, plain);
  }
  for (const key of nameKeys) {
    const value = named.get(key);
    if (value !== undefined) return value;
  }
  return '';
}
