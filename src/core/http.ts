/** Most connections to one origin where each carries one request at a time (HTTP/1.1). */
export const mostConnections = 32;

/** What can be sent as a JSON body. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One request below an account's address. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path as a template, such as `/v1/sessions/{id}`. Logs and errors show this, never the path itself. */
  readonly route: string;
  /** Fills the braces of `route`. A value that isn't a usable id (empty, `all`, with a slash) is refused before sending. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, with its content type; without it neither body nor content type is sent. */
  readonly body?: Json;
  /**
   * Whether it may be sent a second time; otherwise it is never repeated. By default true only for GET;
   * say `false` for a GET that has an effect.
   */
  readonly repeatable?: boolean;
  /**
   * Whether the body of a 404 or 410 is the provider's own word that it doesn't know what was asked for: JSON as a value,
   * anything else as text. A load balancer answers 404 for every address during an outage, so that any other body is an
   * `unexpectedAnswer`, and so is a web page. Without it every 404 and 410 is `notFound`.
   */
  readonly isOwnNotFound?: (said: unknown) => boolean;
  /**
   * Whether requests that are sent at the same time each have a connection of their own, even to a server that speaks HTTP/2: a load
   * balancer may lead each connection to another server.
   */
  readonly isSpread?: boolean;
  /** Deadline for everything: connecting, waiting, retries, reading the body. 15 seconds unless told otherwise. */
  readonly timeoutMs?: number;
}

/** A 2xx answer with its whole body. */
export interface HttpAnswer {
  readonly status: number;
  /** The value of a header by its lower-case name. */
  header(name: string): string | undefined;
  /** As text, in UTF-8. */
  readonly body: string;
  readonly bytes: Uint8Array;
}

/**
 * Speaks HTTP to one account's address and to no other: it follows no redirect.
 * Everything but a 2xx answer is thrown as a ProviderError.
 */
export interface HttpClient {
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
}
