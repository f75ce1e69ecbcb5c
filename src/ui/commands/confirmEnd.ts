import * as l10n from '@vscode/l10n';
import type { AccountId } from '../../core/ids.ts';
import { plainText } from '../../core/plainText.ts';
import type { EndWithoutAsking } from '../endWithoutAsking.ts';
import type { Question } from '../prompts.ts';
import type { SettingKey } from '../settings.ts';
import { endButton, type ManyEnds, questionForMany, questionForOne } from '../text/confirmations.ts';
import { providerName } from './accountNames.ts';
import { countedTwice, type DescriptionParts, describeSessions, unfiltered } from './descriptions.ts';
import { type EndPlan, isKeptFromMany, type PartialEnd } from './endPlan.ts';
import { protectedAmong, protectedFromNowOn, wereProtected } from './protectedSessions.ts';
import { type ConnectedParts, whileConnected } from './sameConnection.ts';
import { sessionsOf, wholeAccount } from './targets.ts';

/** What confirming an end needs besides the descriptions of sessions. */
export interface ConfirmParts extends DescriptionParts, ConnectedParts {
  readonly endWithoutAsking: EndWithoutAsking;
  /** Changes a setting in the user's settings, for all workspaces. */
  readonly changeSetting: (key: SettingKey, value: string | boolean) => Promise<void>;
}

declare const isConfirmed: unique symbol;

/** A plan that the user has confirmed. Only this file creates one, and only confirmed plans are run. */
export interface ConfirmedPlan extends EndPlan {
  /** See `Connections.generation`: those of the accounts when the dialog was opened. */
  readonly generations: ReadonlyMap<AccountId, number>;
  readonly [isConfirmed]: true;
}

/** How to ask about a plan. */
export interface Asking {
  /** The first line of a dialog about several sessions. By default, it says how many end and in how many accounts. */
  readonly message?: string | undefined;
  /** Whether the user must type how many sessions end, if the settings say so: set when all of a kind are to end. */
  readonly typesCount?: boolean;
  /**
   * Whether the button of one of our live views was pressed: the only case in which the question can be skipped. What
   * VS Code passes for a row or a key could also come from another extension (`runCommands` with the focused row).
   */
  readonly fromLiveView?: boolean;
}

/**
 * The dialog's second button, for the provider's "end everything" call, and the account that it's about.
 * `generation` is the account's when the dialog was opened; see `Connections.generation`.
 */
export type EndEverything = NonNullable<ManyEnds['everything']> & {
  readonly accountId: AccountId;
  readonly generation: number;
};

/** Asks the user to confirm a plan, unless the question can be skipped. Undefined when they don't confirm it. */
export async function confirmEnd(
  parts: ConfirmParts,
  plan: EndPlan,
  asking: Asking = {},
): Promise<ConfirmedPlan | undefined> {
  if (plan.isSingle) {
    return whileConnected(parts, accountsIn, () => confirmSingle(parts, plan, asking.fromLiveView === true));
  }
  const answer = await confirmEndOrEverything(parts, plan, asking, undefined);
  return answer === 'everything' ? undefined : answer;
}

/**
 * Asks the user to confirm a plan in a dialog that may have a second button, for everything in the account.
 * @param everything that button; undefined for none.
 */
export async function confirmEndOrEverything(
  parts: ConfirmParts,
  plan: EndPlan,
  asking: Asking,
  everything: EndEverything | undefined,
): Promise<ConfirmedPlan | 'everything' | undefined> {
  const accountsOf = (answer: ConfirmedPlan | 'everything') =>
    answer === 'everything' ? (everything ? [everything.accountId] : []) : accountsIn(answer);
  return whileConnected(parts, accountsOf, () => confirmMany(parts, plan, asking, everything));
}

async function confirmMany(
  parts: ConfirmParts,
  plan: EndPlan,
  { message = usualMessage(plan), typesCount = false }: Asking,
  everything: EndEverything | undefined,
): Promise<ConfirmedPlan | 'everything' | undefined> {
  const shown = copyOf(parts, plan);
  const { ends, leftOut, unknown, partial } = shown;
  const question = questionForMany({
    message: ofPart(partial, message),
    subjects: describeSessions(parts, ends),
    leftOut: describeSessions(parts, leftOut),
    unknown: [...unknown, ...countedTwice(parts, ends), ...unfiltered(parts, ends)],
    everything,
  });
  const added = everything && protectedFromNowOn(parts, everything.accountId);
  const chosen = await parts.prompts.confirm(question);
  const isEverything = everything !== undefined && chosen === everything.button;
  if (!isEverything && chosen !== endButton(ends.length)) return undefined;
  if (typesCount && !(await hasTyped(parts, isEverything ? everything.accountId : ends.length))) return undefined;
  const reached = isEverything
    ? [...sessionsOf(parts, [wholeAccount(everything.accountId)]), ...(added?.() ?? [])]
    : ends;
  if (wereProtected(parts, reached)) return undefined;
  return isEverything ? 'everything' : confirmed(shown);
}

/** Asks the caller's question, whose first choice confirms the plan. */
export async function confirmBy(
  parts: Pick<ConfirmParts, 'prompts' | 'connections' | 'protections' | 'store'>,
  plan: EndPlan,
  question: Question,
): Promise<ConfirmedPlan | undefined> {
  const shown = copyOf(parts, plan);
  const isNewlyProtected = protectionsSince(parts, shown);
  if ((await parts.prompts.confirm(question)) !== question.choices[0] || isNewlyProtected()) return undefined;
  return confirmed(shown);
}

/** @returns a function that says whether any of a plan's sessions has been protected since, and tells the user if so. */
function protectionsSince(parts: Parameters<typeof wereProtected>[0], { ends }: ShownPlan): () => boolean {
  const before = new Set(protectedAmong(parts, ends));
  return () =>
    wereProtected(
      parts,
      ends.filter((target) => !before.has(target)),
    );
}

/**
 * Always asks about sessions that are protected, or may be as far as is known, or that are otherwise skipped when several are ended at
 * once.
 */
async function confirmSingle(
  parts: ConfirmParts,
  plan: EndPlan,
  fromLiveView: boolean,
): Promise<ConfirmedPlan | undefined> {
  const shown = copyOf(parts, plan);
  const isKept = shown.unknown.length > 0 || shown.ends.some((target) => isKeptFromMany(parts, target));
  const mayGoUnasked = fromLiveView && !isKept;
  if (mayGoUnasked && parts.endWithoutAsking.isAllowed) return confirmed(shown);
  const [subject] = describeSessions(parts, shown.ends);
  if (subject === undefined) return undefined;
  const question = questionForOne(subject, mayGoUnasked, shown.unknown);
  const isNewlyProtected = protectionsSince(parts, shown);
  const chosen = await parts.prompts.confirm(question);
  if (chosen === undefined || isNewlyProtected()) return undefined;
  if (chosen === question.choices[1]) {
    await parts.changeSetting('confirm.endSession', 'never');
    await parts.endWithoutAsking.allow();
  }
  return confirmed(shown);
}

function accountsIn({ ends }: EndPlan): readonly AccountId[] {
  return ends.map(({ accountId }) => accountId);
}

/** A plan as the dialog shows it. */
type ShownPlan = Omit<ConfirmedPlan, typeof isConfirmed>;

/** A copy, so that nothing can be added to the plan while the dialog is open. */
function copyOf({ connections }: Pick<ConfirmParts, 'connections'>, plan: EndPlan): ShownPlan {
  const generations = accountsIn(plan).map((id) => [id, connections.generation(id)] as const);
  return { ...plan, ends: [...plan.ends], generations: new Map(generations) };
}

function confirmed(plan: ShownPlan): ConfirmedPlan {
  return plan as ConfirmedPlan;
}

function usualMessage({ ends }: EndPlan): string {
  const accounts = new Set(ends.map(({ accountId }) => accountId)).size;
  if (ends.length === 1) return l10n.t('End 1 session?');
  return accounts === 1
    ? l10n.t('End {0} sessions?', ends.length)
    : l10n.t('End {0} sessions in {1} accounts?', ends.length, accounts);
}

/** The first line of a dialog, with how many sessions the filter shows. */
function ofPart(partial: PartialEnd | undefined, message: string): string {
  return partial === undefined
    ? message
    : [message, l10n.t('The filter shows {0} of {1} sessions.', partial.shown, partial.of)].join(' ');
}

/**
 * Whether the user has typed what the settings ask for: how many sessions end, or the name of the account in which everything
 * ends, because it isn't known how many sessions that is.
 */
async function hasTyped(parts: ConfirmParts, ends: number | AccountId): Promise<boolean> {
  const { accounts, prompts, setting } = parts;
  if (setting('confirm.endAll') !== 'typeCount') return true;
  const isCount = typeof ends === 'number';
  const expected = isCount ? String(ends) : plainText(accounts.get(ends)?.label ?? '') || providerName(parts, ends);
  const answer = await prompts.ask({
    title: isCount ? l10n.t('End All Sessions') : l10n.t('End Everything in Account'),
    prompt: isCount
      ? l10n.t('Type {0} to end them all', expected)
      : l10n.t('Type "{0}" to end everything in this account', expected),
    placeholder: '',
    value: '',
    secret: false,
    step: undefined,
    button: undefined,
    refuse: async (typed) => (typed.trim() === expected.trim() ? undefined : l10n.t('Type {0} to confirm.', expected)),
  });
  return answer.kind === 'answer';
}
