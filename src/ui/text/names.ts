import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { Group } from '../../core/group.ts';
import type { Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';
import { hostOf, type Session } from '../../core/session.ts';

/** The first characters of an id, enough to tell it from its neighbours. */
export function shortId(id: string): string {
  return plainText(id, 80).slice(0, 8);
}

/** What a session is called: its owner's name for it, else the host of its first page, else its short id. */
export function sessionName(session: Session): string {
  return plainText(session.name ?? '') || plainText(hostOf(session) ?? '') || shortId(session.id);
}

/** What a group is called. */
export function groupName({ id, name }: Group): string {
  return plainText(name ?? '') || l10n.t('Batch {0}', shortId(id));
}

/** What a page is called: its title, else its address. */
export function pageName({ title, url }: Page): string {
  return plainText(title) || plainText(pageAddress(url)) || l10n.t('Untitled page');
}

/** A page's host and path. Its query may hold somebody's secrets and is left out. */
export function pageAddress(raw: string): string {
  const url = URL.parse(raw);
  if (url === null) return '';
  return plainText(url.host === '' ? `${url.protocol}${url.pathname}` : `${url.host}${url.pathname}`, 120);
}

/** What an account is called: its provider and the user's label for it, or one of them where both are the same. */
export function accountName(account: Account, kind: ProviderKind | undefined): string {
  const provider = kind?.label ?? plainText(account.provider);
  const label = plainText(account.label);
  return label === provider || label === '' ? provider : `${provider} · ${label}`;
}

/** The host that an account's troubles are about; empty for an account that is there no longer. */
export function accountHost(account: Pick<Account, 'origin'> | undefined): string {
  return account === undefined ? '' : (URL.parse(account.origin)?.host ?? plainText(account.origin));
}
