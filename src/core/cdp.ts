import type { Disposable } from './event.ts';

/** An open connection to a browser's DevTools endpoint. */
export interface CdpConnection extends Disposable {
  /**
   * Sends a command and waits for its result.
   * @throws ProviderError: `notFound` when Chrome knows no such target or context, `unexpectedAnswer` for any other
   * refusal, `unreachable` when the connection is lost, `timedOut` after ten seconds, `cancelled`.
   */
  send(
    method: string,
    params: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>>;
}

/** Opens connections for the Chrome DevTools Protocol. */
export interface CdpDialer {
  /**
   * Connects to a `ws:` or `wss:` address, sending no Origin (Chrome refuses the origin of a webview).
   * @throws ProviderError: `unreachable`, `forbidden`, `timedOut`, `cancelled`.
   */
  dial(address: URL, signal: AbortSignal): Promise<CdpConnection>;
}
