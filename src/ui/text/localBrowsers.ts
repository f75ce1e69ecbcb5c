import * as l10n from '@vscode/l10n';
import type { LocalProfile } from '../../core/localBrowser.ts';
import { plainText } from '../../core/plainText.ts';
import type { LeftProfile, ProfileDeletion } from '../../core/thisMachine.ts';
import type { Question } from '../prompts.ts';
import { longAge } from './ages.ts';
import { bytes, listOf } from './numbers.ts';

/** The warning that a program may be using the session that is to end. */
export function inUseBy(program: string): string {
  return l10n.t('It may be in use: {0} is still running.', program);
}

/** The same warning for several sessions; empty if no program uses any. @param programs one for each session in use. */
export function inUseCount(programs: readonly string[]): string {
  const names = listOf([...new Set(programs)]);
  if (programs.length === 0) return '';
  return programs.length === 1
    ? l10n.t('1 session may be in use: {0} is still running.', names)
    : l10n.t('{0} sessions may be in use by programs that are still running: {1}.', programs.length, names);
}

/** What happens to a browser's profile when it ends. */
export function profileSentence(afterEnd: LocalProfile['afterEnd']): string {
  switch (afterEnd) {
    case 'kept':
      return l10n.t('Its profile is kept.');
    case 'deleted':
      return l10n.t('The tool that started it deletes its temporary profile.');
    case 'left':
      return l10n.t('Its temporary profile stays on disk. To delete it later, use Delete Profile in Recently Ended.');
  }
}

/** The same for several browsers, a line for each kind. */
export function profileCounts(all: readonly LocalProfile['afterEnd'][]): readonly string[] {
  const count = (kind: LocalProfile['afterEnd']) => all.filter((one) => one === kind).length;
  const [kept, deleted, left] = [count('kept'), count('deleted'), count('left')];
  return [
    kept === 0 ? '' : kept === 1 ? l10n.t('1 profile is kept.') : l10n.t('{0} profiles are kept.', kept),
    deleted === 0
      ? ''
      : deleted === 1
        ? l10n.t('1 temporary profile is deleted by its tool.')
        : l10n.t('{0} temporary profiles are deleted by their tools.', deleted),
    left === 0
      ? ''
      : left === 1
        ? l10n.t('1 temporary profile stays on disk.')
        : l10n.t('{0} temporary profiles stay on disk.', left),
  ];
}

/** The name of a profile's folder. */
export function profileName(folder: string): string {
  return plainText(folder.split(/[/\\]/).at(-1) ?? '', 80);
}

/** The question before a profile is deleted. */
export function questionForProfile({ folder, tool, bytes: size, changedAt }: LeftProfile, now: number): Question {
  return {
    message: l10n.t('Delete the profile "{0}"?', profileName(folder)),
    detail: [
      l10n.t('{0}: {1}, last used {2} ago.', tool, bytes(size), longAge(now - changedAt)),
      plainText(folder, 400),
      [l10n.t('The cookies, logins, and downloads in it are lost.'), l10n.t("This can't be undone.")].join(' '),
    ].join('\n\n'),
    choices: [l10n.t('Delete Profile')],
  };
}

/** The message about the result of deleting a profile, or why it wasn't deleted. */
export function profileOutcome(outcome: ProfileDeletion, folder: string): string {
  const name = profileName(folder);
  switch (outcome) {
    case 'deleted':
      return l10n.t('Deleted the profile "{0}".', name);
    case 'gone':
      return l10n.t('The profile "{0}" no longer exists.', name);
    case 'inUse':
      return l10n.t('A process is using the profile "{0}". It wasn\'t deleted.', name);
    case 'notTemporary':
      return l10n.t('"{0}" isn\'t a temporary profile of a known tool. It wasn\'t deleted.', name);
    case 'failed':
      return l10n.t('Couldn\'t delete the profile "{0}". Some of its files may already be deleted.', name);
  }
}
