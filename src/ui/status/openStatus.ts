import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { Throttle } from '../../core/throttle.ts';
import type { Services } from '../../services/openServices.ts';
import {
  type OverLimit,
  type OverviewParts,
  overviewOf,
  type SessionLimits,
} from '../../services/sessions/overview.ts';
import { Warnings } from '../../services/sessions/warnings.ts';
import { editorPrompts } from '../editorPrompts.ts';
import { ownSessions } from '../ownSessions.ts';
import { shownName } from '../sessionNames.ts';
import type { ReadSetting } from '../settings.ts';
import { accountName, nameAndId } from '../text/names.ts';
import { badgeOf } from '../text/overview.ts';
import { warningText } from '../text/warnings.ts';
import type { WatchedView } from './reviewSessions.ts';
import { StatusItem } from './statusItem.ts';

/** Minimum time between two counts of all sessions, in milliseconds. */
const throttleMs = 500;
const minuteMs = 60_000;

/** Shows what is running in the status bar and on the view's icon, and warns about sessions that are over a limit. */
export function openStatus(services: Services, watched: WatchedView, setting: ReadSetting): vscode.Disposable {
  const { accounts, kinds, store, protections, memory, clock } = services;
  const limits = (): SessionLimits => ({
    ageMs: setting('warnings.ageMinutes') * minuteMs,
    idleMs: setting('warnings.idleMinutes') * minuteMs,
  });
  const nameOfAccount = (id: OverLimit['accountId']) => {
    const account = accounts.get(id);
    return account === undefined ? '' : accountName(account, kinds.get(account.provider));
  };
  const nameOfSession = ({ accountId, session }: OverLimit) => nameAndId(shownName(store, accountId, session));
  const parts: OverviewParts = {
    accounts,
    store,
    protections,
    isMine: () => ownSessions(setting),
    limits,
    ratePerHour: (provider) => setting('cost.ratePerHour').get(provider),
    now: clock.now,
  };
  let overview = overviewOf(parts);
  const item = new StatusItem();
  const warnings = new Warnings({
    memory,
    clock,
    isWanted: () => setting('warnings.show') && vscode.window.state.focused && vscode.window.state.active,
    over: () => overview.over,
    show: (over, snooze) => void warn(over, snooze).catch((error: unknown) => services.logger.error(String(error))),
  });

  async function warn(over: readonly OverLimit[], snooze: () => void): Promise<void> {
    const [review, later, never] = [l10n.t('Review'), l10n.t('Snooze for 1 Hour'), l10n.t("Don't Show Again")];
    const text = warningText(over, { limits: limits(), nameOfSession, nameOfAccount, now: clock.now() });
    const answer = await editorPrompts.tell('warning', text, [review, later, never]);
    if (answer === later) snooze();
    else if (answer === review) {
      const { reviewSessions } = await import('./reviewSessions.ts');
      await reviewSessions(watched, { store, nameOfSession, nameOfAccount, now: clock.now }, over);
    } else if (answer === never) {
      const settings = vscode.workspace.getConfiguration('browserSessions');
      await settings.update('warnings.show', false, vscode.ConfigurationTarget.Global);
    }
  }

  const draw = () => {
    overview = overviewOf(parts);
    const now = clock.now();
    const show = setting('statusBar.show');
    if (show === 'always' || (show === 'whenRunning' && overview.running > 0)) {
      item.show(overview, { kind: kinds.get.bind(kinds), currency: setting('cost.currency'), now });
    } else item.hide();
    const badge = badgeOf(overview, setting('badge'));
    const { badge: shown } = watched.view;
    if (shown?.value !== badge?.value || shown?.tooltip !== badge?.tooltip) watched.view.badge = badge;
    void warnings.showIfDue();
  };
  const drawing = new Throttle(draw, throttleMs);
  const ask = () => drawing.ask();
  ask();
  // Ages change without an event.
  const minutes = setInterval(ask, minuteMs);
  minutes.unref();
  return vscode.Disposable.from(
    item,
    warnings,
    drawing,
    store.onDidChange(ask),
    kinds.onDidLoad(ask),
    protections.onDidChange(ask),
    accounts.onDidChange(ask),
    vscode.window.onDidChangeWindowState(ask),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('browserSessions')) ask();
    }),
    {
      dispose: () => {
        clearInterval(minutes);
        watched.view.badge = undefined;
      },
    },
  );
}
