import * as l10n from '@vscode/l10n';
import type { Clock } from '../../core/clock.ts';
import { neverAborted } from '../../core/neverAborted.ts';
import { plainText } from '../../core/plainText.ts';
import type { LeftProfile, ThisMachine } from '../../core/thisMachine.ts';
import type { History } from '../../services/history/history.ts';
import type { Prompts } from '../prompts.ts';
import { longAge } from '../text/ages.ts';
import { profileName, profileOutcome, questionForProfile } from '../text/localBrowsers.ts';
import { bytes } from '../text/numbers.ts';
import { busyIfSlow } from './busyIfSlow.ts';
import { isNamed, pickOne, targetOfOne } from './targets.ts';

/** What deleting a profile needs. */
export interface DeleteProfileParts {
  readonly machine: () => Promise<ThisMachine>;
  readonly history: History;
  readonly prompts: Prompts;
  readonly clock: Clock;
}

/**
 * Deletes the temporary profile of a browser on this machine that has ended: the profile of the given row, or else one that the
 * user picks from all that tools have left. It's checked before the dialog and again after it.
 * @returns whether it was deleted.
 */
export async function deleteProfile(parts: DeleteProfileParts, args: readonly unknown[]): Promise<boolean> {
  const { prompts, history, clock } = parts;
  const machine = await parts.machine();
  const folder = isNamed(args) ? folderOf(history, args) : await pickFolder(parts, machine);
  if (folder === undefined) {
    if (isNamed(args)) void prompts.tell('info', l10n.t("This session didn't leave a profile."), []);
    return false;
  }
  const check = await machine.checkProfile(folder, neverAborted);
  if (check.kind !== 'free') {
    if (check.kind === 'gone') history.forgetProfile(folder);
    void prompts.tell(check.kind === 'gone' ? 'info' : 'warning', profileOutcome(check.kind, folder), []);
    return false;
  }
  const question = questionForProfile(check.profile, clock.now());
  if ((await prompts.confirm(question)) !== question.choices[0]) return false;
  const deleting = l10n.t('Deleting the profile "{0}"…', profileName(folder));
  const outcome = await busyIfSlow(prompts, clock, deleting, machine.deleteProfile(check.profile, neverAborted));
  if (outcome === 'deleted' || outcome === 'gone') history.forgetProfile(folder);
  if (outcome === 'deleted') prompts.note(profileOutcome(outcome, folder));
  else void prompts.tell('warning', profileOutcome(outcome, folder), []);
  return outcome === 'deleted';
}

/** The folder comes only from the history. What a caller passes only identifies the session. */
function folderOf(history: History, args: readonly unknown[]): string | undefined {
  const target = targetOfOne(args);
  if (target?.sessionId === undefined) return undefined;
  return history.find(target.accountId, target.sessionId)?.profile;
}

async function pickFolder({ prompts, clock }: DeleteProfileParts, machine: ThisMachine): Promise<string | undefined> {
  const looking = l10n.t('Looking for temporary profiles…');
  const left = await busyIfSlow(prompts, clock, looking, machine.leftProfiles(neverAborted));
  const none = l10n.t("Automation tools haven't left any temporary profiles on this machine.");
  const choice = ({ folder, tool, changedAt, bytes: size }: LeftProfile) => ({
    label: profileName(folder),
    description: [tool, l10n.t('last used {0} ago', longAge(clock.now() - changedAt)), bytes(size)].join(' · '),
    detail: plainText(folder, 400),
    icon: 'folder',
    heading: undefined,
    value: folder,
  });
  const placeholder = l10n.t("Select a temporary profile to delete. Profiles in use aren't listed.");
  return pickOne({ prompts }, l10n.t('Delete Profile'), placeholder, none, left.map(choice));
}
