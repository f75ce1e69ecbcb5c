import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';
import type { Session } from '../../core/session.ts';
import { bestName } from '../../core/sessionName.ts';
import type { ShownName } from '../../services/ending/report.ts';

/** The first characters of an id, enough to distinguish it from others. */
export function shortId(id: string): string {
  return plainText(id, 80).slice(0, 8);
}

/** The best known name of a session, otherwise its short id. @param pages its pages, if they were fetched. */
export function sessionName(session: Session, pages?: readonly Page[]): string {
  return bestName(session, pages ?? session.pages).text || shortId(session.id);
}

/** A session in a sentence: `checkout (9f3ac2e1)`, or only its short id if it has no name. */
export function nameAndId({ name, shortId: id }: ShownName): string {
  return name === id
    ? id
    : l10n.t({ message: '{0} ({1})', args: [name, id], comment: ["A session's name and short ID"] });
}

/** A page's title, otherwise its address. */
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
