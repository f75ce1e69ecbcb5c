import * as l10n from '@vscode/l10n';
import { accountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { EndedSession } from '../../services/history/history.ts';
import type { SessionsView } from '../../services/sessions/sessionsView.ts';
import { longAge, shortAge } from '../text/ages.ts';
import { day, dayAndTime, timeOfDay } from '../text/locale.ts';
import { shortId } from '../text/names.ts';
import { endedContext } from './contextValue.ts';
import type { Row } from './row.ts';

const dayMs = 86_400_000;

/** None of the icons looks like a button or an error, because there is nothing left to do about these sessions. */
const icons: Readonly<Record<EndedSession['by'], string>> = {
  you: 'pass',
  elsewhere: 'circle-slash',
  timedOut: 'history',
  failed: 'warning',
};

/** The row of a session that has ended. */
export function endedRow(ended: EndedSession, store: SessionsView, now: number): Row & { readonly tooltip: string } {
  const { sessionId: id, name, account, startedAt, startIsExact, endedAt, by, profile } = ended;
  const label = plainText(name ?? '') || shortId(id);
  const isRecent = now - endedAt < dayMs;
  const at = isRecent ? timeOfDay(endedAt) : day(endedAt);
  const ran = shortAge(endedAt - startedAt);
  const how = howItEnded(by);
  return {
    id: `ended/${ended.accountId}/${id}/${endedAt}`,
    label,
    description: [at, startIsExact ? l10n.t('ran for {0}', ran) : l10n.t('listed for {0}', ran), how].join(' · '),
    icon: { id: icons[by], color: 'descriptionForeground' },
    dimmed: false,
    contextValue: endedContext(store.capabilities(accountId(ended.accountId)), profile !== undefined),
    collapsible: 'none',
    aria: (isRecent ? spokenEnd : spokenEarlierEnd)(by, label, at, longAge(endedAt - startedAt)),
    click: undefined,
    tooltip: [
      ...[label, plainText(account), plainText(id, 200), dayAndTime(endedAt), how],
      ...(profile === undefined ? [] : [l10n.t('Profile: {0}', plainText(profile, 400))]),
    ].join('\n'),
  };
}

/** The row's text for screen readers, with the time of day at which the session ended. */
function spokenEnd(by: EndedSession['by'], name: string, at: string, ran: string): string {
  switch (by) {
    case 'you':
      return l10n.t('Session {0} ended by you at {1} after {2}', name, at, ran);
    case 'elsewhere':
      return l10n.t('Session {0} ended at {1} after {2}, by itself or by someone else', name, at, ran);
    case 'timedOut':
      return l10n.t('Session {0} timed out at {1} after {2}', name, at, ran);
    case 'failed':
      return l10n.t('Session {0} failed at {1} after {2}', name, at, ran);
  }
}

/** The same, with the day on which the session ended. */
function spokenEarlierEnd(by: EndedSession['by'], name: string, day: string, ran: string): string {
  switch (by) {
    case 'you':
      return l10n.t('Session {0} ended by you on {1} after {2}', name, day, ran);
    case 'elsewhere':
      return l10n.t('Session {0} ended on {1} after {2}, by itself or by someone else', name, day, ran);
    case 'timedOut':
      return l10n.t('Session {0} timed out on {1} after {2}', name, day, ran);
    case 'failed':
      return l10n.t('Session {0} failed on {1} after {2}', name, day, ran);
  }
}

function howItEnded(by: EndedSession['by']): string {
  switch (by) {
    case 'you':
      return l10n.t('by you');
    case 'elsewhere':
      return l10n.t('by itself or by someone else');
    case 'timedOut':
      return l10n.t('timed out');
    case 'failed':
      return l10n.t('failed');
  }
}
