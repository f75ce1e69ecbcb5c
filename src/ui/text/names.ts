import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { Group } from '../../core/group.ts';
import type { Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';
import { hostOf, type Session } from '../../core/session.ts';

/** The first characters of an id, enough to tell it from those around it. */
export function shortId(id: string): string {
  return plainText(id, 80).slice(0, 8);
}

/** A session's name: the one its owner gave it, else the host of its first page, else its short id. */
export function sessionName(session: Session): string {
  return plainText(session.name ?? '') || plainText(hostOf(session) ?? '') || shortId(session.id);
}

/** A group's name, else its short id. */
export function groupName({ id, name }: Group): string {
  return plainText(name ?? '') || l10n.t('Batch {0}', shortId(id));
}

/** A page's name: its title, else its address. */
export function pageName({ title, url }: Page): string {
  return plainText(title) || plainText(pageAddress(url)) || l10n.t('Untitled page');
}

/** A page's host and path. The query is left out, because it may hold secrets. */
export function pageAddress(raw: string): string {
  const url = URL.parse(raw);
  if (url === null) return '';
  return plainText(url.host === '' ? `${url.protocol}${url.pathname}` : `${url.host}${url.pathname}`, 120);
}

/** An account's name: its provider and the user's label for it, or just one if both are the same. */
export function accountName(account: Account, kind: ProviderKind | undefined): string {
  const provider = kind?.label ?? plainText(account.provider);
  const label = plainText(account.label);
  return label === provider || label === '' ? provider : `${provider} · ${label}`;
}

/** The host that an account's errors are about; empty if the account was removed. */
export function accountHost(account: Pick<Account, 'origin'> | undefined): string {
  return account === undefined ? '' : (URL.parse(account.origin)?.host ?? plainText(account.origin));
}
