import * as l10n from '@vscode/l10n';
import type { ScreencastState } from '../../cdp/screencastState.ts';
import type { Framing } from '../../core/framing.ts';
import type { LiveView } from '../../core/liveView.ts';
import type { ProviderError } from '../../core/providerError.ts';
import type { EndCause } from '../../core/session.ts';
import type { EndedSession } from '../../services/history/history.ts';
import type { ButtonWords, PanelCard, PanelState } from '../liveView/messages.ts';
import { spokenAge } from './ages.ts';
import { timeOfDay } from './locale.ts';
import { notListedSentence } from './missing.ts';
import { troubleSentence } from './troubles.ts';

/** What is known about a session's end: what was seen here, what its provider says, or only that it's confirmed. */
export type KnownEnd = EndedSession | EndCause | 'confirmed';

const words = (button: ButtonWords['button'], label: string): ButtonWords => ({ button, label });
const openExternal = () => words('openExternal', l10n.t('Open in External Browser'));

/** Shown while the live view is being opened. */
export function waitingCard(): PanelCard {
  return { heading: l10n.t('Opening live view…'), lines: [], buttons: [] };
}

/** The heading above the effects of watching. */
export function watchingHasEffects(): string {
  return l10n.t('Watching affects this session');
}

/**
 * Shown before a session is first watched at a provider where watching has effects.
 * @param staysConnected whether the panel stays connected while it's hidden.
 */
export function effectCard(effect: string, staysConnected: boolean): PanelCard {
  const hidden = staysConnected
    ? l10n.t('Because of your settings, it stays connected while this tab is hidden.')
    : l10n.t('It disconnects while this tab is hidden.');
  return {
    heading: watchingHasEffects(),
    lines: [effect, hidden],
    buttons: [words('watch', l10n.t('Show Live View')), words('close', l10n.t('Close'))],
  };
}

/**
 * Shown in place of a viewer that took keyboard focus in view-only mode.
 * @param isElsewhere whether focus is no longer where the user was typing.
 */
export function pausedCard(isElsewhere: boolean): PanelCard {
  return {
    heading: l10n.t('This viewer tried to take keyboard focus'),
    lines: [
      l10n.t("It's paused so that it doesn't receive what you type."),
      ...(isElsewhere ? [l10n.t('Keyboard focus moved to this tab. Click where you were typing to continue.')] : []),
      l10n.t("Some viewers take keyboard focus when they load. If you resume, don't type until the page appears."),
    ],
    buttons: [words('resume', l10n.t('Resume')), openExternal()],
  };
}

/** Added to the notice about interacting with a provider's viewer. @param reads whether it may also read the clipboard. */
export function viewerUsesClipboard(reads: boolean): string {
  return reads
    ? l10n.t("While Interact is on, the provider's viewer can also read and change your clipboard.")
    : l10n.t("While Interact is on, the provider's viewer can also change your clipboard.");
}

/** Shown before opening a link that works only once. */
export function singleUseCard(): PanelCard {
  return {
    heading: l10n.t('This link works only once'),
    lines: [
      l10n.t('If you open it here, no one else can use it, including a script that is waiting for someone to watch.'),
    ],
    buttons: [
      words('openOnce', l10n.t('Open Here')),
      words('openExternal', l10n.t('Open in External Browser')),
      words('close', l10n.t('Close')),
    ],
  };
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** The message after a live view link was copied: what it allows, and for how long. */
export function linkCopied({ singleUse, expiresInMs }: Pick<LiveView, 'singleUse' | 'expiresInMs'>): string {
  return [
    l10n.t('Link copied. Anyone with this link can watch the session and may be able to control it.'),
    ...(singleUse === 'yes' ? [l10n.t('It works only once.')] : []),
    ...(singleUse === 'unknown' ? [l10n.t('It may work only once.')] : []),
    ...(expiresInMs === undefined ? [] : [linkExpires(expiresInMs)]),
  ].join(' ');
}

function linkExpires(inMs: number): string {
  const minutes = Math.floor(inMs / minuteMs);
  if (minutes < 1) return l10n.t('It expires in less than a minute.');
  if (minutes === 1) return l10n.t('It expires in 1 minute.');
  const hours = Math.floor(inMs / hourMs);
  return hours < 2 ? l10n.t('It expires in {0} minutes.', minutes) : l10n.t('It expires in {0} hours.', hours);
}

/** Why the provider's page isn't shown in the panel. */
export function refusedCard(
  framing: Exclude<Framing, { readonly kind: 'allowed' | 'uncertain' }>,
  host: string,
): PanelCard {
  const buttons = [openExternal(), words('reload', l10n.t('Try Again'))];
  switch (framing.kind) {
    case 'refused':
      return {
        heading: l10n.t("This page can't be shown here"),
        lines: [
          l10n.t(
            "{0} doesn't allow its pages to be embedded ({1}). Open it in an external browser instead.",
            host,
            framing.by,
          ),
        ],
        buttons,
      };
    case 'elsewhere':
      return {
        heading: l10n.t('This page redirects to another site'),
        lines: [
          l10n.t(
            "{0} redirects to {1}, which can't be shown here. Open it in an external browser instead.",
            host,
            framing.host,
          ),
        ],
        buttons,
      };
    case 'failed':
      return {
        heading: l10n.t("Couldn't load this live view"),
        lines: [
          l10n.t('{0} returned HTTP {1}. The session may have ended or may still be starting.', host, framing.status),
        ],
        buttons: [words('reload', l10n.t('Try Again')), openExternal()],
      };
  }
}

/** Shown if it's not known whether the page may be framed, because the request failed. */
export function notAskedCard(error: ProviderError, host: string): PanelCard {
  return {
    heading: l10n.t("Couldn't reach this live view"),
    lines: [troubleSentence(error, host)],
    buttons: [words('reload', l10n.t('Try Again')), words('frameAnyway', l10n.t('Show Anyway')), openExternal()],
  };
}

/** @param link whether the provider has a page that a browser could show. */
export function troubleCard(error: ProviderError, host: string, link: boolean): PanelCard {
  const sentence =
    error.trouble.kind === 'notFound'
      ? l10n.t("{0} couldn't find this session or page. It may have ended.", host)
      : troubleSentence(error, host);
  return {
    heading: l10n.t("Live view isn't available"),
    lines: [sentence],
    buttons: [words('reload', l10n.t('Try Again')), ...(link ? [openExternal()] : [])],
  };
}

/** What a user can do after a session is over. */
export interface Afterwards {
  readonly recording: boolean;
  readonly dashboard: boolean;
  /** The name of another session of the same group or account. */
  readonly next: string | undefined;
}

/** Shown when a session has ended. @param ended what is known about its confirmed end. */
export function endedCard(ended: KnownEnd, afterwards: Afterwards): PanelCard {
  return { ...whatIsKnown(ended), buttons: buttonsAfter(afterwards, false) };
}

/**
 * Shown in place of a session that isn't listed and whose end isn't confirmed.
 * @param host the account's host; empty if its key has changed, because the new key can't tell about this session.
 */
export function unconfirmedCard(host: string, afterwards: Afterwards): PanelCard {
  const line =
    host === ''
      ? l10n.t(
          "This account's key was replaced, so Browser Sessions can't check whether this session is still running.",
        )
      : notListedSentence(host);
  return {
    heading: l10n.t("Couldn't confirm that this session ended"),
    lines: [line],
    buttons: buttonsAfter(afterwards, true),
  };
}

function buttonsAfter({ recording, dashboard, next }: Afterwards, canLookAgain: boolean): readonly ButtonWords[] {
  return [
    ...(recording ? [words('openRecording', l10n.t('Open Recording'))] : []),
    ...(dashboard ? [words('openDashboard', l10n.t('Open Dashboard'))] : []),
    ...(canLookAgain ? [words('reload', l10n.t('Check Again'))] : []),
    ...(next === undefined ? [] : [words('showNext', l10n.t('Show {0}', next))]),
    words('close', l10n.t('Close')),
  ];
}

function whatIsKnown(ended: KnownEnd): Omit<PanelCard, 'buttons'> {
  const heading = l10n.t('Session ended');
  if (ended === 'confirmed') {
    return { heading, lines: [l10n.t("It's no longer running. When and how it ended isn't known.")] };
  }
  if ('by' in ended) {
    return { heading: ended.by === 'elsewhere' ? l10n.t('No longer running') : heading, lines: [endedSentence(ended)] };
  }
  return { heading, lines: [endCauseSentence(ended)] };
}

/** When and how a session ended, and how long it had been running. */
function endedSentence({ by, startedAt, startIsExact, endedAt }: EndedSession): string {
  const at = timeOfDay(endedAt);
  const age = spokenAge({ at: startedAt, exact: startIsExact }, endedAt);
  return [howItEnded(by, at), ...(age === undefined ? [] : [l10n.t('It ran for {0}.', age)])].join(' ');
}

function howItEnded(by: EndedSession['by'], at: string): string {
  switch (by) {
    case 'you':
      return l10n.t('You ended it at {0}.', at);
    case 'timedOut':
      return l10n.t('It timed out at {0}.', at);
    case 'failed':
      return l10n.t('It failed at {0}.', at);
    case 'elsewhere':
      return l10n.t('It had ended by {0}, either by itself or because someone else ended it.', at);
  }
}

function endCauseSentence({ how, endedAt }: EndCause): string {
  const at = endedAt === undefined ? undefined : timeOfDay(endedAt);
  switch (how) {
    case 'timedOut':
      return at === undefined ? l10n.t('It timed out.') : l10n.t('It timed out at {0}.', at);
    case 'failed':
      return at === undefined ? l10n.t('It failed.') : l10n.t('It failed at {0}.', at);
    case 'completed':
      return at === undefined
        ? l10n.t("The provider doesn't say when or how it ended.")
        : l10n.t('It ended at {0}.', at);
  }
}

/** Shown when the account was removed: without it, the session can't be watched. */
export function accountGoneCard(): PanelCard {
  return {
    heading: l10n.t('The account was removed'),
    lines: [l10n.t('Its session may still be running. To watch it, add the account again.')],
    buttons: [words('close', l10n.t('Close'))],
  };
}

/** The meaning of the dot beside a panel's name. */
export function dotWord(dot: PanelState['dot']): string {
  switch (dot) {
    case 'live':
      return l10n.t('running');
    case 'idle':
      return l10n.t('idle');
    case 'ending':
      return l10n.t('ending');
    case 'trouble':
      return l10n.t('not ended');
    case 'ended':
      return l10n.t('not running');
    case 'unknown':
      return l10n.t('may still be running');
  }
}

/** The note over the image, if there is one. */
export function castNote(condition: ScreencastState['condition']): string | undefined {
  switch (condition) {
    case 'opening':
      return l10n.t('Waiting for the first image…');
    case 'live':
      return undefined;
    case 'background':
      return l10n.t('This page is in a background tab. It updates once a second.');
    case 'crashed':
      return l10n.t("This page has crashed. It will appear here again once it's reloaded.");
    case 'noPage':
      return l10n.t('No page is open. The next one that opens will appear here.');
  }
}
