import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import { plainText } from '../../core/plainText.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { Session } from '../../core/session.ts';
import { builtInIds } from '../../services/providers/providerKinds.ts';
import type { Contents } from '../../services/sessions/contents.ts';
import { type AccountState, troubleOf } from '../../services/sessions/sessionsView.ts';
import { accountLabel, providerLabel, shortened } from '../text/accountLabels.ts';
import { timeOfDay } from '../text/locale.ts';
import { accountName } from '../text/names.ts';
import { shortTrouble } from '../text/troubles.ts';
import type { TreeModel } from './children.ts';
import { accountContext } from './contextValue.ts';
import type { Row, RowIcon } from './row.ts';

/** Limits from here on count as none: some servers report a huge number for "no limit". */
const noLimit = 1_000_000;

/** An account's row. */
export function accountRow(model: TreeModel, id: string, account: Account, state: AccountState): Row {
  const name = accountName(account, model.kind(account.provider));
  const { sessions } = state.contents;
  const leftBehind = [...sessions.values()].some(({ local }) => local?.isLeftBehind === true);
  const isMissingKey = troubleOf(state)?.trouble.kind === 'noKey';
  return {
    id,
    label: rowLabel(model, account),
    description: accountDescription(model, account, state),
    icon: accountIcon(model, account, state),
    dimmed: false,
    contextValue: accountContext(keyState(model, account, isMissingKey), sessions.size, leftBehind),
    collapsible: 'expanded',
    aria: [l10n.t('Account {0}', name), ...spokenState(state)].join(', '),
    click: undefined,
  };
}

function keyState(model: TreeModel, account: Account, isMissing: boolean): Parameters<typeof accountContext>[0] {
  if (model.kind(account.provider)?.isAutomatic === true) return 'automatic';
  if (!hasKey(model, account)) return undefined;
  return isMissing ? 'missing' : 'saved';
}

/** Whether accounts of this provider have a key. */
export function hasKey(model: TreeModel, { provider }: Account): boolean {
  return model.kind(provider)?.fields.some(({ kind: its }) => its === 'secret') ?? false;
}

/** The account's name, shortened unless another account would then look the same. */
function rowLabel(model: TreeModel, account: Account): string {
  const label = labelIn(model, account);
  const short = shortened(label);
  if (short === label) return label;
  const isUnique = model.accounts().every((other) => {
    const its = labelIn(model, other);
    return its === label || shortened(its) !== short;
  });
  return isUnique ? short : label;
}

function labelIn(model: TreeModel, account: Account): string {
  const kind = model.kind(account.provider);
  return kind?.isAutomatic === true ? plainText(kind.label) : accountLabel(account, kind);
}

/** The machine in a remote window. Users don't name this account, so its label is the machine's name. */
function placeOf(model: TreeModel, { provider, label }: Account): string[] {
  const kind = model.kind(provider);
  return kind?.isAutomatic === true && label !== kind.label ? [plainText(label)] : [];
}

function accountIcon(model: TreeModel, { provider }: Account, state: AccountState): RowIcon {
  if (troubleOf(state) !== undefined) return { id: 'error', color: 'problemsErrorIcon.foreground' };
  const icon = { id: model.kind(provider)?.icon ?? 'cloud', color: undefined };
  return builtInIds.includes(provider) ? { ...icon, provider } : icon;
}

/** What's wrong comes first, otherwise the counts: in a narrow sidebar, only the first words are visible. */
function accountDescription(model: TreeModel, account: Account, state: AccountState): string {
  const counts = accountCounts(state.contents);
  const label = labelIn(model, account);
  const facts = aboutServer(state.contents).filter((fact) => fact !== label);
  const place = placeOf(model, account);
  return [...stateWords(state, counts), ...place, ...providerIfShared(model, account, label), ...facts].join(' · ');
}

/** `7 of 25 · 2 idle`, or `5 running · 2 idle` without a limit: every session counts towards the limit. */
export function accountCounts(contents: Contents): string {
  const listed = [...contents.sessions.values()];
  const limit = usableLimit(contents);
  if (limit === undefined) return countByPhase(listed);
  return [l10n.t('{0} of {1}', listed.length, limit), ...countsApart(listed)].join(' · ');
}

/** The description for screen readers, which read the provider with the name. */
function spokenState(state: AccountState): string[] {
  const listed = [...state.contents.sessions.values()];
  const limit = usableLimit(state.contents);
  const count = limit === undefined ? runningCount(listed) : spokenCount(listed.length, limit);
  const [first = '', ...rest] = stateWords(state, [count, ...countsApart(listed)].join(', '));
  const hasTrouble = troubleOf(state) !== undefined;
  return [hasTrouble ? l10n.t('error: {0}', first) : first, ...rest, ...aboutServer(state.contents)];
}

/** Whose key it is or which server answers, and whether there are several servers. */
function aboutServer({ account, combined }: Contents): string[] {
  const identity = plainText(account?.identity ?? '', 40);
  return [
    ...(identity === '' ? [] : [identity]),
    ...(combined ? [l10n.t('behind a load balancer, lists combined')] : []),
  ];
}

function stateWords(state: AccountState, counts: string): string[] {
  switch (state.kind) {
    case 'disconnected':
    case 'loading':
      return [l10n.t('loading…')];
    case 'failed':
      return state.contents.sessions.size === 0
        ? [troubleWords(state.trouble)]
        : [troubleWords(state.trouble), counts, l10n.t('incomplete list')];
    case 'ready':
      return state.trouble === undefined ? [counts] : [troubleWords(state.trouble), counts, asOf(state.asOf)];
  }
}

/** The provider's name, if an account of another provider has the same name and an error icon replaces the provider's. */
function providerIfShared(model: TreeModel, { provider }: Account, label: string): string[] {
  const isShared = model.accounts().some((other) => other.provider !== provider && labelIn(model, other) === label);
  return isShared ? [providerLabel(provider, model.kind(provider))] : [];
}

/** `as of 14:02`: the time of an old list. */
export function asOf(time: number): string {
  return l10n.t('as of {0}', timeOfDay(time));
}

function troubleWords(error: ProviderError): string {
  return error.trouble.kind === 'noKey' ? l10n.t('key not found on this machine') : shortTrouble(error);
}

/** How many sessions may run at once, if the provider reports a number that can be a limit. */
function usableLimit({ account }: Contents): number | undefined {
  const limit = account?.sessionLimit;
  return limit !== undefined && Number.isInteger(limit) && limit > 0 && limit < noLimit ? limit : undefined;
}

function spokenCount(count: number, limit: number): string {
  if (limit > 1) return l10n.t('{0} of {1} sessions', count, limit);
  return count === 1 ? l10n.t('1 session with a limit of 1') : l10n.t('{0} sessions with a limit of 1', count);
}

/** Sessions that are neither idle nor starting, including those with an unknown status. */
function isRunning({ phase }: Session): boolean {
  return phase !== 'idle' && phase !== 'starting';
}

/** `4 running · 1 idle`. */
export function countByPhase(sessions: readonly Session[]): string {
  return [runningCount(sessions), ...countsApart(sessions)].join(' · ');
}

function runningCount(sessions: readonly Session[]): string {
  return l10n.t('{0} running', sessions.filter(isRunning).length);
}

/** How many sessions aren't running yet, or anymore. */
function countsApart(sessions: readonly Session[]): string[] {
  const idle = sessions.filter(({ phase }) => phase === 'idle').length;
  const starting = sessions.filter(({ phase }) => phase === 'starting').length;
  return [...(idle > 0 ? [l10n.t('{0} idle', idle)] : []), ...(starting > 0 ? [l10n.t('{0} starting', starting)] : [])];
}
