import * as l10n from '@vscode/l10n';
import type { EndWithoutAsking } from '../endWithoutAsking.ts';
import type { Question } from '../prompts.ts';
import { endButton, type ManyEnds, questionForMany, questionForOne } from '../text/confirmations.ts';
import { type DescriptionParts, describeSessions, unfiltered } from './descriptions.ts';
import { type EndPlan, isKeptFromMany, type PartialEnd } from './endPlan.ts';

/** What asking needs beside what its dialogs say. */
export interface ConfirmParts extends DescriptionParts {
  readonly endWithoutAsking: EndWithoutAsking;
  /** Sets a setting for all of the user's workspaces. */
  readonly changeSetting: (key: string, value: string) => Promise<void>;
}

declare const isConfirmed: unique symbol;

/** A plan that the user has confirmed. Only this file makes one, and nothing else is ever run. */
export interface ConfirmedPlan extends EndPlan {
  readonly [isConfirmed]: true;
}

/** How a plan is asked about. */
export interface Asking {
  /** The first line of a dialog about several; how many end and in how many accounts by itself. */
  readonly message?: string | undefined;
  /** Whether the user types how many end, where the settings say so: before ends of all. */
  readonly typesCount?: boolean;
  /**
   * Whether the button of one of our live views was pressed: the one place that can do without a question. What VS Code
   * passes for a row or a key, any extension can have passed too (`runCommands` with the focused row).
   */
  readonly fromLiveView?: boolean;
}

/** The second button of a dialog, for the provider's one call that ends all that an account has. */
export type EndEverything = NonNullable<ManyEnds['everything']>;

/** Asks whether a plan may be run. Undefined unless the user presses the button that says so. */
export async function confirmEnd(
  parts: ConfirmParts,
  plan: EndPlan,
  asking: Asking = {},
): Promise<ConfirmedPlan | undefined> {
  if (plan.isSingle) return confirmSingle(parts, plan, asking.fromLiveView === true);
  const answer = await confirmEndOrEverything(parts, plan, asking, undefined);
  return answer === 'everything' ? undefined : answer;
}

/** Asks the same by a dialog that may have a second button, for everything. */
export async function confirmEndOrEverything(
  parts: ConfirmParts,
  plan: EndPlan,
  { message = usualMessage(plan), typesCount = false }: Asking,
  everything: EndEverything | undefined,
): Promise<ConfirmedPlan | 'everything' | undefined> {
  const asked = fixed(plan);
  const { ends, leftOut, unknown, partial } = asked;
  const question = questionForMany({
    message: ofPart(partial, message),
    subjects: describeSessions(parts, ends),
    leftOut: describeSessions(parts, leftOut),
    unknown: [...unknown, ...unfiltered(parts, ends)],
    everything,
  });
  const chosen = await parts.prompts.confirm(question);
  const isEverything = chosen !== undefined && chosen === everything?.button;
  if (!isEverything && chosen !== endButton(ends.length)) return undefined;
  if (typesCount && !(await countTyped(parts, ends.length))) return undefined;
  return isEverything ? 'everything' : confirmed(asked);
}

/** Asks by a question of the caller's, whose first choice confirms the plan. */
export async function confirmBy(
  { prompts }: Pick<ConfirmParts, 'prompts'>,
  plan: EndPlan,
  question: Question,
): Promise<ConfirmedPlan | undefined> {
  const asked = fixed(plan);
  return (await prompts.confirm(question)) === question.choices[0] ? confirmed(asked) : undefined;
}

/** Protected sessions, and those that ends of several skip, are always asked about. */
async function confirmSingle(
  parts: ConfirmParts,
  plan: EndPlan,
  fromLiveView: boolean,
): Promise<ConfirmedPlan | undefined> {
  const asked = fixed(plan);
  const mayGoUnasked = fromLiveView && !asked.ends.some((target) => isKeptFromMany(parts, target));
  if (mayGoUnasked && parts.endWithoutAsking.isAllowed) return confirmed(asked);
  const [subject] = describeSessions(parts, asked.ends);
  if (subject === undefined) return undefined;
  const question = questionForOne(subject, mayGoUnasked);
  const chosen = await parts.prompts.confirm(question);
  if (chosen === undefined) return undefined;
  if (chosen === question.choices[1]) {
    await parts.changeSetting('confirm.endSession', 'never');
    await parts.endWithoutAsking.allow();
  }
  return confirmed(asked);
}

/** A copy, so that nothing can be added to a plan while a dialog asks about it. */
function fixed(plan: EndPlan): EndPlan {
  return { ...plan, ends: [...plan.ends] };
}

function confirmed(plan: EndPlan): ConfirmedPlan {
  return plan as ConfirmedPlan;
}

function usualMessage({ ends }: EndPlan): string {
  const accounts = new Set(ends.map(({ accountId }) => accountId)).size;
  if (ends.length === 1) return l10n.t('End 1 session?');
  return accounts === 1
    ? l10n.t('End {0} sessions?', ends.length)
    : l10n.t('End {0} sessions in {1} accounts?', ends.length, accounts);
}

/** The first line of a dialog, with how much a filter leaves. */
function ofPart(partial: PartialEnd | undefined, message: string): string {
  return partial === undefined
    ? message
    : [message, l10n.t('The filter shows {0} of {1} sessions.', partial.shown, partial.of)].join(' ');
}

/** Whether the user has typed how many end, where they want to be asked that before everything ends. */
async function countTyped(
  { prompts, setting }: Pick<ConfirmParts, 'prompts' | 'setting'>,
  count: number,
): Promise<boolean> {
  if (setting('confirm.endAll') !== 'typeCount') return true;
  const answer = await prompts.ask({
    title: l10n.t('End All Sessions'),
    prompt: l10n.t('Type {0} to end them all', count),
    placeholder: '',
    value: '',
    secret: false,
    step: undefined,
    button: undefined,
    refuse: async (typed) => (typed.trim() === String(count) ? undefined : l10n.t('Type {0} to confirm.', count)),
  });
  return answer.kind === 'answer';
}
