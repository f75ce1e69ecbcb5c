import * as l10n from '@vscode/l10n';
import type { Screencast } from '../../cdp/screencast.ts';
import type { Account } from '../../core/account.ts';
import type { LiveView, ViewMode } from '../../core/liveView.ts';
import type { Page } from '../../core/page.ts';
import { plainText } from '../../core/plainText.ts';
import { type ProviderKind, waysToSee } from '../../core/provider.ts';
import type { Session } from '../../core/session.ts';
import type { SessionsView } from '../../services/sessions/sessionsView.ts';
import { spokenAge } from '../text/ages.ts';
import { accountName, pageName } from '../text/names.ts';
import { notListed, shortStuck } from '../text/troubles.ts';
import {
  castNote,
  dotWord,
  type KnownEnd,
  notAskedCard,
  refusedCard,
  singleUseCard,
  viewerUsesClipboard,
  waitingCard,
} from '../text/watching.ts';
import type { PanelCard, PanelStage, PanelState } from './messages.ts';
import type { LiveViewTarget, ViewSource } from './viewSource.ts';

/** What a panel is connected to, or why it isn't. */
export type Stage =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'card';
      readonly card: PanelCard;
      /** The link that works only once, if the card is about one. */
      readonly once?: LiveView;
      /** Whether it describes how watching affects the session, and waits for the user to accept that. */
      readonly effect?: boolean;
      /** Whether the viewer is paused, until the user resumes it. */
      readonly paused?: boolean;
    }
  | OverStage
  | {
      readonly kind: 'frame';
      readonly view: LiveView;
      readonly url: URL;
      readonly number: number;
      /** How many times it may take the keyboard while it loads before it's paused. */
      readonly forgives: number;
    }
  | { readonly kind: 'cast'; readonly screencast: Screencast }
  /** The connection was lost and is being restored. */
  | { readonly kind: 'lost' };

/** The session is over, or nothing more is known about it. */
export interface OverStage {
  readonly kind: 'over';
  readonly card: PanelCard;
  /** Undefined if its end isn't confirmed. */
  readonly knownEnd: KnownEnd | undefined;
}

/** What {@link panelState} needs to know about a panel. */
export interface Shown {
  readonly target: LiveViewTarget;
  readonly mode: ViewMode;
  readonly stage: Stage;
  /** The session's name, as plain text. */
  readonly name: string;
  /** Undefined after it was removed. */
  readonly account: Account | undefined;
  readonly kind: ProviderKind | undefined;
  /** As it was last listed. */
  readonly session: Session | undefined;
  /** When the session that the panel was opened for started, in epoch milliseconds. */
  readonly firstStart: number | undefined;
  /** When the account's key was entered; see `FirstSession`. */
  readonly keyAt: number | undefined;
  readonly pages: readonly Page[];
  /** Whether the user has confirmed the notice about interacting. */
  readonly hasSeenInteractNotice: boolean;
  /** The use of the clipboard that the user has read of; undefined for none. */
  readonly seenClipboardUse: ClipboardUse | undefined;
  /** Whether to hint that the frame may be blank. */
  readonly hint: boolean;
  /** Whether the panel is visible, or stays connected while it's hidden. */
  readonly lasts: boolean;
}

/** Returns everything that the panel's page draws. */
export function panelState(shown: Shown, store: SessionsView, now: number): PanelState {
  const { target, mode, stage, account, session, pages, firstStart, keyAt } = shown;
  const { accountId, sessionId, pageId } = target;
  const isOver = stage.kind === 'over';
  const link = !isOver && waysToSee(store.capabilities(accountId), session?.canWatch ?? true).link;
  const dot = dotOf(shown, store);
  return {
    type: 'state',
    identity: { v: 1, accountId, sessionId, pageId, startedAt: firstStart, keyAt },
    mode,
    name: shown.name,
    account: account === undefined ? '' : accountName(account, shown.kind),
    dot,
    dotWord: dotWord(dot),
    status: isOver ? dotWord(dot) : status(target, store, now),
    pages: isOver ? [] : pages.map((page) => ({ id: page.id, label: pageName(page) })),
    shownPage: (stage.kind === 'cast' ? stage.screencast.state.shown : pageId) ?? pages[0]?.id ?? '',
    stage: panelStage(shown),
    notice: notice(shown),
    can: {
      mode: isWatching(stage),
      fit: stage.kind === 'cast',
      copyLink: link,
      openIn: link,
      endSession: !isOver && store.life(accountId, sessionId).kind !== 'ending',
      reload: !isOver,
    },
  };
}

/** The card shown instead of a provider's page that can't be framed, or not yet. */
export function cardStage(viewSource: Exclude<ViewSource, { readonly kind: 'frame' | 'devtools' }>): Stage {
  switch (viewSource.kind) {
    case 'singleUse':
      return { kind: 'card', card: singleUseCard(), once: viewSource.view };
    case 'refused':
      return { kind: 'card', card: refusedCard(viewSource.framing, viewSource.host) };
    case 'notAsked':
      return { kind: 'card', card: notAskedCard(viewSource.error, viewSource.host) };
  }
}

/** Whether a viewer is paused because it took the keyboard. */
export function isPaused(stage: Stage): boolean {
  return stage.kind === 'card' && stage.paused === true;
}

/** Whether a panel is connected to its session. */
export function isWatching({ kind }: Stage): boolean {
  return kind === 'frame' || kind === 'cast';
}

/** Whether what a panel shows, or a link that it offers, was made with the account's key. */
export function usesKey(stage: Stage): boolean {
  return isWatching(stage) || (stage.kind === 'card' && stage.once !== undefined);
}

function dotOf({ target, session, stage }: Shown, store: SessionsView): PanelState['dot'] {
  if (stage.kind === 'over') return stage.knownEnd === undefined ? 'unknown' : 'ended';
  const { accountId, sessionId } = target;
  const { kind } = store.life(accountId, sessionId);
  if (kind === 'stuck') return 'trouble';
  if (kind === 'ending') return 'ending';
  const isListed = store.session(accountId, sessionId) !== undefined && !store.missing(accountId).has(sessionId);
  if (!isListed && !sendsPictures(stage)) return 'unknown';
  return session?.phase === 'idle' ? 'idle' : 'live';
}

function status({ accountId, sessionId }: LiveViewTarget, store: SessionsView, now: number): string {
  const life = store.life(accountId, sessionId);
  if (life.kind === 'ending') return l10n.t('ending…');
  if (life.kind === 'stuck') return shortStuck(life.why);
  if (store.missing(accountId).has(sessionId)) return notListed();
  const start = store.startOf(accountId, sessionId);
  const age = start && spokenAge(start, now);
  return age === undefined ? '' : l10n.t('running for {0}', age);
}

/** Whether frames arrive, which only a running browser sends. */
export function sendsPictures(stage: Stage): boolean {
  if (stage.kind !== 'cast') return false;
  const { condition } = stage.screencast.state;
  return condition === 'live' || condition === 'background';
}

/** What a framed viewer can do with the clipboard. */
export type ClipboardUse = 'change' | 'readAndChange';

/** What the framed viewer can do with the clipboard; undefined in view-only mode, and where nothing is framed. */
export function clipboardUse(stage: Stage, mode: ViewMode): ClipboardUse | undefined {
  if (stage.kind !== 'frame' || mode !== 'interact') return undefined;
  // After a click, any page may copy to the clipboard by `execCommand`, without a permission (Chromium 156).
  return /\bclipboard-read\b/.test(allowed(stage.view, mode)) ? 'readAndChange' : 'change';
}

/**
 * What a frame may use. In view-only mode it gets no permissions, and above all no clipboard. Permissions are fixed
 * when a frame loads, so a link that may work only once never gets any.
 */
function allowed({ allow, singleUse }: LiveView, mode: ViewMode): string {
  return mode === 'interact' && singleUse === 'no' ? allow : '';
}

/**
 * Whether a viewer must be requested again because the mode changes: its link has a mode of its own, or the same frame would stay
 * in view-only mode, where the user's last click in it would let it use the clipboard for five more seconds.
 */
export function needsNewFrame(view: LiveView, mode: ViewMode): boolean {
  return view.fixedMode || (mode === 'watch' && allowed(view, 'interact') === allowed(view, 'watch'));
}

function panelStage({ stage, mode, name, account, lasts }: Shown): PanelStage {
  switch (stage.kind) {
    case 'idle':
      return { kind: 'card', card: waitingCard(), overLast: false };
    case 'card':
      return { kind: 'card', card: stage.card, overLast: false };
    case 'over':
      // Without an account, a session may keep running, and its frame would keep showing it.
      return { kind: 'card', card: stage.card, overLast: account !== undefined && lasts };
    case 'frame': {
      const { view, url, number, forgives } = stage;
      const { sandbox, disconnectMessage } = view;
      return {
        kind: 'frame',
        number,
        url: url.href,
        sandbox,
        allow: allowed(view, mode),
        forgives,
        title: l10n.t('Live view of {0}', name),
        disconnectMessage,
      };
    }
    case 'cast': {
      const { condition } = stage.screencast.state;
      return { kind: 'cast', note: castNote(condition), stale: !sendsPictures(stage) };
    }
    case 'lost':
      return { kind: 'cast', note: l10n.t('Connection lost. Reconnecting…'), stale: true };
  }
}

function notice({ stage, mode, hasSeenInteractNotice, seenClipboardUse, hint }: Shown): PanelState['notice'] {
  const dialog = stage.kind === 'cast' ? stage.screencast.state.dialog : undefined;
  if (dialog !== undefined) {
    const ok = { button: 'acceptDialog', label: l10n.t('OK') } as const;
    return {
      text: l10n.t('The page says: {0}', plainText(dialog.message, 300)),
      buttons: dialog.type === 'alert' ? [ok] : [ok, { button: 'dismissDialog', label: l10n.t('Cancel') }],
    };
  }
  const use = clipboardUse(stage, mode);
  const isNew = use !== undefined && use !== seenClipboardUse && seenClipboardUse !== 'readAndChange';
  if (mode === 'interact' && isWatching(stage) && (!hasSeenInteractNotice || isNew)) {
    const keys = stage.kind === 'cast' ? [l10n.t('Keystrokes go to the page too, until you press F6.')] : [];
    const warning = l10n.t(
      'Your clicks and keystrokes go to the page and can interfere with a script that is using it.',
    );
    const copies = use === undefined ? [] : [viewerUsesClipboard(use === 'readAndChange')];
    return {
      text: [warning, ...keys, ...copies].join(' '),
      buttons: [{ button: 'understood', label: l10n.t('Got It') }],
    };
  }
  if (!hint) return undefined;
  return {
    text: l10n.t('Blank? The provider may not allow its viewer inside an editor.'),
    buttons: [
      { button: 'openExternal', label: l10n.t('Open in External Browser') },
      { button: 'hideHint', label: l10n.t('Got It') },
    ],
  };
}
