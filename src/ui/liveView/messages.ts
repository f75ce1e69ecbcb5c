import * as v from 'valibot';
import type { PageInput } from '../../cdp/pageInput.ts';
import { idFault } from '../../core/ids.ts';
import type { ViewMode } from '../../core/liveView.ts';

/**
 * What a panel keeps between windows: who it shows. Never an address: VS Code writes this to the disk, and whoever has the
 * address can watch. Nor whether the user steers, which each window begins without.
 */
export interface PanelIdentity {
  readonly v: 1;
  readonly accountId: string;
  readonly sessionId: string;
  /** Undefined for whatever page the session shows. */
  readonly pageId: string | undefined;
}

/** What can be pressed on a panel, by what it does. */
export type PanelButton = (typeof panelButtons)[number];

const panelButtons = [
  'reload',
  'mode',
  'copyLink',
  'openIn',
  'openExternal',
  'endSession',
  'watch',
  'resume',
  'openOnce',
  'frameAnyway',
  'openRecording',
  'openDashboard',
  'showNext',
  'close',
  'understood',
  'hideHint',
  'acceptDialog',
  'dismissDialog',
] as const;

/** A button with its words. */
export interface ButtonWords {
  readonly button: PanelButton;
  readonly label: string;
}

/** What stands where the session would be, or over what was last seen of it. */
export interface PanelCard {
  readonly heading: string;
  readonly lines: readonly string[];
  /** The first is the one that most people want. */
  readonly buttons: readonly ButtonWords[];
}

/** What a panel shows below its toolbar. */
export type PanelStage =
  | { readonly kind: 'card'; readonly card: PanelCard; readonly overLast: boolean }
  | {
      readonly kind: 'frame';
      /** Changes with each address, so that a frame is loaded once. */
      readonly number: number;
      readonly url: string;
      readonly sandbox: string;
      /** What the frame may use in this mode. Another value loads the frame again. */
      readonly allow: string;
      /** How many times it may take the keyboard while it loads before it is paused for that. */
      readonly forgives: number;
      readonly title: string;
      /** What the framed page posts when its session is over. */
      readonly disconnectMessage: string | undefined;
    }
  /** Pictures come in messages of their own. `note` stands over them; `stale` dims them. */
  | { readonly kind: 'cast'; readonly note: string | undefined; readonly stale: boolean };

/** All that a panel's page draws, except pictures. Every text is plain. */
export interface PanelState {
  readonly type: 'state';
  readonly identity: PanelIdentity;
  readonly mode: ViewMode;
  readonly name: string;
  readonly account: string;
  readonly dot: 'live' | 'idle' | 'ending' | 'trouble' | 'ended' | 'unknown';
  /** The same for whoever does not see it. */
  readonly dotWord: string;
  /** How long it has run, or that it is over or may be. */
  readonly status: string;
  readonly pages: readonly { readonly id: string; readonly label: string }[];
  /** The page that is shown, or an empty text where that is not known. */
  readonly shownPage: string;
  readonly stage: PanelStage;
  /** A line below the toolbar. */
  readonly notice: { readonly text: string; readonly buttons: readonly ButtonWords[] } | undefined;
  /** What of the toolbar can be used now. */
  readonly can: {
    readonly mode: boolean;
    readonly fit: boolean;
    readonly copyLink: boolean;
    readonly openIn: boolean;
    readonly endSession: boolean;
    readonly reload: boolean;
  };
}

/** One picture of the session. */
export interface PanelFrame {
  readonly type: 'frame';
  readonly number: number;
  /** The page's viewport in CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

/** What is sent to a panel's page. */
export type ToPanel = PanelState | PanelFrame;

const Id = v.pipe(
  v.string(),
  v.check((raw) => idFault(raw) === undefined),
);
/** How many pixels a picture may have; null for as many as the page has. */
const Size = v.nullable(
  v.object({ width: v.pipe(v.number(), v.minValue(1)), height: v.pipe(v.number(), v.minValue(1)) }),
);
const Finite = v.pipe(v.number(), v.finite());
const Modifiers = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15));
const ShortText = v.pipe(v.string(), v.maxLength(100));

const Input = v.variant('kind', [
  v.object({
    kind: v.literal('mouse'),
    type: v.picklist(['mousePressed', 'mouseReleased', 'mouseMoved']),
    x: Finite,
    y: Finite,
    button: v.picklist(['none', 'left', 'middle', 'right']),
    buttons: Finite,
    clickCount: Finite,
    modifiers: Modifiers,
  }),
  v.object({ kind: v.literal('wheel'), x: Finite, y: Finite, deltaX: Finite, deltaY: Finite, modifiers: Modifiers }),
  v.object({
    kind: v.literal('key'),
    type: v.picklist(['keyDown', 'rawKeyDown', 'keyUp']),
    key: ShortText,
    code: ShortText,
    windowsVirtualKeyCode: Finite,
    text: ShortText,
    modifiers: Modifiers,
    location: Finite,
    autoRepeat: v.boolean(),
  }),
  v.object({ kind: v.literal('text'), text: v.pipe(v.string(), v.maxLength(1_000_000)) }),
]) satisfies v.GenericSchema<unknown, PageInput>;

const FromPanel = v.variant('type', [
  v.object({ type: v.literal('ready'), size: Size }),
  v.object({ type: v.literal('resized'), size: Size }),
  v.object({ type: v.literal('drawn'), number: v.number() }),
  v.object({ type: v.literal('button'), button: v.picklist(panelButtons) }),
  /** An empty id stands for whatever page the session shows. */
  v.object({ type: v.literal('page'), id: v.union([Id, v.literal('')]) }),
  v.object({ type: v.literal('input'), input: Input }),
  v.object({ type: v.literal('paste') }),
  /** A watched frame took the keyboard; `hadFocus` says whether the panel's page had it before. */
  v.object({ type: v.literal('keyboardTaken'), number: v.number(), hadFocus: v.boolean(), paused: v.boolean() }),
  /** While a frame is watched, the focus has come to the panel's page, and not by a click there. */
  v.object({ type: v.literal('focusMoved') }),
  /** What was typed before the editor had the keyboard back. */
  v.object({ type: v.literal('stray'), text: ShortText }),
  v.object({ type: v.literal('disconnectMessage') }),
]);

/** What a panel's page may say. */
export type FromPanel = v.InferOutput<typeof FromPanel>;

/** Reads what a panel's page says; undefined for anything else. */
export function fromPanel(message: unknown): FromPanel | undefined {
  const result = v.safeParse(FromPanel, message);
  return result.success ? result.output : undefined;
}

const Identity = v.object({
  v: v.literal(1),
  accountId: v.pipe(v.string(), v.nonEmpty()),
  sessionId: Id,
  pageId: v.optional(Id),
});

/** Reads what a panel kept, which anybody may have written into the editor's files; undefined for anything else. */
export function identityOf(kept: unknown): PanelIdentity | undefined {
  const result = v.safeParse(Identity, kept);
  return result.success ? { ...result.output, pageId: result.output.pageId } : undefined;
}
