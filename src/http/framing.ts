import { type Clock, deadline } from '../core/clock.ts';
import type { CheckFraming, Framing } from '../core/framing.ts';
import { plainText } from '../core/plainText.ts';
import { canceled, ProviderError } from '../core/providerError.ts';
import { type Transport, type TransportAnswer, TransportError } from './transport.ts';

const timeoutMs = 5_000;
/** Most redirects within one origin that are followed. */
const mostHops = 5;
const what = 'asking whether the live view may be framed';

/** Opens the check for whether a page may be framed. It asks beforehand: browsers don't report a blocked frame. */
export function openFramingCheck(transport: Transport, clock: Clock): CheckFraming {
  return async (url, ancestors, signal) => {
    const limit = deadline(clock, timeoutMs);
    const either = AbortSignal.any([signal, limit.signal]);
    try {
      let at = url;
      for (let hops = 0; hops <= mostHops; hops++) {
        const answer = await transport.send({
          url: at,
          origin: url.origin,
          method: 'GET',
          headers: { accept: 'text/html', 'user-agent': 'browser-sessions' },
          body: undefined,
          signal: either,
          maxBytes: 0,
          headersOnly: true,
        });
        const next = redirectOf(answer, at);
        if (next === undefined) return framingOf(answer, ancestors);
        if (next.origin !== url.origin) return { kind: 'elsewhere', host: plainText(next.host, 100) || next.protocol };
        at = next;
      }
      throw new ProviderError({ kind: 'unexpectedAnswer', what: 'it keeps redirecting' }, `${what}: endless`);
    } catch (error) {
      if (signal.aborted) throw canceled(what);
      if (limit.signal.aborted) throw new ProviderError({ kind: 'timedOut', afterMs: timeoutMs }, `${what} timed out`);
      if (error instanceof TransportError) throw new ProviderError(error.trouble, `${what}: ${error.trouble.kind}`);
      throw error;
    } finally {
      limit.dispose();
    }
  };
}

function redirectOf({ status, headers }: TransportAnswer, from: URL): URL | undefined {
  if (status < 300 || status > 399) return undefined;
  const location = headers.get('location');
  const to = location === undefined ? null : URL.parse(location, from.href);
  // The browser shows an error page for a redirect without a target, or to something that isn't a page.
  return to ?? undefined;
}

/** What the headers say, read as browsers do: `frame-ancestors` takes precedence over `X-Frame-Options`. */
function framingOf({ status, headers }: TransportAnswer, ancestors: 'web' | 'desktop'): Framing {
  if (status < 200 || status > 299) return { kind: 'failed', status };
  const policies = ancestorLists(headers.get('content-security-policy') ?? '');
  if (policies.length > 0) {
    if (policies.every((sources) => sources.includes('*'))) {
      return { kind: ancestors === 'web' ? 'allowed' : 'uncertain' };
    }
    // A list of hosts includes the editor's own only if it was added on purpose.
    const named = policies.every((sources) =>
      sources.some((source) => /^(\*$|vscode-webview:|https?:$)|\.vscode-cdn\.net$/.test(source)),
    );
    return named ? { kind: 'uncertain' } : { kind: 'refused', by: 'Content-Security-Policy' };
  }
  const options = (headers.get('x-frame-options') ?? '').toLowerCase();
  // Browsers ignore values they don't know, including ALLOW-FROM.
  return /(^|,)\s*(deny|sameorigin)\s*(,|$)/.test(options)
    ? { kind: 'refused', by: 'X-Frame-Options' }
    : { kind: 'allowed' };
}

/** The sources of each policy that has `frame-ancestors`. A header may hold several policies, also when joined. */
function ancestorLists(header: string): string[][] {
  return header
    .toLowerCase()
    .split(',')
    .flatMap((policy) => {
      const directive = policy
        .split(';')
        .map((one) => one.trim().split(/\s+/))
        .find(([name]) => name === 'frame-ancestors');
      return directive === undefined ? [] : [directive.slice(1)];
    });
}
