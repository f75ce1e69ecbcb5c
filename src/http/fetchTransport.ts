import { readBody, type Transport, type TransportAnswer, type TransportRequest, transportError } from './transport.ts';

/**
 * Carries requests by the editor's own `fetch`, which knows every proxy and certificate that the editor knows, those
 * that ask for a password among them. It is looked up at each request, because the editor replaces it while it starts.
 */
export class FetchTransport implements Transport {
  async send(request: TransportRequest): Promise<TransportAnswer> {
    const { url, method, headers, body, signal, maxBytes } = request;
    try {
      const answer = await globalThis.fetch(url, {
        method,
        headers,
        redirect: 'manual',
        credentials: 'omit',
        signal,
        ...(body === undefined ? {} : { body }),
      });
      return {
        status: answer.status,
        headers: new Map(answer.headers),
        body: answer.body === null ? '' : await readBody(answer.body as AsyncIterable<Uint8Array>, maxBytes),
      };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw transportError(error);
    }
  }
}
