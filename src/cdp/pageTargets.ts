import type { Protocol } from 'devtools-protocol';
import * as v from 'valibot';
import type { CdpEvent, SessionDevtools } from '../core/cdp.ts';
import { type Disposable, Emitter, type Event } from '../core/event.ts';
import { idFault, type PageId, pageId } from '../core/ids.ts';
import { titleWithoutValues } from '../core/maskedAddress.ts';
import { boundedPage, isEmptyTab, mostPages, type Page } from '../core/page.ts';
import { ProviderError } from '../core/providerError.ts';
import { read } from './answers.ts';
import { type EventName, sendCommand } from './protocol.ts';

const TargetInfo = v.object({
  targetId: v.string(),
  type: v.string(),
  title: v.fallback(v.string(), ''),
  url: v.fallback(v.string(), ''),
  browserContextId: v.optional(v.string()),
}) satisfies v.GenericSchema<unknown, Pick<Protocol.Target.TargetInfo, 'targetId' | 'type' | 'title' | 'url'>>;
const TargetChange = v.object({ targetInfo: TargetInfo });
const Named = v.object({ targetId: v.string() });
const Attached = v.object({ sessionId: v.string() }) satisfies v.GenericSchema<
  unknown,
  Protocol.Target.AttachToTargetResponse
>;

/** What happened to a session's pages. */
export interface PageChange {
  readonly kind: 'opened' | 'changed' | 'closed' | 'crashed';
  readonly page: PageId;
}

/** The pages of one session, as its browser reports them while they come and go. */
export class PageTargets implements Disposable {
  readonly #devtools: SessionDevtools;
  readonly #pages = new Map<PageId, Page>();
  readonly #changed = new Emitter<PageChange>();
  readonly #subscription: Disposable;

  readonly onDidChange: Event<PageChange> = this.#changed.event;

  constructor(devtools: SessionDevtools) {
    this.#devtools = devtools;
    this.#subscription = devtools.connection.onEvent((event) => this.#follow(event));
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  /**
   * The pages that existed at {@link discover}, in no order except that blank ones come first, then those opened since.
   */
  get all(): readonly Page[] {
    return [...this.#pages.values()];
  }

  /**
   * Starts following pages. Resolves when all current ones have been reported. @throws ProviderError as
   * `CdpConnection.send` does.
   */
  async discover(signal: AbortSignal): Promise<void> {
    await sendCommand(this.#devtools.connection, 'Target.setDiscoverTargets', { discover: true }, signal);
    const emptyFirst = this.all.toSorted((a, b) => Number(isEmptyTab(b)) - Number(isEmptyTab(a)));
    this.#pages.clear();
    for (const page of emptyFirst) this.#pages.set(page.id, page);
  }

  /**
   * Attaches to a page as a client.
   * @returns the DevTools session id for commands to that page.
   * @throws ProviderError as `CdpConnection.send` does.
   */
  async attach(page: PageId, signal: AbortSignal): Promise<string> {
    const params = { targetId: page, flatten: true };
    const { connection } = this.#devtools;
    return read(Attached, await sendCommand(connection, 'Target.attachToTarget', params, signal)).sessionId;
  }

  /**
   * Asks for what isn't reported by itself: changed titles. Page by page, because one message about all of them can be too
   * large to read. Without a page, this only makes sure that the browser responds.
   * @throws ProviderError as `CdpConnection.send` does.
   */
  async update(signal: AbortSignal): Promise<void> {
    const asked = this.#pages.size > 0 ? [...this.#pages.keys()].map((targetId) => ({ targetId })) : [{}];
    await Promise.all(asked.map((target) => this.#askAbout(target, signal)));
  }

  async #askAbout(target: { readonly targetId?: PageId }, signal: AbortSignal): Promise<void> {
    try {
      const answer = await sendCommand(this.#devtools.connection, 'Target.getTargetInfo', target, signal);
      const parsed = v.safeParse(TargetChange, answer);
      if (parsed.success && this.#pages.has(parsed.output.targetInfo.targetId as PageId)) {
        this.#take(parsed.output.targetInfo);
      }
    } catch (error) {
      // It has just closed. Over Playwright's socket, any refusal is an unexpected answer.
      if (!ProviderError.isOf(error, 'notFound', 'unexpectedAnswer')) throw error;
    }
  }

  #follow({ method, params, target }: CdpEvent): void {
    if (target !== undefined) return;
    switch (method as EventName) {
      case 'Target.targetCreated':
      case 'Target.targetInfoChanged': {
        const parsed = v.safeParse(TargetChange, params);
        if (parsed.success) this.#take(parsed.output.targetInfo);
        return;
      }
      case 'Target.targetDestroyed':
      case 'Target.targetCrashed': {
        const named = v.safeParse(Named, params);
        const page = named.success ? this.#pages.get(named.output.targetId as PageId)?.id : undefined;
        if (page === undefined) return;
        if (method === 'Target.targetDestroyed') this.#pages.delete(page);
        this.#changed.fire({ kind: method === 'Target.targetDestroyed' ? 'closed' : 'crashed', page });
        return;
      }
      default:
    }
  }

  #take({ targetId, type, title: reported, url, browserContextId }: v.InferOutput<typeof TargetInfo>): void {
    if (type !== 'page' || idFault(targetId) !== undefined || !this.#devtools.owns(browserContextId)) return;
    const page = boundedPage({ id: pageId(targetId), title: titleWithoutValues(reported, url), url });
    const known = this.#pages.get(page.id);
    if (known?.title === page.title && known.url === page.url) return;
    // There are too many pages to pick this one. When another one closes, it's added as soon as it's reported again.
    if (known === undefined && this.#pages.size >= mostPages) return;
    this.#pages.set(page.id, page);
    this.#changed.fire({ kind: known === undefined ? 'opened' : 'changed', page: page.id });
  }
}
