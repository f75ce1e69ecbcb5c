import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import { mainPage } from '../../core/sessionName.ts';
import {
  type AccountState,
  knownPages,
  lastFetched,
  type PageList,
  troubleOf,
} from '../../services/sessions/sessionsView.ts';
import { longAge } from '../text/ages.ts';
import { dayAndTime, timeOfDay } from '../text/locale.ts';
import { notListedSentence } from '../text/missing.ts';
import { accountHost, accountName, pageAddress, pageName, sessionName } from '../text/names.ts';
import { stuckSentence, troubleSentence } from '../text/troubles.ts';
import { accountCounts } from './accountRow.ts';
import type { TreeModel } from './children.ts';
import { accountCostFacts, sessionCostFacts } from './costFacts.ts';
import type { TreeNode } from './nodes.ts';

/** The lines of a tooltip; the first is its heading. */
export interface Tooltip {
  readonly heading: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
}

/** A row's tooltip. Undefined for rows that have none. */
export function tooltipOf(model: TreeModel, node: TreeNode): Tooltip | undefined {
  const account = model.account(node.accountId);
  const state = model.store.state(node.accountId);
  if (account === undefined || state === undefined) return undefined;
  if (node.kind === 'account') return accountTooltip(model, account, state);
  if (node.kind === 'session') {
    const session = state.contents.sessions.get(node.sessionId);
    return session && sessionTooltip(model, account, session);
  }
  return undefined;
}

function accountTooltip(model: TreeModel, account: Account, state: AccountState): Tooltip {
  const error = troubleOf(state);
  return {
    heading: accountName(account, model.kind(account.provider)),
    facts: [
      ...(state.kind === 'disconnected' ? [] : [[l10n.t('Sessions'), accountCounts(state.contents)] as const]),
      [l10n.t('Address'), plainText(account.origin, 200)],
      ...(state.kind === 'ready' ? [[l10n.t('Updated'), timeOfDay(state.asOf)] as const] : []),
      ...(state.contents.combined
        ? [
            [
              l10n.t('Load balancer'),
              l10n.t('Several servers share this address, and each lists its own sessions. Their lists are combined.'),
            ] as const,
          ]
        : []),
      ...(model.isForThisWindow(account.id)
        ? [[l10n.t('Key'), l10n.t("For this window only. You'll need to enter it again after a restart.")] as const]
        : []),
      ...accountCostFacts(model, account, state.contents),
      ...(error === undefined ? [] : [[l10n.t('Problem'), troubleSentence(error, accountHost(account))] as const]),
    ],
  };
}

function sessionTooltip(model: TreeModel, account: Account, session: Session): Tooltip {
  const { store } = model;
  const start = store.startOf(account.id, session.id);
  const life = store.life(account.id, session.id);
  const pages = knownPages(store, account.id, session.id);
  const since = start && `${dayAndTime(start.at)} (${longAge(model.now() - start.at)})`;
  const facts: (readonly [string, string | undefined])[] = [
    [l10n.t('Session ID'), session.id],
    [l10n.t('Status'), session.status],
    [start?.exact === false ? l10n.t('First seen') : l10n.t('Started'), since],
    ...sessionCostFacts(model, account, session),
    ...pageFacts(pages, store.pages(account.id, session.id)),
    [l10n.t('Region'), session.region],
    [l10n.t('Tags'), session.tags.join(', ')],
    ...session.facts.map(([label, value]) => [l10n.t(label), l10n.t(value)] as const),
    [l10n.t('Skipped when ending several'), session.bulkEndExclusion && l10n.t(session.bulkEndExclusion)],
    [
      l10n.t('Not listed'),
      store.missing(account.id).has(session.id) ? notListedSentence(accountHost(account)) : undefined,
    ],
    [l10n.t('Not ended'), life.kind === 'stuck' ? stuckSentence(life.why, accountHost(account)) : undefined],
  ];
  return {
    heading: sessionName(session, pages),
    facts: facts.flatMap(([label, value]) => {
      const plain = plainText(value ?? '', 400);
      return plain === '' ? [] : [[plainText(label), plain] as const];
    }),
  };
}

/** Its page, and when that was looked up if the list doesn't include pages. */
function pageFacts(
  pages: readonly Page[] | undefined,
  fetched: PageList | undefined,
): readonly (readonly [string, string])[] {
  const page = mainPage(pages ?? []);
  if (page === undefined) return [];
  const last = lastFetched(fetched);
  const asOf = last === undefined ? [] : [[l10n.t('Page updated'), timeOfDay(last.asOf)] as const];
  return [[l10n.t('Page'), pageName(page)], [l10n.t('Page URL'), pageAddress(page.url)], ...asOf];
}
