import type { Frame } from '../../cdp/frameQueue.ts';

/** The panel that a connection belongs to. */
export interface ConnectionOwner {
  /** Whether the panel is visible. */
  readonly isSeen: () => boolean;
  /** Whether the panel stays connected while it's hidden. */
  readonly staysConnected: () => boolean;
  /** Called when more may be known about the session, such as its name. */
  readonly onLearn: () => void;
  /** Called when the panel has to be redrawn. */
  readonly onChange: () => void;
  readonly onFrame: (frame: Frame) => void;
}
