import * as l10n from '@vscode/l10n';
import type { LocalProfile } from '../../core/localBrowser.ts';
import type { Page } from '../../core/page.ts';
import type { Question } from '../prompts.ts';
import { inUseBy, inUseCount, profileCounts, profileSentence } from './localBrowsers.ts';
import { nameAndId, pageName } from './names.ts';

/** A session as dialogs describe it. All text has passed `plainText`. */
export interface SessionDescription {
  readonly account: string;
  readonly provider: string;
  readonly name: string;
  /** See `ShownName`. */
  readonly shortId: string;
  /** How long it has been running, in words; undefined if that isn't known. */
  readonly age: string | undefined;
  /** Whether it's known to have started less than a minute ago. */
  readonly young: boolean;
  readonly group: string | undefined;
  /** What is lost when it ends, in the provider's terms. */
  readonly loss: string;
  /** The pages that close, if ending it closes only pages. The dialog names the first few. */
  readonly closes: readonly Page[] | undefined;
  /** Whether ending it only disconnects a tool from a browser, which ends too if it was started for the connection. */
  readonly detaches?: boolean;
  /** Why it's skipped when several are ended at once; undefined if it isn't. */
  readonly bulkEndExclusion: string | undefined;
  readonly watched: boolean;
  /** The program that may be using it; undefined if none is known. */
  readonly inUseBy: string | undefined;
  /** What happens to its profile on this machine; undefined if it has none here. */
  readonly profile: LocalProfile['afterEnd'] | undefined;
  /** Whether it's the user's own; undefined if there is no way to tell. */
  readonly mine: boolean | undefined;
}

/** Most sessions that a dialog lists one by one; the others are counted. */
const mostListed = 12;

/**
 * The question before one session ends: the session, its age and place, and what is lost.
 * @param offersNoMore whether the second choice also stops asking in the future.
 * @param unknown sentences about what isn't known for certain.
 */
export function questionForOne(
  subject: SessionDescription,
  offersNoMore: boolean,
  unknown: readonly string[] = [],
): Question {
  const facts = [
    subject.age === undefined ? l10n.t('running') : l10n.t('running for {0}', subject.age),
    ...(subject.group === undefined ? [] : [subject.group]),
  ].join(', ');
  const pages =
    subject.closes === undefined ? [] : [l10n.t('These pages will close:'), ...listed(subject.closes, pageName)];
  return {
    message: subject.detaches === true ? l10n.t('Detach "{0}"?', subject.name) : whichEnds(subject),
    detail: paragraphs(
      `${subject.account}: ${facts}.`,
      lines(
        ...(subject.bulkEndExclusion === undefined ? [] : [subject.bulkEndExclusion]),
        ...(subject.mine === false ? [l10n.t("This session isn't yours.")] : []),
        ...(subject.young ? [l10n.t('It started less than a minute ago.')] : []),
        ...(subject.inUseBy === undefined ? [] : [inUseBy(subject.inUseBy)]),
        ...unknown,
        ...pages,
      ),
      subject.closes === undefined ? '' : l10n.t('The browser itself stays open.'),
      subject.watched ? l10n.t("It's open in a live view.") : '',
      subject.profile === undefined ? '' : profileSentence(subject.profile),
      subject.detaches === true
        ? l10n.t(
            "The tool is disconnected, and its background process ends. The browser keeps running, unless it was started for this connection, as cloud providers usually do. It then ends, and unsaved work is lost. This can't be undone.",
          )
        : `${subject.loss} ${l10n.t("This can't be undone.")}`,
    ),
    choices: [
      subject.detaches === true ? l10n.t('Detach') : l10n.t('End Session'),
      ...(offersNoMore ? [l10n.t("End and Don't Ask Again")] : []),
    ],
  };
}

function whichEnds({ name, shortId }: SessionDescription): string {
  return name === shortId ? l10n.t('End session "{0}"?', name) : l10n.t('End session "{0}" ({1})?', name, shortId);
}

/** The end of a session that isn't listed. */
export interface UnlistedEnd {
  /** Its whole id, as plain text: nothing else is known that identifies it. */
  readonly id: string;
  readonly subject: SessionDescription;
  /** What the provider says about it; `unchecked` if it can't look up sessions. */
  readonly found: 'running' | 'unknown' | 'unchecked';
  /** Sentences about what else isn't known for certain. */
  readonly unknown: readonly string[];
}

/** The question before an unlisted session ends: what is known about it, and what is lost. */
export function questionForUnlisted({ id, subject, found, unknown }: UnlistedEnd): Question {
  const { account, provider, bulkEndExclusion, watched, loss } = subject;
  return {
    message: l10n.t('End session "{0}"?', id),
    detail: paragraphs(
      lines(l10n.t('{0}: not in the list.', account), unlistedSentence(found, provider || account)),
      lines(...(bulkEndExclusion === undefined ? [] : [bulkEndExclusion]), ...unknown),
      watched ? l10n.t("It's open in a live view.") : '',
      `${loss} ${l10n.t("This can't be undone.")}`,
    ),
    choices: [l10n.t('End Session')],
  };
}

function unlistedSentence(found: UnlistedEnd['found'], provider: string): string {
  switch (found) {
    case 'running':
      return l10n.t("{0} says it's running.", provider);
    case 'unknown':
      return l10n.t("{0} can't tell whether it's running. Check the ID before you end it.", provider);
    case 'unchecked':
      return l10n.t(
        "{0} can't look up a session by its ID, so Browser Sessions can't check this one first or confirm that it ended.",
        provider,
      );
  }
}

/** The end of several sessions. */
export interface ManyEnds {
  /** What the user asked for, as the first line. */
  readonly message: string;
  readonly subjects: readonly SessionDescription[];
  /** Sessions that are skipped, each with the reason. */
  readonly leftOut: readonly SessionDescription[];
  /** A sentence for each account whose sessions aren't known, or aren't known for certain. */
  readonly unknown: readonly string[];
  /** A second button, for the provider's "end everything" call. */
  readonly everything: { readonly button: string; readonly explanation: string } | undefined;
}

/** The question before several sessions end: exactly what will end, what won't, and what is lost. */
export function questionForMany({ message, subjects, leftOut, unknown, everything }: ManyEnds): Question {
  const accounts = Map.groupBy(subjects, ({ account }) => account);
  const perAccount = [...accounts].map(([account, { length }]) => l10n.t('{0}: {1}', account, length));
  const row = ({ age, account, inUseBy: user, ...shown }: SessionDescription) =>
    inOneLine(
      nameAndId(shown),
      accounts.size === 1 ? undefined : account,
      age,
      user === undefined ? undefined : l10n.t('in use by {0}', user),
    );
  return {
    message,
    detail: paragraphs(
      lines(...perAccount),
      ...inKinds(subjects, row),
      leftOut.length === 0
        ? ''
        : lines(
            l10n.t('Skipped:'),
            ...listed(
              leftOut,
              ({ account, bulkEndExclusion, ...shown }) =>
                `${nameAndId(shown)} — ${account}. ${bulkEndExclusion ?? ''}`,
            ),
          ),
      lines(...unknown),
      lines(...profileCounts(subjects.flatMap((subject) => subject.profile ?? []))),
      lossesOf(subjects),
      everything?.explanation ?? '',
    ),
    choices: [
      ...(subjects.length === 0 ? [] : [endButton(subjects.length)]),
      ...(everything === undefined ? [] : [everything.button]),
    ],
  };
}

/** The sessions that end, other people's listed separately, and how many just started or are open in a live view. */
function inKinds(subjects: readonly SessionDescription[], row: (subject: SessionDescription) => string): string[] {
  const others = subjects.filter(({ mine }) => mine === false);
  const own = subjects.filter(({ mine }) => mine !== false);
  const young = subjects.filter((subject) => subject.young).length;
  const watched = subjects.filter((subject) => subject.watched).length;
  return [
    others.length === 0 ? '' : lines(l10n.t("Other people's sessions ({0}):", others.length), ...listed(others, row)),
    own.length === 0
      ? ''
      : lines(...(others.length === 0 ? [] : [l10n.t('Your sessions ({0}):', own.length)]), ...listed(own, row)),
    lines(
      young === 0
        ? ''
        : young === 1
          ? l10n.t('1 session started less than a minute ago.')
          : l10n.t('{0} sessions started less than a minute ago.', young),
      watched === 0
        ? ''
        : watched === 1
          ? l10n.t('1 session is open in a live view.')
          : l10n.t('{0} sessions are open in live views.', watched),
      inUseCount(subjects.flatMap((subject) => subject.inUseBy ?? [])),
    ),
  ].filter((part) => part !== '');
}

/** What is lost: said once if it's the same for all sessions, else for each provider. */
function lossesOf(subjects: readonly SessionDescription[]): string {
  const providers = new Map<string, Set<string>>();
  for (const { loss, provider } of subjects) providers.set(loss, (providers.get(loss) ?? new Set()).add(provider));
  const irrevocable = l10n.t("This can't be undone.");
  if (providers.size < 2) return [...providers.keys(), irrevocable].join(' ');
  const each = [...providers].map(([loss, its]) => l10n.t('{0}: {1}', [...its].join(', '), loss));
  return lines(l10n.t('What will be lost:'), ...each.map((line) => `• ${line}`), irrevocable);
}

/** The button that ends sessions: the verb and how many. */
export function endButton(count: number): string {
  return count === 1 ? l10n.t('End Session') : l10n.t('End {0} Sessions', count);
}

/**
 * The question before a batch is deleted: which of its sessions are running, and that its data is deleted too. @param
 * facts its account, and more.
 */
export function questionForBatch(
  batch: string,
  facts: readonly string[],
  running: readonly SessionDescription[],
  loss: string,
): Question {
  const count =
    running.length === 0
      ? l10n.t('None of its sessions are known to be running.')
      : running.length === 1
        ? l10n.t('1 of its sessions is running and will end:')
        : l10n.t('{0} of its sessions are running and will end:', running.length);
  return {
    message: l10n.t('Delete "{0}" and all its sessions?', batch),
    detail: paragraphs(
      lines(...facts),
      ...under(count, inKinds(running, nameAndAge)),
      `${loss} ${l10n.t("This can't be undone.")}`,
    ),
    choices: [l10n.t('Delete Batch')],
  };
}

/**
 * The question before a finished batch is deleted: its data is lost although nothing is running. @param facts as above.
 */
export function questionForFinishedBatch(batch: string, facts: readonly string[], loss: string): Question {
  return {
    message: l10n.t('Delete "{0}" and all its data?', batch),
    detail: paragraphs(
      lines(...facts),
      l10n.t(
        'None of its sessions are running anymore. Deleting the batch removes the data that the provider still keeps.',
      ),
      `${loss} ${l10n.t("This can't be undone.")}`,
    ),
    choices: [l10n.t('Delete Batch')],
  };
}

/**
 * The question before a batch is canceled: which of its sessions are running, and that its data stays. @param facts as
 * above.
 */
export function questionForCancel(
  batch: string,
  facts: readonly string[],
  running: readonly SessionDescription[],
): Question {
  const count =
    running.length === 0
      ? l10n.t('None of its sessions are known to be running.')
      : l10n.t('Its running sessions will end ({0}):', running.length);
  return {
    message: l10n.t('Cancel "{0}"?', batch),
    detail: paragraphs(
      lines(...facts),
      ...under(count, inKinds(running, nameAndAge)),
      `${l10n.t('No more sessions are created in this batch. Its data is kept.')} ${lossesOf(running)}`,
    ),
    choices: [l10n.t('Cancel Batch')],
  };
}

/** Puts a heading above the first of several paragraphs. */
function under(heading: string, [first = '', ...others]: readonly string[]): string[] {
  return [lines(heading, first), ...others];
}

function nameAndAge({ age, ...shown }: SessionDescription): string {
  return inOneLine(nameAndId(shown), age);
}

/** What is known about the sessions of an account that is to be removed. */
export interface LeftRunning {
  /** How many are listed. */
  readonly running: number;
  /** Sentences about sessions that aren't known, or aren't known for certain. */
  readonly unknown: readonly string[];
  /** Whether ending them first is offered. */
  readonly canEnd: boolean;
}

/** The question before an account is removed. The second choice, if there is one, ends its sessions first. */
export function questionForRemoval(account: string, { running, unknown, canEnd }: LeftRunning): Question {
  const sessions =
    running === 0
      ? ''
      : running === 1
        ? l10n.t('1 session will keep running and may keep costing money.')
        : l10n.t('{0} sessions will keep running and may keep costing money.', running);
  return {
    message: l10n.t('Remove account "{0}"?', account),
    detail: paragraphs(sessions, lines(...unknown), l10n.t('Its key will be deleted from this machine.')),
    choices: [l10n.t('Remove Account'), ...(canEnd ? [l10n.t('End Sessions and Remove')] : [])],
  };
}

/**
 * The question asked once before an account is added for a provider that isn't built in.
 * @param extension what the extension calls itself, which can't be verified.
 */
export function questionForProvider(
  provider: string,
  extension: { readonly name: string; readonly id: string },
): Question {
  const who = l10n.t(
    'The extension "{0}" ({1}) adds the provider "{2}" and will receive the keys you save for it.',
    extension.name,
    extension.id,
    provider,
  );
  const unchecked = l10n.t("The extension chose this name itself. VS Code can't verify it.");
  return {
    message: l10n.t('Allow an extension to receive the keys you save for "{0}"?', provider),
    detail: paragraphs(who, unchecked, l10n.t('An extension that has your key can send it anywhere.')),
    choices: [l10n.t('Allow')],
  };
}

/** The first rows, and how many more there are. */
function listed<Row>(rows: readonly Row[], nameOf: (row: Row) => string): string[] {
  const shown = rows.slice(0, mostListed).map((row) => `• ${nameOf(row)}`);
  const rest = rows.length - shown.length;
  return rest === 0 ? shown : [...shown, l10n.t('… and {0} more', rest)];
}

function inOneLine(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' — ');
}

function lines(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}

function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part.trim() !== '').join('\n\n');
}
