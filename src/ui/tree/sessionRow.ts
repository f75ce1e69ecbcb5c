import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import { bestName } from '../../core/sessionName.ts';
import { knownPages } from '../../services/sessions/sessionsView.ts';
import { spokenAge } from '../text/ages.ts';
import { groupName } from '../text/groupNames.ts';
import { accountHost, accountName } from '../text/names.ts';
import { notListed, shortStuck, stuckSentence } from '../text/troubles.ts';
import type { TreeModel } from './children.ts';
import { sessionContext } from './contextValue.ts';
import type { Row } from './row.ts';
import { detailsOf, matchedDetails, matchesIn } from './sessionDetails.ts';

/** A session's row. */
export function sessionRow(model: TreeModel, id: string, account: Account, session: Session): Row {
  const { store } = model;
  const capabilities = store.capabilities(account.id);
  const life = store.life(account.id, session.id);
  const label = model.names.label(account.id, session);
  // A label with a short id has only the beginning of the name.
  const { text: name } = bestName(session, knownPages(store, account.id, session.id));
  const isCut = name !== '' && !label.startsWith(name);
  const whole = isCut ? `${name}${label.slice(label.lastIndexOf(' · '))}` : label;
  const described = sessionDescription(model, account, session, whole);
  const description = [isCut ? name : '', described].filter((part) => part !== '').join(' · ');
  // Other people's sessions are dimmed, but not their errors.
  const isOthers = model.isMine(session) === false;
  const icon = sessionIcon(session, life.kind, model.isProtected(account.id, session.id));
  const canOpen = session.pages === undefined ? capabilities.has('pages') : session.pages.length > 0;
  return {
    id,
    label,
    ...(model.filter.text === '' ? {} : { highlights: matchesIn(label, model.filter.text) }),
    description,
    icon: isOthers && life.kind === 'running' && icon !== undefined ? { ...icon, color: 'disabledForeground' } : icon,
    dimmed: isOthers,
    contextValue: sessionContext(session, life.kind, capabilities, model.isProtected(account.id, session.id)),
    collapsible: canOpen ? 'collapsed' : 'none',
    aria: sessionAria(model, account, session, whole),
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

function sessionDescription(model: TreeModel, account: Account, session: Session, label: string): string {
  const { store } = model;
  const life = store.life(account.id, session.id);
  if (life.kind === 'ending') return l10n.t('ending…');
  if (life.kind === 'stuck') return shortStuck(life.why);
  const details = detailsOf(model, account, session);
  return [
    ...(session.phase === 'starting' ? [l10n.t('starting…')] : []),
    ...(session.phase === 'ending' ? [l10n.t('ending…')] : []),
    ...(session.phase === 'unknown' ? [plainText(session.status ?? '', 20)] : []),
    ...(store.missing(account.id).has(session.id) ? [notListed()] : []),
    ...matchedDetails(model, account, session, [label, ...details].join(' ')),
    ...details,
    ...(model.isProtected(account.id, session.id) ? [l10n.t('protected')] : []),
    ...(model.isMine(session) === false ? [l10n.t('not yours')] : []),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

function sessionAria(model: TreeModel, account: Account, session: Session, label: string): string {
  const { store } = model;
  const life = store.life(account.id, session.id);
  const start = store.startOf(account.id, session.id);
  const age = start && spokenAge(start, model.now());
  const group = model.arranged.of(account.id).groupOf(session.id);
  return [
    l10n.t('Session {0}', label),
    life.kind === 'stuck'
      ? stuckSentence(life.why, accountHost(account))
      : life.kind === 'ending'
        ? l10n.t('ending…')
        : phaseWord(session),
    ...(store.missing(account.id).has(session.id) ? [notListed()] : []),
    ...(age === undefined ? [] : [l10n.t('for {0}', age)]),
    l10n.t('account {0}', accountName(account, model.kind(account.provider))),
    ...(group ? [groupName(group)] : []),
    ...(session.bulkEndExclusion === undefined ? [] : [plainText(l10n.t(session.bulkEndExclusion), 200)]),
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
