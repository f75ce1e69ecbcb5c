import type { Protocol } from 'devtools-protocol';
import * as v from 'valibot';
import type { CdpEvent } from '../core/cdp.ts';
import type { Picture } from './frameQueue.ts';
import type { EventName } from './protocol.ts';

/** A JavaScript dialog that blocks the page, such as an alert. */
export interface PageDialog {
  readonly type: string;
  readonly message: string;
}

/** An event about the page that is shown. */
export type PageEvent =
  | {
      readonly kind: 'frame';
      /** The number to acknowledge it with; undefined if it can't be read, and then it's never acknowledged. */
      readonly ackId: number | undefined;
      /** Undefined if it can't be read. */
      readonly picture: Picture | undefined;
    }
  | { readonly kind: 'visibility'; readonly visible: boolean }
  /** The page navigated to a new document. Only reported while dialogs are. */
  | { readonly kind: 'navigated' }
  | { readonly kind: 'reloadedAfterCrash' }
  /** The dialog that is open now; undefined for none, or one that can't be read. */
  | { readonly kind: 'dialog'; readonly dialog: PageDialog | undefined };

/** A schema that reads some of the fields that Chrome documents. */
type ReadsOf<Told, Key extends keyof Told> = v.GenericSchema<unknown, { readonly [K in Key]: PartOf<Told[K]> }>;
type PartOf<T> = T extends object ? Partial<T> : T;

const Numbered = v.object({ sessionId: v.number() }) satisfies ReadsOf<Protocol.Page.ScreencastFrameEvent, 'sessionId'>;
const ScreencastFrame = v.object({
  data: v.string(),
  metadata: v.object({ deviceWidth: v.number(), deviceHeight: v.number() }),
}) satisfies ReadsOf<Protocol.Page.ScreencastFrameEvent, 'data' | 'metadata'>;
const Visibility = v.object({ visible: v.boolean() }) satisfies ReadsOf<
  Protocol.Page.ScreencastVisibilityChangedEvent,
  'visible'
>;
/** The page's own frame has no parent. */
const Navigated = v.object({ frame: v.object({ parentId: v.optional(v.undefined()) }) });
const Dialog = v.object({ type: v.string(), message: v.fallback(v.string(), '') });

/** Reads an event about a page; undefined if it isn't needed or can't be read. */
export function pageEvent({ method, params }: CdpEvent): PageEvent | undefined {
  switch (method as EventName) {
    case 'Page.screencastFrame':
      return { kind: 'frame', ackId: ackIdIn(params), picture: pictureIn(params) };
    case 'Page.screencastVisibilityChanged': {
      const parsed = v.safeParse(Visibility, params);
      return parsed.success ? { kind: 'visibility', visible: parsed.output.visible } : undefined;
    }
    case 'Page.frameNavigated':
      return v.is(Navigated, params) ? { kind: 'navigated' } : undefined;
    case 'Inspector.targetReloadedAfterCrash':
      return { kind: 'reloadedAfterCrash' };
    case 'Page.javascriptDialogOpening': {
      const parsed = v.safeParse(Dialog, params);
      return { kind: 'dialog', dialog: parsed.success ? parsed.output : undefined };
    }
    case 'Page.javascriptDialogClosed':
      return { kind: 'dialog', dialog: undefined };
    default:
      return undefined;
  }
}

function ackIdIn(params: CdpEvent['params']): number | undefined {
  const numbered = v.safeParse(Numbered, params);
  return numbered.success ? numbered.output.sessionId : undefined;
}

function pictureIn(params: CdpEvent['params']): Picture | undefined {
  const parsed = v.safeParse(ScreencastFrame, params);
  if (!parsed.success) return undefined;
  const { data, metadata } = parsed.output;
  return { jpeg: bytesOf(data), width: metadata.deviceWidth, height: metadata.deviceHeight };
}

/** Decodes base64. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  // Copied, because small Buffers share their memory with others.
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
