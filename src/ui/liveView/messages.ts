import * as v from 'valibot';
import type { PageInput } from '../../cdp/pageInput.ts';
import { idFault } from '../../core/ids.ts';
import type { ViewMode } from '../../core/liveView.ts';

/**
 * What a panel keeps across reloads: what it shows. Never an address: VS Code writes this to disk, and anyone with the
 * address can watch. Never the mode either: panels always start in view-only mode.
 */
export interface PanelIdentity {
  readonly v: 1;
  readonly accountId: string;
  readonly sessionId: string;
  /** Undefined for whichever page the session shows. */
  readonly pageId: string | undefined;
  /** When the session started, in epoch milliseconds, to tell it from one that gets its ID. Undefined if that isn't known. */
  readonly startedAt: number | undefined;
  /** When the account's key was entered, in epoch milliseconds. Undefined without a key, or if it can't be read. */
  readonly keyAt: number | undefined;
}

/** A panel's buttons, named for what they do. */
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

/** A button and its label. */
export interface ButtonWords {
  readonly button: PanelButton;
  readonly label: string;
}

/** A card in place of the session, or over its last image. */
export interface PanelCard {
  readonly heading: string;
  readonly lines: readonly string[];
  /** The first is the one that most users want. */
  readonly buttons: readonly ButtonWords[];
}

/** What a panel shows below its toolbar. */
export type PanelStage =
  | { readonly kind: 'card'; readonly card: PanelCard; readonly overLast: boolean }
  | {
      readonly kind: 'frame';
      /** Changes with each address, so that every frame is loaded once. */
      readonly number: number;
      readonly url: string;
      readonly sandbox: string;
      /** The frame's permissions in this mode. Another value reloads the frame. */
      readonly allow: string;
      /** How many times it may take the keyboard while it loads before it's paused. */
      readonly forgives: number;
      readonly title: string;
      /** The message that the framed page posts when its session is over. */
      readonly disconnectMessage: string | undefined;
    }
  /** Images come in separate messages. `note` is shown over them; `stale` dims them. */
  | { readonly kind: 'cast'; readonly note: string | undefined; readonly stale: boolean };

/** Everything that a panel's page draws, except images. All text is plain. */
export interface PanelState {
  readonly type: 'state';
  readonly identity: PanelIdentity;
  readonly mode: ViewMode;
  readonly name: string;
  readonly account: string;
  readonly dot: 'live' | 'idle' | 'ending' | 'trouble' | 'ended' | 'unknown';
  /** The meaning of `dot`, for screen readers. */
  readonly dotWord: string;
  /** How long the session has been running, or that it's over or may be. */
  readonly status: string;
  readonly pages: readonly { readonly id: string; readonly label: string }[];
  /** The page that is shown; empty if that isn't known. */
  readonly shownPage: string;
  readonly stage: PanelStage;
  /** A line below the toolbar. */
  readonly notice: { readonly text: string; readonly buttons: readonly ButtonWords[] } | undefined;
  /** Which parts of the toolbar are available. */
  readonly can: {
    readonly mode: boolean;
    readonly fit: boolean;
    readonly copyLink: boolean;
    readonly openIn: boolean;
    readonly endSession: boolean;
    readonly reload: boolean;
  };
}

/** One image of the session. */
export interface PanelFrame {
  readonly type: 'frame';
  readonly number: number;
  /** The page's viewport in CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

/** The user has answered what a button opened, and is back at the panel. */
export interface Answered {
  readonly type: 'answered';
}

/** A message to a panel's page. */
export type ToPanel = PanelState | PanelFrame | Answered;

const Id = v.pipe(
  v.string(),
  v.check((raw) => idFault(raw) === undefined),
);
/** The maximum size of images in pixels; null for the page's own size. */
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
  /** A frame was drawn, or couldn't be, and the previous one is still on the screen. */
  v.object({ type: v.literal('drawn'), number: v.number(), isOnScreen: v.boolean() }),
  v.object({ type: v.literal('button'), button: v.picklist(panelButtons), byPointer: v.boolean() }),
  /** An empty id stands for whichever page the session shows. */
  v.object({ type: v.literal('page'), id: v.union([Id, v.literal('')]) }),
  v.object({ type: v.literal('input'), input: Input }),
  v.object({ type: v.literal('paste') }),
  /** A frame took the keyboard in view-only mode; `hadFocus` says whether the panel's page had it before. */
  v.object({ type: v.literal('keyboardTaken'), number: v.number(), hadFocus: v.boolean(), paused: v.boolean() }),
  /** What was typed before the editor had the keyboard back. */
  v.object({ type: v.literal('stray'), text: ShortText }),
  v.object({ type: v.literal('disconnectMessage') }),
]);

/** A message from a panel's page. */
export type FromPanel = v.InferOutput<typeof FromPanel>;

/** Reads a message from a panel's page; undefined for anything else. */
export function fromPanel(message: unknown): FromPanel | undefined {
  const result = v.safeParse(FromPanel, message);
  return result.success ? result.output : undefined;
}

const Identity = v.object({
  v: v.literal(1),
  accountId: v.pipe(v.string(), v.nonEmpty()),
  sessionId: Id,
  pageId: v.optional(Id),
  startedAt: v.fallback(v.optional(Finite), undefined),
  keyAt: v.fallback(v.optional(Finite), undefined),
});

/**
 * Reads the state that a panel stored; undefined if it isn't valid. It comes from the editor's files, which other
 * programs can write.
 */
export function identityOf(kept: unknown): PanelIdentity | undefined {
  const result = v.safeParse(Identity, kept);
  if (!result.success) return undefined;
  const { pageId, startedAt, keyAt, ...identity } = result.output;
  return { ...identity, pageId, startedAt, keyAt };
}
