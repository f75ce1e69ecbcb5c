// A strict Browserbase in a process of its own, told what to do by its parent: see `BenchServer` in ending.ts.
import { startBrowserbase } from '../servers/browserbase.ts';
import type { Order, Stats } from './ending.ts';

const server = await startBrowserbase();

process.on('message', (order: Order) => {
  if (order.kind === 'set') {
    server.sessions.clear();
    server.requests.length = 0;
    server.behave();
    server.dropConnections();
    Object.assign(server, { refusals: 0, mostInFlight: 0 });
    server.latencyMs = order.latencyMs;
    server.rateLimit = order.rateLimit;
    server.spreadLagMs = order.lagMs;
    for (let index = 0; index < order.sessions; index++) server.add();
    if (order.silent) server.misbehave('POST', /./, { kind: 'silent' });
    process.send?.({ kind: 'ready', url: server.url, key: server.key });
    return;
  }
  const { refusals, mostInFlight, mostConnections, requests, running } = server;
  const stats: Stats = { running: running.length, requests: requests.length, refusals, mostInFlight, mostConnections };
  process.send?.({ kind: 'stats', stats });
});
process.on('disconnect', () => process.exit());
process.send?.({ kind: 'up' });
