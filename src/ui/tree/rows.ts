import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { Group } from '../../core/group.ts';
import type { GroupId } from '../../core/ids.ts';
import type { Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import { mostPages, type Session } from '../../core/session.ts';
import type { Contents } from '../../services/sessions/contents.ts';
import { type AccountState, troubleOf } from '../../services/sessions/sessionsView.ts';
import { rowAge, shortAge, spokenAge } from '../text/ages.ts';
import { timeOfDay } from '../text/locale.ts';
import { accountHost, accountName, groupName, pageAddress, pageName, sessionName } from '../text/names.ts';
import { notListed, remedyFor, shortStuck, shortTrouble, stuckSentence, troubleSentence } from '../text/troubles.ts';
import { mostFaults, pagesOf, sessionsIn, type TreeModel } from './children.ts';
import { accountContext, groupContext, pageContext, sessionContext, troubleContext } from './contextValue.ts';
import { nodeId, type TreeNode } from './nodes.ts';

/** What a row shows, with all text from providers cleaned. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: { readonly id: string; readonly color: string | undefined } | undefined;
  /** Whether it is dimmed. */
  readonly dimmed: boolean;
  readonly contextValue: string;
  readonly collapsible: 'none' | 'collapsed' | 'expanded';
  /** The text for screen readers. */
  readonly aria: string;
  /** The command of a click; undefined where a click only selects. */
  readonly click: string | undefined;
}

/** What a row shows now, or undefined when its session or account is gone. */
export function rowOf(model: TreeModel, node: TreeNode): Row | undefined {
  const account = model.account(node.accountId);
  const state = model.store.state(node.accountId);
  if (account === undefined || state === undefined) return undefined;
  const id = nodeId(node);
  switch (node.kind) {
    case 'account':
      return accountRow(model, id, account, state);
    case 'group': {
      const group = state.contents.groups.get(node.groupId);
      if (group !== undefined) return groupRow(model, id, account, group);
      return finishedRow(model, id, account, node.groupId);
    }
    case 'session': {
      const session = state.contents.sessions.get(node.sessionId);
      return session && sessionRow(model, id, account, session);
    }
    case 'page': {
      const page = pagesOf(model, node.accountId, node.sessionId).pages.find(({ id }) => id === node.pageId);
      return page && pageRow(model, id, account, page);
    }
    case 'trouble': {
      const error = troubleOf(state);
      if (error === undefined) return undefined;
      const remedy = remedyFor(error, hasKey(model, account));
      return {
        ...plainRow(id, troubleSentence(error, accountHost(account)), 'error', 'problemsErrorIcon.foreground'),
        contextValue: troubleContext(remedy),
        click: `browserSessions.${remedy === 'retry' ? 'refreshAccount' : remedy}`,
      };
    }
    case 'fault': {
      const fault = state.contents.faults[node.index];
      if (fault === undefined) return undefined;
      const rest = state.contents.faults.length - mostFaults;
      const last = node.index === mostFaults - 1 && rest > 0;
      const text = last
        ? l10n.t("… and {0} more rows that can't be shown", rest + 1)
        : l10n.t("{0} can't be shown: {1}", plainText(fault.subject), plainText(fault.what));
      return plainRow(id, text, 'warning', 'problemsWarningIcon.foreground');
    }
    case 'note': {
      if (node.note === 'loading') return plainRow(id, l10n.t('Loading…'), 'loading~spin', undefined);
      if (node.note === 'noMatch') {
        const text = l10n.t('No sessions match "{0}"', model.filter.text);
        const row = plainRow(id, text, 'search', 'descriptionForeground');
        const description = l10n.t('click to show all');
        return { ...row, description, aria: `${text}, ${description}`, click: 'browserSessions.clearFilter' };
      }
      if (node.note === 'empty') {
        return plainRow(id, l10n.t('No running sessions'), 'info', 'descriptionForeground');
      }
      if (node.note !== 'told') {
        const said = model.finished()?.note(account, node.note);
        return said && plainRow(id, ...said);
      }
      const told = state.contents.account?.note;
      return told === undefined
        ? undefined
        : plainRow(id, plainText(l10n.t(told), 200), 'info', 'descriptionForeground');
    }
    case 'pageNote':
      return pageNoteRow(model, id, account, node);
    case 'more': {
      const left = sessionsIn(model, node.accountId, node.groupId).length - model.limit(node.accountId, node.groupId);
      const row = plainRow(id, l10n.t('Show more ({0} left)', left), 'ellipsis', undefined);
      return { ...row, click: 'browserSessions.showMore' };
    }
  }
}

/** A row that only shows a text. @param color name of a theme color. */
export function plainRow(id: string, label: string, icon: string, color: string | undefined): Row {
  return {
    id,
    label,
    description: '',
    icon: { id: icon, color },
    dimmed: false,
    contextValue: 'rb:info',
    collapsible: 'none',
    aria: label,
    click: undefined,
  };
}

function accountRow(model: TreeModel, id: string, account: Account, state: AccountState): Row {
  const kind = model.kind(account.provider);
  const name = accountName(account, kind);
  const withKey = hasKey(model, account);
  const { sessions } = state.contents;
  const description = accountDescription(state);
  return {
    id,
    label: name,
    description,
    icon:
      state.kind === 'failed'
        ? { id: 'error', color: 'problemsErrorIcon.foreground' }
        : { id: kind?.icon ?? 'cloud', color: undefined },
    dimmed: false,
    contextValue: accountContext(withKey, sessions.size),
    collapsible: 'expanded',
    aria: l10n.t('Account {0}, {1}', name, description),
    click: undefined,
  };
}

function hasKey(model: TreeModel, { provider }: Account): boolean {
  return model.kind(provider)?.fields.some(({ kind: its }) => its === 'secret') ?? false;
}

function accountDescription(state: AccountState): string {
  switch (state.kind) {
    case 'disconnected':
    case 'loading':
      return l10n.t('loading…');
    case 'failed':
      return shortTrouble(state.trouble);
    case 'ready':
      if (state.trouble === undefined) return accountSummary(state.contents);
      return l10n.t('updated {0} · {1}', timeOfDay(state.asOf), shortTrouble(state.trouble));
  }
}

/** How many sessions are running, the limit, and whose key it is. */
function accountSummary({ sessions, account, combined }: Contents): string {
  const listed = [...sessions.values()];
  return [
    countOfLimit(listed, account?.sessionLimit),
    plainText(account?.identity ?? '', 40),
    combined ? l10n.t('behind a load balancer, lists combined') : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** `4 of 25 running`, or `5 of 25 · 4 running · 1 idle`: every session counts towards the limit. */
function countOfLimit(sessions: readonly Session[], limit: number | undefined): string {
  if (limit === undefined) return countByPhase(sessions);
  if (sessions.every(isRunning)) return l10n.t('{0} of {1} running', sessions.length, limit);
  return l10n.t('{0} of {1} · {2}', sessions.length, limit, countByPhase(sessions));
}

/** Sessions that are neither idle nor starting, including those with an unknown status. */
function isRunning({ phase }: Session): boolean {
  return phase !== 'idle' && phase !== 'starting';
}

/** `4 running · 1 idle`. */
export function countByPhase(sessions: readonly Session[]): string {
  const idle = sessions.filter(({ phase }) => phase === 'idle').length;
  const starting = sessions.filter(({ phase }) => phase === 'starting').length;
  return [
    l10n.t('{0} running', sessions.filter(isRunning).length),
    ...(idle > 0 ? [l10n.t('{0} idle', idle)] : []),
    ...(starting > 0 ? [l10n.t('{0} starting', starting)] : []),
  ].join(' · ');
}

function groupRow(model: TreeModel, id: string, account: Account, group: Group): Row {
  const sessions = sessionsIn(model, account.id, group.id);
  const oldest = Math.min(...sessions.flatMap((session) => model.store.startOf(account.id, session.id)?.at ?? []));
  const members = model.filter.text === '' ? sessions.length : membersOf(model, account, group);
  const description = [
    sessions.length === members ? String(members) : l10n.t('{0} of {1}', sessions.length, members),
    ...(Number.isFinite(oldest) ? [l10n.t('oldest {0}', shortAge(model.now() - oldest))] : []),
    ...(group.canCancel === true ? [plainText(group.status ?? '', 20)] : []),
  ].join(' · ');
  const label = groupName(group);
  return {
    id,
    label,
    description,
    icon: { id: 'layers', color: undefined },
    dimmed: false,
    contextValue: groupContext(group, model.store.capabilities(account.id), sessions.length),
    collapsible: 'expanded',
    aria: l10n.t('{0}, {1}', label, description),
    click: undefined,
  };
}

/** A finished batch, dimmed. */
function finishedRow(model: TreeModel, id: string, account: Account, groupId: GroupId): Row | undefined {
  const finished = model.finished()?.group(account.id, groupId, model.now());
  if (finished === undefined) return undefined;
  const { group, label, description, aria } = finished;
  const contextValue = groupContext(group, model.store.capabilities(account.id), 0);
  return { ...plainRow(id, label, 'archive', undefined), description, dimmed: true, contextValue, aria };
}

/** How many sessions a group has, including those that the filter hides. */
function membersOf({ store }: TreeModel, account: Account, group: Group): number {
  const all = [...(store.state(account.id)?.contents.sessions.values() ?? [])];
  return all.filter(({ groupId }) => groupId === group.id).length;
}

function sessionRow(model: TreeModel, id: string, account: Account, session: Session): Row {
  const { store } = model;
  const capabilities = store.capabilities(account.id);
  const life = store.life(account.id, session.id);
  const label = sessionName(session);
  const description = sessionDescription(model, account, session);
  // Other people's sessions are dimmed, but not their errors.
  const isOthers = model.isMine(session) === false;
  const icon = sessionIcon(session, life.kind, model.isProtected(account.id, session.id));
  const canOpen = session.pages === undefined ? capabilities.has('pages') : session.pages.length > 0;
  return {
    id,
    label,
    description,
    icon: isOthers && life.kind === 'running' && icon !== undefined ? { ...icon, color: 'disabledForeground' } : icon,
    dimmed: isOthers,
    contextValue: sessionContext(session, life.kind, capabilities, model.isProtected(account.id, session.id)),
    collapsible: canOpen ? 'collapsed' : 'none',
    aria: sessionAria(model, account, session),
    click: model.opensOnClick() ? 'browserSessions.openDefault' : undefined,
  };
}

function sessionIcon(session: Session, life: 'running' | 'ending' | 'stuck', isProtected: boolean): Row['icon'] {
  if (life === 'stuck') return { id: 'error', color: 'problemsErrorIcon.foreground' };
  if (life === 'ending') return { id: 'loading~spin', color: undefined };
  if (isProtected) return { id: 'shield', color: 'charts.blue' };
  switch (session.phase) {
    case 'starting':
    case 'ending':
      return { id: 'loading~spin', color: undefined };
    case 'idle':
      return { id: 'watch', color: 'problemsWarningIcon.foreground' };
    case 'unknown':
      return { id: 'question', color: undefined };
    case 'running':
      return { id: 'vm-running', color: 'charts.green' };
  }
}

function sessionDescription(model: TreeModel, account: Account, session: Session): string {
  const { store } = model;
  const life = store.life(account.id, session.id);
  if (life.kind === 'ending') return l10n.t('ending…');
  if (life.kind === 'stuck') return shortStuck(life.why);
  const start = store.startOf(account.id, session.id);
  return [
    ...(session.phase === 'starting' ? [l10n.t('starting…')] : []),
    ...(session.phase === 'ending' ? [l10n.t('ending…')] : []),
    ...(session.phase === 'unknown' ? [plainText(session.status ?? '', 20)] : []),
    ...(store.missing(account.id).has(session.id) ? [notListed()] : []),
    ...(start === undefined ? [] : [rowAge(start, model.now())]),
    plainText(session.region ?? '', 20),
    ...(model.isProtected(account.id, session.id) ? [l10n.t('protected')] : []),
    ...(model.isMine(session) === false ? [l10n.t('not yours')] : []),
    ...session.traits.map((trait) => plainText(trait, 40)),
    ...(session.pages === undefined ? [] : [countPages(session.pages.length)]),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

function countPages(count: number): string {
  return count === 1 ? l10n.t('1 page') : l10n.t('{0} pages', count);
}

function sessionAria(model: TreeModel, account: Account, session: Session): string {
  const { store } = model;
  const life = store.life(account.id, session.id);
  const start = store.startOf(account.id, session.id);
  const age = start && spokenAge(start, model.now());
  const group = session.groupId && store.state(account.id)?.contents.groups.get(session.groupId);
  return [
    l10n.t('Session {0}', sessionName(session)),
    life.kind === 'stuck'
      ? stuckSentence(life.why, accountHost(account))
      : life.kind === 'ending'
        ? l10n.t('ending…')
        : phaseWord(session),
    ...(store.missing(account.id).has(session.id) ? [notListed()] : []),
    ...(age === undefined ? [] : [l10n.t('for {0}', age)]),
    l10n.t('account {0}', accountName(account, model.kind(account.provider))),
    ...(group ? [groupName(group)] : []),
    ...(session.bulkEndExclusion === undefined ? [] : [plainText(session.bulkEndExclusion, 200)]),
    ...(model.isProtected(account.id, session.id) ? [l10n.t('protected')] : []),
    ...(model.isMine(session) === false ? [l10n.t('not yours')] : []),
  ].join(', ');
}

function phaseWord({ phase, status }: Session): string {
  switch (phase) {
    case 'starting':
      return l10n.t('starting');
    case 'running':
      return l10n.t('running');
    case 'idle':
      return l10n.t('idle');
    case 'ending':
      return l10n.t('ending');
    case 'unknown':
      return l10n.t('status {0}', plainText(status ?? '', 20));
  }
}

function pageRow(model: TreeModel, id: string, account: Account, page: Page): Row {
  const label = pageName(page);
  const description = pageAddress(page.url);
  return {
    id,
    label,
    description,
    icon: { id: 'globe', color: undefined },
    dimmed: false,
    contextValue: pageContext(model.store.capabilities(account.id)),
    collapsible: 'none',
    aria: l10n.t('Page {0}, {1}', label, description),
    click: model.opensOnClick() ? 'browserSessions.openDefault' : undefined,
  };
}

function pageNoteRow(
  { store }: TreeModel,
  id: string,
  account: Account,
  { sessionId, note }: Extract<TreeNode, { kind: 'pageNote' }>,
): Row {
  if (note === 'loading') return plainRow(id, l10n.t('Loading…'), 'loading~spin', undefined);
  if (note === 'more') {
    return plainRow(id, l10n.t('Only the first {0} pages are shown', mostPages), 'info', 'descriptionForeground');
  }
  if (note === 'empty') return plainRow(id, l10n.t('No pages'), 'info', 'descriptionForeground');
  const list = store.pages(account.id, sessionId);
  const text = list?.kind === 'failed' ? troubleSentence(list.trouble, accountHost(account)) : l10n.t('No pages');
  return plainRow(id, text, 'error', 'problemsErrorIcon.foreground');
}
