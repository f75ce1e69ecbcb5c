import type { Disposable, Event } from './event.ts';

/** An event that a browser sends. */
export interface CdpEvent {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The attached target it is about, as `Target.attachToTarget` named it; undefined for the browser as a whole. */
  readonly target: string | undefined;
}

/** An open connection to a browser's DevTools endpoint. */
export interface CdpConnection extends Disposable {
  /**
   * Sends a command and waits for its result.
   * @param target the attached target it is for, as `Target.attachToTarget` named it; without it the browser as a whole.
   * @throws ProviderError: `notFound` when Chrome knows no such target or context, `unexpectedAnswer` for any other
   * error, `unreachable` when the connection is lost, `timedOut` after ten seconds, `canceled`.
   */
  send(
    method: string,
    params: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    target?: string,
  ): Promise<Readonly<Record<string, unknown>>>;
  readonly onEvent: Event<CdpEvent>;
  /** Fires once, when the other side has closed the connection or it is lost; not when it is disposed. */
  readonly onClose: Event<void>;
}

/** Opens connections for the Chrome DevTools Protocol. */
export interface CdpDialer {
  /**
   * Connects to a `ws:` or `wss:` address, sending no Origin (Chrome refuses the origin of a webview).
   * @param headers sent with the request for the connection, by lower-case names.
   * @throws ProviderError: `unsupported` for an address at another origin than the account's; `unreachable`,
   * `unauthorized`, `forbidden`, `notFound`, `timedOut`, `canceled`.
   */
  dial(address: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<CdpConnection>;
}

/** A way to a session's pages by the Chrome DevTools Protocol. */
export interface SessionDevtools {
  /** To the browser as a whole. The caller disposes it. */
  readonly connection: CdpConnection;
  /** Whether a page of the browser is one of the session's, going by the browser context that it is in. */
  owns(browserContextId: string | undefined): boolean;
}
