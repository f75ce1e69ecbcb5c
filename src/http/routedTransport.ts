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
 * Chooses between undici and the editor's `fetch` as the setting says. In `auto`, an origin to which undici finds no
 * way (a proxy that wants a password or speaks SOCKS, no direct route, a certificate it cannot check) is tried once by
 * the editor, with a request that the provider cannot have seen; where that works, the origin stays with the editor.
 * Requests to this machine go by undici whatever the setting says: the editor's `fetch` may hand them to a proxy.
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
