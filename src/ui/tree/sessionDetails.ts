import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import { hidden, isSecretKey } from '../../core/maskedAddress.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import { bestName, hostOf, mainPage } from '../../core/sessionName.ts';
import { knownPages } from '../../services/sessions/sessionsView.ts';
import { rowAge } from '../text/ages.ts';
import { shortCost } from '../text/costs.ts';
import { pageName, sessionName } from '../text/names.ts';
import type { TreeModel } from './children.ts';
import { sessionCost } from './costFacts.ts';
import { wordsOf } from './filter.ts';

/** Most tags that a row shows, besides those that match a filter. */
const mostTags = 3;
const metadataPrefix = 'metadata:';

/**
 * What a session's row shows after its name, according to the setting `row.details` and in its order. While a filter is on,
 * tags are always shown. In a region's group, the region isn't repeated.
 */
export function detailsOf(model: TreeModel, account: Account, session: Session): readonly string[] {
  const details = model.details();
  const shown = model.filter.text === '' || details.includes('tags') ? details : [...details, 'tags'];
  return shown.flatMap((detail) => detailOf(model, account, session, detail));
}

function detailOf(model: TreeModel, account: Account, session: Session, detail: string): readonly string[] {
  const { store } = model;
  switch (detail) {
    case 'age': {
      const start = store.startOf(account.id, session.id);
      return start === undefined ? [] : [rowAge(start, model.now())];
    }
    case 'page':
      return pageDetails(model, account, session);
    case 'region': {
      const isInItsGroup = model.arranged.of(account.id).groupOf(session.id)?.kind === 'region';
      return isInItsGroup ? [] : [plainText(session.region ?? '', 20)];
    }
    case 'tags': {
      const name = bestName(session).text;
      const tags = session.tags.map((tag) => plainText(tag, 40)).filter((tag) => tag !== '' && !isNameTag(tag, name));
      const rest = tags.length - mostTags;
      return [...tags.slice(0, mostTags), ...(rest > 0 ? [`+${rest}`] : [])];
    }
    case 'traits':
      return session.traits.map((trait) => plainText(l10n.t(trait), 40));
    case 'cost': {
      const cost = sessionCost(model, account, session);
      return cost === undefined ? [] : [shortCost(cost, model.currency())];
    }
    case 'memory':
      return session.local?.memory === undefined ? [] : [l10n.t('{0} MB', Math.round(session.local.memory / 1e6))];
    case 'cpu':
      return session.local?.cpu === undefined ? [] : [l10n.t('{0}% CPU', session.local.cpu)];
    case 'accountLimit': {
      const { sessions, account: facts } = store.state(account.id)?.contents ?? {};
      const limit = facts?.sessionLimit;
      return limit === undefined ? [] : [l10n.t('{0} of {1} in account', sessions?.size ?? 0, limit)];
    }
    default: {
      const key = detail.startsWith(metadataPrefix) ? detail.slice(metadataPrefix.length) : undefined;
      const value = key === undefined || isSecretKey(key) ? undefined : session.metadata.get(key);
      return value === undefined ? [] : [plainText(value, 40)];
    }
  }
}

/** The host of its page, unless that is part of its name, and how many pages there are. */
function pageDetails({ store }: TreeModel, account: Account, session: Session): readonly string[] {
  const pages = knownPages(store, account.id, session.id);
  const name = sessionName(session, pages);
  const page = mainPage(pages ?? []);
  const host = page === undefined ? plainText(session.host ?? '') : hostOf(page);
  const count = pages === undefined || pages.length === 1 ? [] : [l10n.t('{0} pages', pages.length)];
  return [...(name.includes(host) ? [] : [host]), ...count];
}

function isNameTag(tag: string, name: string): boolean {
  return name !== '' && (tag === name || tag.endsWith(`:${name}`) || tag.endsWith(`=${name}`));
}

/**
 * What makes a session match the filter, unless its row already shows it: for each word, the first tag, metadata, page,
 * status, or id that contains it. @param shown the row's text.
 */
export function matchedDetails(model: TreeModel, account: Account, session: Session, shown: string): readonly string[] {
  const words = wordsOf(model.filter.text);
  if (words.length === 0) return [];
  const pages = knownPages(model.store, account.id, session.id) ?? [];
  const texts = [
    ...session.tags,
    ...[...session.metadata].map(([key, value]) => `${key}=${isSecretKey(key) ? hidden : value}`),
    ...pages.flatMap((page) => [pageName(page), hostOf(page)]),
    session.region ?? '',
    ...session.traits.map((trait) => l10n.t(trait)),
    session.status ?? '',
    session.id,
  ];
  const found: string[] = [];
  for (const word of words) {
    if ([shown, ...found].some((text) => text.toLowerCase().includes(word))) continue;
    const text = texts.find((one) => one.toLowerCase().includes(word));
    if (text !== undefined) found.push(plainText(text));
  }
  return found;
}

/** Where the words of the filter are in a label. */
export function matchesIn(label: string, filter: string): readonly (readonly [from: number, to: number])[] {
  const lower = label.toLowerCase();
  // A few letters change their length.
  if (lower.length !== label.length) return [];
  return wordsOf(filter).flatMap((word) => {
    const at = lower.indexOf(word);
    return at < 0 ? [] : [[at, at + word.length] as const];
  });
}
