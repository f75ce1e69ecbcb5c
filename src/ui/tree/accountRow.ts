import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import { plainText } from '../../core/plainText.ts';
import type { Session } from '../../core/session.ts';
import type { Contents } from '../../services/sessions/contents.ts';
import type { AccountState } from '../../services/sessions/sessionsView.ts';
import { timeOfDay } from '../text/locale.ts';
import { accountName } from '../text/names.ts';
import { shortTrouble } from '../text/troubles.ts';
import type { TreeModel } from './children.ts';
import { accountContext } from './contextValue.ts';
import type { Row } from './row.ts';

/** An account's row. */
export function accountRow(model: TreeModel, id: string, account: Account, state: AccountState): Row {
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

/** Whether accounts of this provider have a key. */
export function hasKey(model: TreeModel, { provider }: Account): boolean {
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
