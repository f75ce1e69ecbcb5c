/** Whether a page lets itself be framed, going by the headers of its answer. */
export type Framing =
  | { readonly kind: 'allowed' }
  /** It may be framed by any web page, which an editor's panel on a desktop is not: only trying tells. */
  | { readonly kind: 'uncertain' }
  /** It forbids being framed here; `by` is the header that says so. */
  | { readonly kind: 'refused'; readonly by: 'X-Frame-Options' | 'Content-Security-Policy' }
  /** It redirects to another origin, which is not the one that was to be framed. */
  | { readonly kind: 'elsewhere'; readonly host: string }
  | { readonly kind: 'failed'; readonly status: number };

/**
 * Asks a page whether it may be framed, without any key and without reading it.
 * @param ancestors what frames it: `web` where the workbench is a web page, `desktop` where its scheme is an editor's own.
 * @throws ProviderError `unreachable`, `timedOut`, `unexpectedAnswer`, `canceled`; the address is not in it.
 */
export type CheckFraming = (url: URL, ancestors: 'web' | 'desktop', signal: AbortSignal) => Promise<Framing>;
