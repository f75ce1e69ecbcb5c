import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { temporaryFolder } from '../host/processes.ts';
import { openWorkbench } from '../host/workbench.ts';
import type { ActivationTime } from './activationMarks.ts';
import { median, table } from './figures.ts';

const ours = 'browser-sessions.browser-sessions';
const empty = 'browser-sessions-bench.empty';
const runs = 15;

/**
 * Measures what starting the extension costs: loading its code and calling `activate`, by the extension host's own
 * marks, compared with an extension that does nothing. Each runs in hosts of its own, because the first extension that
 * a host starts pays for what all share. The two take turns.
 */
export async function activation(): Promise<void> {
  const rows: string[][] = [];
  const both: Record<string, number[]> = { [ours]: [], [empty]: [] };
  for (let index = 0; index < runs; index++) {
    const cells: string[] = [];
    for (const id of [ours, empty]) {
      const { codeLoading, activateCall } = await measure(id);
      both[id]?.push(codeLoading + activateCall);
      cells.push(String(codeLoading), String(activateCall), String(codeLoading + activateCall));
    }
    rows.push([String(index + 1), ...cells]);
  }
  console.log('Starting the extension, in ms: loading its code, calling activate(), both');
  table(['run', 'ours: load', 'call', 'both', 'empty: load', 'call', 'both'], rows);
  const [a, b] = [median(both[ours] ?? []), median(both[empty] ?? [])];
  console.log(
    `median ${a} ms compared with ${b} ms for an empty extension: ratio ${(a / b).toFixed(2)} (goal: at most 2)`,
  );
}

async function measure(id: string): Promise<ActivationTime> {
  const folder = temporaryFolder('bench');
  const outcome = join(folder, 'marks.json');
  const workbench = await openWorkbench({
    userDataDir: folder,
    installed: [resolve('test', 'bench', 'empty')],
    tested: { extension: resolve('.'), tests: resolve('out', 'bench', 'activationMarks.js') },
    env: { BROWSER_SESSIONS_OUTCOME: outcome, BROWSER_SESSIONS_BENCH_ID: id },
  });
  const code = await workbench.exit;
  await workbench.close();
  if (code !== 0) throw new Error('The extension host could not be measured.');
  return JSON.parse(await readFile(outcome, 'utf8'));
}
