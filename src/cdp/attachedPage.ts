import type { Protocol } from 'devtools-protocol';
import * as v from 'valibot';
import type { CdpConnection } from '../core/cdp.ts';
import type { PageId } from '../core/ids.ts';
import { read, Shot } from './answers.ts';
import type { Picture } from './frameQueue.ts';
import { bytesOf } from './pageEvents.ts';
import { inputCommand, type PageInput } from './pageInput.ts';
import { type Command, type Params, sendCommand } from './protocol.ts';

const quality = 80;
const Metrics = v.object({
  cssLayoutViewport: v.object({ clientWidth: v.number(), clientHeight: v.number() }),
}) satisfies v.GenericSchema<unknown, { readonly cssLayoutViewport: Partial<Protocol.Page.LayoutViewport> }>;

/** Maximum width and height of an image, in pixels; undefined for the page's own size. */
export type PictureSize = { readonly width: number; readonly height: number } | undefined;

/** A page that we are attached to as a client. Every method throws ProviderError as `CdpConnection.send` does. */
export class AttachedPage {
  readonly id: PageId;
  /** The DevTools session id that commands to the page carry. */
  readonly target: string;
  readonly #connection: CdpConnection;
  readonly #signal: AbortSignal;
  /** What releases the buttons and keys that are pressed. */
  readonly #releases = new Map<string, PageInput>();

  constructor(id: PageId, target: string, connection: CdpConnection, signal: AbortSignal) {
    this.id = id;
    this.target = target;
    this.#connection = connection;
    this.#signal = signal;
  }

  #send<C extends Command>(command: C, params: Params<C>) {
    return sendCommand(this.#connection, command, params, this.#signal, this.target);
  }

  /** Makes the browser send a frame each time it draws the page. */
  async startCast(size: PictureSize): Promise<void> {
    const most = size === undefined ? {} : { maxWidth: size.width, maxHeight: size.height };
    await this.#send('Page.startScreencast', { format: 'jpeg', quality, ...most });
  }

  /** Chrome can't change a running screencast, so it's stopped and started again. */
  async restartCast(size: PictureSize): Promise<void> {
    await Promise.all([this.#send('Page.stopScreencast', {}), this.startCast(size)]);
  }

  /** Acknowledges a frame. The browser sends at most two that aren't acknowledged. */
  async acknowledge(ackId: number): Promise<void> {
    await this.#send('Page.screencastFrameAck', { sessionId: ackId });
  }

  /** Takes a screenshot. This also works for a page that isn't drawn, unless the system doesn't draw its window. */
  async shoot(): Promise<Picture> {
    const [shot, metrics] = await Promise.all([
      this.#send('Page.captureScreenshot', { format: 'jpeg', quality, optimizeForSpeed: true }),
      this.#send('Page.getLayoutMetrics', {}),
    ]);
    const { clientWidth: width, clientHeight: height } = read(Metrics, metrics).cssLayoutViewport;
    return { jpeg: bytesOf(read(Shot, shot).data), width, height };
  }

  /** Makes the browser report the page's dialogs and leave them to us. */
  async takeDialogs(): Promise<void> {
    await this.#send('Page.enable', {});
  }

  /** Leaves dialogs to the browser and its other clients again. This makes Chrome end the screencast. */
  async leaveDialogs(): Promise<void> {
    await this.#send('Page.disable', {});
  }

  async answerDialog(accept: boolean): Promise<void> {
    await this.#send('Page.handleJavaScriptDialog', { accept });
  }

  async bringToFront(): Promise<void> {
    await this.#send('Page.bringToFront', {});
  }

  /** Sends the user's input to the page, except releases of what was pressed elsewhere. */
  async input(input: PageInput): Promise<void> {
    if (this.#track(input)) await this.#sendInput(input);
  }

  /** Releases all that is pressed. */
  async releaseAll(): Promise<void> {
    const all = [...this.#releases.values()];
    this.#releases.clear();
    await Promise.all(all.map((one) => this.#sendInput(one)));
  }

  /** Notes what is pressed and released. @returns whether the page gets the input. */
  #track(input: PageInput): boolean {
    if (input.kind === 'mouse' && input.type !== 'mouseMoved') {
      const { button } = input;
      if (input.type === 'mouseReleased') return this.#releases.delete(button);
      this.#releases.set(button, { ...input, type: 'mouseReleased', buttons: 0 });
    } else if (input.kind === 'key') {
      const { code } = input;
      // Keys without a code can't be told apart.
      if (code === '') return true;
      if (input.type === 'keyUp') return this.#releases.delete(code);
      this.#releases.set(code, { ...input, type: 'keyUp', text: '' });
    }
    return true;
  }

  async #sendInput(input: PageInput): Promise<void> {
    const { command, params } = inputCommand(input);
    await this.#send(command, params);
  }

  /** Detaches from the page. @throws ProviderError also if the page is gone. */
  async leave(): Promise<void> {
    await sendCommand(this.#connection, 'Target.detachFromTarget', { sessionId: this.target }, this.#signal);
  }
}
