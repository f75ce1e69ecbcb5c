// A strict Browserbase in a process of its own, controlled by its parent: see `BenchServer` in ending.ts.
import { makeCertificate } from '../host/certificates.ts';
import { startBrowserbase } from '../servers/browserbase.ts';
import type { Order, Stats } from './ending.ts';

const certificate = process.argv.includes('tls') ? await makeCertificate('localhost') : undefined;
const server = await startBrowserbase(certificate && { cert: certificate.cert, key: certificate.key, http2: {} });
const url = certificate === undefined ? server.url : `https://localhost:${server.port}`;

process.on('message', (order: Order) => {
  if (order.kind === 'set') {
    server.sessions.clear();
    server.requests.length = 0;
    server.behave();
    server.dropConnections();
    Object.assign(server, { statusErrors: 0, mostInFlight: 0 });
    server.latencyMs = order.latencyMs;
    server.acceptsAnyKey = order.acceptsAnyKey === true;
    server.rateLimit = order.rateLimit;
    server.spreadLagMs = order.lagMs;
    for (let index = 0; index < order.sessions; index++) server.add();
    if (order.silent) server.misbehave('POST', /./, { kind: 'silent' });
    process.send?.({ kind: 'ready', url, key: server.key });
    return;
  }
  const { statusErrors, mostInFlight, mostConnections, requests, running } = server;
  const stats: Stats = {
    running: running.length,
    requests: requests.length,
    statusErrors,
    mostInFlight,
    mostConnections,
  };
  process.send?.({ kind: 'stats', stats });
});
process.on('disconnect', () => process.exit());
process.send?.({ kind: 'up', authority: certificate?.authority });
