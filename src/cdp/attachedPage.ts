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

/** Most pixels of a picture, in either direction; undefined for as many as the page has. */
export type PictureSize = { readonly width: number; readonly height: number } | undefined;

/** A page whose browser has taken us as its client. Every method throws ProviderError as `CdpConnection.send` does. */
export class AttachedPage {
  readonly id: PageId;
  /** What the browser calls our being attached to it. */
  readonly target: string;
  readonly #connection: CdpConnection;
  readonly #signal: AbortSignal;

  constructor(id: PageId, target: string, connection: CdpConnection, signal: AbortSignal) {
    this.id = id;
    this.target = target;
    this.#connection = connection;
    this.#signal = signal;
  }

  #send<C extends Command>(command: C, params: Params<C>) {
    return sendCommand(this.#connection, command, params, this.#signal, this.target);
  }

  /** Has the browser send a picture each time it has drawn the page. */
  async startCast(size: PictureSize): Promise<void> {
    const most = size === undefined ? {} : { maxWidth: size.width, maxHeight: size.height };
    await this.#send('Page.startScreencast', { format: 'jpeg', quality, ...most });
  }

  async stopCast(): Promise<void> {
    await this.#send('Page.stopScreencast', {});
  }

  /** Says that a picture has arrived. The browser sends no more than two that it was not told this of. */
  async acknowledge(ackId: number): Promise<void> {
    await this.#send('Page.screencastFrameAck', { sessionId: ackId });
  }

  /** Takes one picture, which can be had of a page that is not drawn, too, unless the system does not draw its window. */
  async shoot(): Promise<Picture> {
    const [shot, metrics] = await Promise.all([
      this.#send('Page.captureScreenshot', { format: 'jpeg', quality, optimizeForSpeed: true }),
      this.#send('Page.getLayoutMetrics', {}),
    ]);
    const { clientWidth: width, clientHeight: height } = read(Metrics, metrics).cssLayoutViewport;
    return { jpeg: bytesOf(read(Shot, shot).data), width, height };
  }

  /** Has the browser tell of the page's dialogs, and leave them to us. */
  async takeDialogs(): Promise<void> {
    await this.#send('Page.enable', {});
  }

  /** Leaves dialogs to the browser and its other clients again. Chrome ends the screencast with that. */
  async leaveDialogs(): Promise<void> {
    await this.#send('Page.disable', {});
  }

  async answerDialog(accept: boolean): Promise<void> {
    await this.#send('Page.handleJavaScriptDialog', { accept });
  }

  async bringToFront(): Promise<void> {
    await this.#send('Page.bringToFront', {});
  }

  /** Does to the page what a user did. */
  async input(input: PageInput): Promise<void> {
    const { command, params } = inputCommand(input);
    await this.#send(command, params);
  }

  /** Stops being the page's client. @throws ProviderError also where the page has gone. */
  async leave(): Promise<void> {
    await sendCommand(this.#connection, 'Target.detachFromTarget', { sessionId: this.target }, this.#signal);
  }
}
