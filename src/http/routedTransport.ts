import type { EditorNetwork } from '../core/network.ts';
import { isLoopback } from '../core/origin.ts';
import {
  RefusedRequest,
  type Transport,
  type TransportAnswer,
  TransportError,
  type TransportRequest,
} from './transport.ts';

/**
 * Chooses between undici and the editor's `fetch` according to the setting. In `auto`, if undici can't reach an origin
 * (a proxy that wants a password or speaks SOCKS, no direct route, a certificate it can't check), the editor's `fetch`
 * is tried once, with a request that the provider can't have seen. If that works, requests to the origin stay with the
 * editor's `fetch`. Requests to this machine always use undici: the editor's `fetch` may send them to a proxy.
 */
export class RoutedTransport implements Transport {
  readonly #network: EditorNetwork;
  readonly #undici: Transport;
  readonly #editor: Transport;
  readonly #editorOrigins = new Set<string>();

  constructor(network: EditorNetwork, undici: Transport, editor: Transport) {
    this.#network = network;
    this.#undici = undici;
    this.#editor = editor;
    network.onDidChange(() => this.#editorOrigins.clear());
  }

  async send(request: TransportRequest): Promise<TransportAnswer> {
    const { transport } = this.#network.settings();
    const { origin, hostname } = request.url;
    if (isLoopback(hostname)) return this.#undici.send(request);
    if (transport === 'editor' || (transport === 'auto' && this.#editorOrigins.has(origin))) {
      return this.#editor.send(request);
    }
    try {
      return await this.#undici.send(request);
    } catch (error) {
      const hasNoWay = error instanceof TransportError && error.nothingSent && !(error instanceof RefusedRequest);
      if (transport !== 'auto' || !hasNoWay) throw error;
      const answer = await this.#editor.send(request);
      this.#editorOrigins.add(origin);
      return answer;
    }
  }
}
