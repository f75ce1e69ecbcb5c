import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { GroupId, SessionId } from '../../core/ids.ts';
import { mostPages, type Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import type { ListGroup } from '../../services/sessions/grouping.ts';
import { troubleOf } from '../../services/sessions/sessionsView.ts';
import { shortAge } from '../text/ages.ts';
import { groupName } from '../text/groupNames.ts';
import { accountHost, pageAddress, pageName } from '../text/names.ts';
import { remedyFor, troubleSentence } from '../text/troubles.ts';
import { accountRow, hasKey } from './accountRow.ts';
import { mostFaults, pagesOf, rowsAtOnce, type TreeModel } from './children.ts';
import { groupContext, pageContext, troubleContext } from './contextValue.ts';
import { nodeId, type TreeNode } from './nodes.ts';
import { oldRow, oldSessionRow } from './oldRows.ts';
import { plainRow, type Row } from './row.ts';
import { sessionRow } from './sessionRow.ts';

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
      const group = model.arranged.of(account.id).group(node.groupId);
      if (group !== undefined) return oldRow(groupRow(model, id, account, group), state, true);
      return finishedRow(model, id, account, node.groupId);
    }
    case 'session': {
      const session = state.contents.sessions.get(node.sessionId);
      return session && oldSessionRow(model.store, account.id, session.id, sessionRow(model, id, account, session));
    }
    case 'page': {
      const page = pagesOf(model, node.accountId, node.sessionId).pages.find(({ id }) => id === node.pageId);
      return page && oldRow(pageRow(model, id, account, page), state, false);
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
        const text = l10n.t('No sessions match "{0}"', model.filter.name);
        const row = plainRow(id, text, 'search', 'descriptionForeground');
        const description = l10n.t('click to show all');
        return { ...row, description, aria: `${text}, ${description}`, click: 'browserSessions.clearFilter' };
      }
      if (node.note === 'empty') {
        return plainRow(id, l10n.t('No running sessions'), 'info', 'descriptionForeground');
      }
      if (node.note !== 'providerNote') {
        const said = model.finished()?.note(account, node.note);
        return said && plainRow(id, ...said);
      }
      const note = state.contents.account?.note;
      return note === undefined
        ? undefined
        : plainRow(id, plainText(l10n.t(note), 200), 'info', 'descriptionForeground');
    }
    case 'pageNote':
      return pageNoteRow(model, id, account, node);
    case 'more': {
      const all = model.arranged.of(account.id).sessions(node.groupId).length;
      const left = all - model.limit(account.id, node.groupId);
      const label =
        left > rowsAtOnce
          ? l10n.t('Show {0} more', rowsAtOnce)
          : left === 1
            ? l10n.t('Show 1 more')
            : l10n.t('Show {0} more', left);
      const description = left > rowsAtOnce ? l10n.t('{0} not shown', left) : '';
      const row = { ...plainRow(id, label, 'ellipsis', undefined), description };
      return { ...row, aria: spoken(label, description), click: 'browserSessions.showMore' };
    }
  }
}

function spoken(label: string, description: string): string {
  return description === '' ? label : l10n.t('{0}, {1}', label, description);
}

function groupRow(model: TreeModel, id: string, account: Account, group: ListGroup): Row {
  const arranged = model.arranged.of(account.id);
  const sessions = arranged.sessions(group.id);
  const oldest = sessions.reduce(
    (earliest, session) => Math.min(earliest, model.store.startOf(account.id, session)?.at ?? earliest),
    Number.POSITIVE_INFINITY,
  );
  const members = arranged.size(group.id);
  const description = [
    sessions.length === members ? String(members) : l10n.t('{0} of {1}', sessions.length, members),
    ...(Number.isFinite(oldest) ? [l10n.t('oldest {0}', shortAge(model.now() - oldest))] : []),
    ...(group.canCancel === true ? [plainText(group.status ?? '', 20)] : []),
  ].join(' · ');
  const label = groupName(group);
  const isLeft = (session: SessionId) => model.store.session(account.id, session)?.local?.isLeftBehind === true;
  const leftBehind = sessions.length > 0 && sessions.every(isLeft);
  return {
    id,
    label,
    description,
    icon: { id: 'layers', color: undefined },
    dimmed: false,
    contextValue: groupContext(group, model.store.capabilities(account.id), sessions.length, leftBehind),
    collapsible: 'expanded',
    aria: spoken(label, description),
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
  // A session's pages go with it, before the next list says that it has ended.
  if (store.life(account.id, sessionId).kind === 'ending') {
    return plainRow(id, l10n.t('This session is ending.'), 'info', 'descriptionForeground');
  }
  if (list?.kind === 'failed' && list.trouble.trouble.kind === 'notFound') {
    const text = l10n.t("Can't find this session's pages. It may have ended.");
    return plainRow(id, text, 'info', 'descriptionForeground');
  }
  const text = list?.kind === 'failed' ? troubleSentence(list.trouble, accountHost(account)) : l10n.t('No pages');
  return plainRow(id, text, 'error', 'problemsErrorIcon.foreground');
}
