import type { Clock } from '../core/clock.ts';
import { Emitter, type Event } from '../core/event.ts';

/** Most frames that are delivered but not drawn: one is being drawn while the next is on its way, or waits. */
const mostHanded = 2;

/** An image of a page's whole viewport. */
export interface Frame {
  /** Identifies it for {@link FrameQueue.drawn}. */
  readonly number: number;
  /** Has its buffer to itself, so that the whole buffer can be passed on. */
  readonly jpeg: Uint8Array<ArrayBuffer>;
  /** The viewport's size in CSS pixels, the unit of input coordinates. */
  readonly width: number;
  readonly height: number;
}

/** A frame before it's numbered. */
export type Picture = Omit<Frame, 'number'>;

/** A frame on its way to the screen, and how to acknowledge it to the browser. */
export interface Delivery {
  readonly picture: Picture;
  readonly acknowledge: () => void;
  /** Whether its image is of a document that the page no longer has. */
  readonly isOutdated?: boolean;
}

/**
 * Delivers frames no faster than they are drawn. At most two are delivered and not drawn yet, and of those that follow,
 * only the newest waits.
 */
export class FrameQueue {
  /** Numbers continue across queues: a panel may still report a frame of its previous connection. */
  static #lastNumber = 0;

  readonly #clock: Clock;
  readonly #frame = new Emitter<Frame>();
  /** Delivered but not drawn yet, oldest first. */
  #handed: readonly (Delivery & { readonly number: number })[] = [];
  #waiting: Delivery | undefined;
  #last: Uint8Array<ArrayBuffer> | undefined;
  /** Since when an image of the page is on the screen, in monotonic milliseconds. */
  #seenAt: number | undefined;

  /** Fires with each frame to draw, in order. After two of the same page, the next one waits for {@link drawn}. */
  readonly onFrame: Event<Frame> = this.#frame.event;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For how many milliseconds an image of the page has been on the screen; undefined if none has. */
  get seenForMs(): number | undefined {
    return this.#seenAt === undefined ? undefined : this.#clock.monotonic() - this.#seenAt;
  }

  /** Delivers a frame, or lets it wait. A frame with the same image as the one before is acknowledged and dropped. */
  add(delivery: Delivery): void {
    const { jpeg } = delivery.picture;
    // Chrome sends the same image again for many reasons. Only a different one matters.
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

  /**
   * Reports that a frame has been drawn, or can't be, which settles the ones before it too. A waiting frame is then
   * delivered.
   * @param isOnScreen false if it couldn't be drawn, so that the previous image is still there.
   */
  drawn(number: number, isOnScreen = true): void {
    // Ignores frames of an earlier page, which were forgotten, and numbers that were never delivered.
    const shown = this.#handed.find((one) => one.number === number);
    if (shown === undefined) return;
    if (isOnScreen && shown.isOutdated !== true) this.#seenAt ??= this.#clock.monotonic();
    // Frames delivered earlier are drawn too, or were lost on the way.
    const done = this.#handed.filter((one) => one.number <= number);
    this.#handed = this.#handed.filter((one) => one.number > number);
    for (const { acknowledge } of done) acknowledge();
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next !== undefined) this.#deliver(next);
  }

  /** Call it when the page has another document: what is on its way counts as an image of the previous one. */
  beginDocument(): void {
    this.#handed = this.#handed.map((one) => ({ ...one, isOutdated: true }));
    this.#waiting &&= { ...this.#waiting, isOutdated: true };
    this.#last = undefined;
    this.#seenAt = undefined;
  }

  /**
   * Forgets delivered and waiting frames: they are of a page that we're no longer attached to, so they can't be
   * acknowledged.
   */
  forget(): void {
    this.#handed = [];
    this.#waiting = undefined;
    this.#last = undefined;
    this.#seenAt = undefined;
  }

  #deliver(delivery: Delivery): void {
    const number = ++FrameQueue.#lastNumber;
    this.#handed = [...this.#handed, { ...delivery, number }];
    this.#frame.fire({ ...delivery.picture, number });
  }
}
