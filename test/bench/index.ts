// `npm run bench [NAME …]`: measures what we claim, each figure next to its competitor or limit in the same run.
import { run } from '../host/processes.ts';
import { Advice, script, step } from '../host/steps.ts';
import { activation } from './activation.ts';
import { ending } from './ending.ts';
import { floods } from './floods.ts';
import { list } from './list.ts';
import { liveView } from './liveView.ts';
import { localBrowsers } from './localBrowsers.ts';
import { localScan } from './localScan.ts';

const benchmarks: Readonly<Record<string, () => Promise<void>>> = {
  activation,
  ending,
  floods,
  list,
  liveView,
  localBrowsers,
  localScan,
};

await script(async () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => benchmarks[name] === undefined);
  if (unknown !== undefined)
    throw new Advice(`There is no benchmark ${unknown}. There are: ${Object.keys(benchmarks).join(', ')}`);
  await step('Build', async () => {
    await run(process.execPath, ['esbuild.js']);
    await run(process.execPath, ['esbuild.js', '--tests']);
  });
  for (const [name, measure] of Object.entries(benchmarks)) {
    if (names.length === 0 || names.includes(name)) await step(name, measure);
  }
});
process.exit();
