import { fork } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '../../src/core/clock.ts';
import { watchTurns } from '../host/ownTime.ts';
import { TestServices } from '../unit/services/testServices.ts';
import { table } from './figures.ts';

interface Flood {
  readonly name: string;
  readonly provider: string;
  readonly url: string;
}

/**
 * Measures what hostile servers do to a client that lists them: how long they block everything else, and how much
 * memory stays in use.
 */
export async function floods(): Promise<void> {
  const child = fork(new URL('./floodServer.ts', import.meta.url));
  try {
    const [all] = (await once(child, 'message')) as [readonly Flood[]];
    const rows: string[][] = [];
    for (const flood of all) rows.push(await measured(flood));
    table(['Flood', 'longest block (goal: 50 ms)', 'all of it', 'memory at most', 'shown', 'reported'], rows);
  } finally {
    child.disconnect();
  }
}

async function measured({ name, provider, url }: Flood): Promise<string[]> {
  const services = new TestServices({ clock: systemClock });
  const before = process.memoryUsage().rss;
  let most = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss - before);
  }, 20);
  try {
    // A first run, so that loading modules and serializing the server's response aren't measured.
    const id = await services.add(provider, url);
    const turns = watchTurns();
    const began = performance.now();
    await services.refresher.refresh(id);
    const took = performance.now() - began;
    const longest = turns.stop();
    const state = services.store.state(id);
    const trouble = state?.kind === 'ready' || state?.kind === 'failed' ? state.trouble?.message : undefined;
    const reported = trouble ?? state?.contents.faults.slice(-2).map(({ subject, what }) => `${subject}: ${what}`);
    return [
      name,
      `${longest.toFixed(0)} ms`,
      `${took.toFixed(0)} ms`,
      `${(most / 2 ** 20).toFixed(0)} MiB`,
      String(state?.contents.sessions.size),
      String(reported),
    ];
  } finally {
    clearInterval(sampling);
    services.dispose();
  }
}
