import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import type { OverLimit, SessionLimits } from '../../services/sessions/overview.ts';
import { longAge } from './ages.ts';

/** What the sentences about sessions over a limit need to know. */
export interface WarningParts {
  readonly limits: SessionLimits;
  /** A session's name and short ID. */
  readonly nameOfSession: (over: OverLimit) => string;
  readonly nameOfAccount: (id: OverLimit['accountId']) => string;
  readonly now: number;
}

/** What a warning says: how many sessions, the oldest of them, and where it runs. */
export function warningText(over: readonly OverLimit[], parts: WarningParts): string {
  return [
    agedText(
      over.filter(({ limit }) => limit === 'age'),
      parts,
    ),
    idleText(
      over.filter(({ limit }) => limit === 'idle'),
      parts,
    ),
  ]
    .filter((text) => text !== '')
    .join(' ');
}

function agedText(over: readonly OverLimit[], { limits, nameOfSession, nameOfAccount, now }: WarningParts): string {
  const [oldest] = over;
  if (oldest === undefined) return '';
  const name = nameOfSession(oldest);
  const account = plainText(nameOfAccount(oldest.accountId));
  const age = spoken(oldest, now);
  if (over.length === 1) return l10n.t('{0} in {1} has been running for {2}.', name, account, age);
  return accountsOf(over) === 1
    ? l10n.t(
        '{0} sessions in {1} have been running for more than {2}. The oldest is {3}: {4}.',
        over.length,
        account,
        longAge(limits.ageMs),
        name,
        age,
      )
    : l10n.t(
        '{0} sessions have been running for more than {1}. The oldest is {2} in {3}: {4}.',
        over.length,
        longAge(limits.ageMs),
        name,
        account,
        age,
      );
}

function idleText(over: readonly OverLimit[], { limits, nameOfSession, nameOfAccount, now }: WarningParts): string {
  const [longest] = over;
  if (longest === undefined) return '';
  const name = nameOfSession(longest);
  const account = plainText(nameOfAccount(longest.accountId));
  const age = spoken(longest, now);
  if (over.length === 1) return l10n.t('{0} in {1} has been idle for {2}.', name, account, age);
  return accountsOf(over) === 1
    ? l10n.t(
        '{0} sessions in {1} have been idle for more than {2}. The longest is {3}: {4}.',
        over.length,
        account,
        longAge(limits.idleMs),
        name,
        age,
      )
    : l10n.t(
        '{0} sessions have been idle for more than {1}. The longest is {2} in {3}: {4}.',
        over.length,
        longAge(limits.idleMs),
        name,
        account,
        age,
      );
}

/** How long a session has been running, or idle. */
export function spoken({ since }: OverLimit, now: number): string {
  const age = longAge(now - since.at);
  return since.exact ? age : l10n.t('at least {0}', age);
}

function accountsOf(over: readonly OverLimit[]): number {
  return new Set(over.map(({ accountId }) => accountId)).size;
}
