import { openCdpDialer } from '../../src/cdp/dialer.ts';
import type { Credentials } from '../../src/core/account.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { EditorNetwork, NetworkSettings } from '../../src/core/network.ts';
import type { Provider, ProviderKind } from '../../src/core/provider.ts';
import { openHttpClient, openTransport } from '../../src/http/client.ts';
import type { Transport } from '../../src/http/transport.ts';
import { connect as connectTo, type Network } from '../../src/services/accounts/connect.ts';

/** A log that keeps its lines. */
export class RecordingLog implements Logger {
  readonly lines: string[] = [];
  debug = (message: string) => void this.lines.push(message);
  info = this.debug;
  warn = this.debug;
  error = this.debug;
}

/** The network outside the editor: no proxy, Node's own certificates. */
export function plainNetwork(transport: NetworkSettings['transport'], strictCertificates = true): EditorNetwork {
  return {
    settings: () => ({ transport, systemCertificates: false, strictCertificates }),
    routeTo: async () => ({ by: 'editor', proxy: undefined }),
    onDidChange: () => ({ dispose: () => {} }),
  };
}

/** The real HTTP client and the real CDP dialer. `requestsInFlight` counts requests that wait for their response. */
export function realNetwork(
  logger: Logger,
  clock: Clock = systemClock,
  settings: ReadonlySet<string> = new Set(),
  strictCertificates = true,
): Network & { readonly requestsInFlight: () => number } {
  const opened = openTransport(plainNetwork('undici', strictCertificates), clock);
  let inFlight = 0;
  const transport: Transport = {
    async send(request) {
      inFlight++;
      try {
        return await opened.send(request);
      } finally {
        inFlight--;
      }
    },
  };
  const options = { transport, clock, logger };
  return {
    requestsInFlight: () => inFlight,
    http: (address, secrets, limits) => openHttpClient(address, secrets, { ...options, limits }),
    cdp: (origin) => openCdpDialer(origin, clock),
    clock,
    setting: (kind, id) => settings.has(`${kind}.${id}`),
  };
}

/**
 * A provider over real HTTP, and the log of all requests sent for it. `settings` are those turned on: `kind.setting`.
 */
export function connect(
  kind: ProviderKind,
  url: string,
  credentials: Credentials = {},
  settings: ReadonlySet<string> = new Set(),
): { readonly provider: Provider; readonly log: RecordingLog } {
  const log = new RecordingLog();
  return { provider: connectTo(kind, url, credentials, realNetwork(log, systemClock, settings)), log };
}

/** A signal that is never aborted. */
export const unaborted = new AbortController().signal;
