import { assertOrigin } from '../core/requestUrl.ts';
import {
  noBody,
  readBody,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
  transportError,
} from './transport.ts';

/**
 * Sends requests with the editor's own `fetch`, which supports every proxy and certificate that the editor does,
 * including proxies that ask for a password. It is read from the global object for each request, because the editor
 * replaces it during startup.
 */
export class FetchTransport implements Transport {
  async send(request: TransportRequest): Promise<TransportAnswer> {
    const { url, origin, method, headers, body, signal, maxBytes, headersOnly } = request;
    try {
      assertOrigin(url, origin);
      const answer = await globalThis.fetch(url, {
        method,
        headers,
        redirect: 'manual',
        credentials: 'omit',
        signal,
        ...(body === undefined ? {} : { body }),
      });
      const head = { status: answer.status, headers: new Map(answer.headers) };
      if (answer.body === null) return { ...head, body: noBody };
      if (!headersOnly) return { ...head, body: await readBody(answer.body as AsyncIterable<Uint8Array>, maxBytes) };
      await answer.body.cancel();
      return { ...head, body: noBody };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw transportError(error);
    }
  }
}
