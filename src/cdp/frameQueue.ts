import { Emitter, type Event } from '../core/event.ts';

/** Frames that are handed over at once: one is drawn while the next is on its way, or waits. */
const mostHanded = 2;

/** A picture of a page, all of its viewport. */
export interface Frame {
  /** Names it in {@link FrameQueue.drawn}. */
  readonly number: number;
  /** Alone in its memory, so that it can be handed on whole. */
  readonly jpeg: Uint8Array<ArrayBuffer>;
  /** The viewport's size in CSS pixels, which is what coordinates of input are in. */
  readonly width: number;
  readonly height: number;
}

/** A picture before it is numbered. */
export type Picture = Omit<Frame, 'number'>;

/** A frame on its way to the screen, and how the browser is told that it got there. */
export interface Delivery {
  readonly picture: Picture;
  readonly acknowledge: () => void;
}

/** Hands frames over no faster than they are drawn: of those that were handed over at most one waits, the newest. */
export class FrameQueue {
  readonly #frame = new Emitter<Frame>();
  /** Handed over, and not drawn yet; the oldest first. */
  #handed: readonly (Delivery & { readonly number: number })[] = [];
  #waiting: Delivery | undefined;
  #lastNumber = 0;
  #last: Uint8Array<ArrayBuffer> | undefined;

  /** Fires with each frame to be drawn, in order. After two of the same page the next one comes after {@link drawn}. */
  readonly onFrame: Event<Frame> = this.#frame.event;

  /** Hands a frame over, or lets it wait. One that shows the same as the one before it is acknowledged and dropped. */
  add(delivery: Delivery): void {
    const { jpeg } = delivery.picture;
    // Chrome sends a picture anew for many a reason. Only one that shows something else is news.
    if (this.#last !== undefined && Buffer.compare(jpeg, this.#last) === 0) {
      delivery.acknowledge();
      return;
    }
    this.#last = jpeg;
    if (this.#handed.length < mostHanded) {
      this.#deliver(delivery);
      return;
    }
    const replaced = this.#waiting;
    this.#waiting = {
      picture: delivery.picture,
      acknowledge: () => {
        replaced?.acknowledge();
        delivery.acknowledge();
      },
    };
  }

  /** Says that a frame is on the screen, or cannot be drawn, and with it those before it; one that waits then comes. */
  drawn(number: number): void {
    // One of a page that is shown no longer was forgotten meanwhile, and one that was never handed over is none.
    if (!this.#handed.some((one) => one.number === number)) return;
    // What was handed over before it is drawn, too, or lost on the way.
    const done = this.#handed.filter((one) => one.number <= number);
    this.#handed = this.#handed.filter((one) => one.number > number);
    for (const { acknowledge } of done) acknowledge();
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next !== undefined) this.#deliver(next);
  }

  /** Forgets what was handed over, or waits: it is of a page that has no client in us any longer to acknowledge it. */
  forget(): void {
    this.#handed = [];
    this.#waiting = undefined;
    this.#last = undefined;
  }

  #deliver(delivery: Delivery): void {
    const number = ++this.#lastNumber;
    this.#handed = [...this.#handed, { ...delivery, number }];
    this.#frame.fire({ ...delivery.picture, number });
  }
}
