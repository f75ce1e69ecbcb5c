// `npm run mutate [-- NAME …]`: makes one small change at a time to the code that guards our promises, and counts how
// many of these mutants the tests notice. A NAME is a target's name or a part of a source file's path, and may end with
// a range of its lines, as `ender.ts:100-200`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../host/processes.ts';
import { Advice, script, step } from '../host/steps.ts';
import { type Equivalent, equivalents } from './equivalents.ts';
import type { MochaRunnerOptions } from './mochaRunner.ts';
import { type Target, targets } from './targets.ts';

/** One change. Lines and columns count from 1, and the end is exclusive. */
interface Mutant {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status: string;
  readonly location: {
    readonly start: { readonly line: number; readonly column: number };
    readonly end: { readonly line: number; readonly column: number };
  };
}

/** The part of Stryker's report that is read here: by the paths of source files, from the root. */
interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

/** The percentage of a file's mutants that its tests must notice. */
const leastScore = 85;

/**
 * The values of a line in the table. `noticed` includes mutants that never end, `unnoticed` those that no test runs.
 */
interface Score {
  readonly file: string;
  readonly noticed: number;
  readonly unnoticed: number;
  readonly equivalent: number;
  readonly percent: number;
}

await script(async () => {
  const names = process.argv.slice(2);
  const chosen = names.length === 0 ? targets : targets.map((target) => narrowed(target, names));
  const wanted = chosen.filter(({ files }) => files.length > 0);
  if (wanted.length === 0) throw new Advice(`No target is called so. There are: ${targets.map(titleOf).join('; ')}`);
  const all = targets.flatMap(({ files }) => files);
  const unknown = equivalents.find(({ file }) => !all.includes(file));
  if (unknown !== undefined) throw new Advice(`test/mutation/equivalents.ts names no target: ${unknown.file}`);
  const missing = wanted
    .flatMap(({ files, tests }) => [...files.map(withoutLines), ...tests])
    .filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Advice(`test/mutation/targets.ts names what is not there: ${missing.join(', ')}`);
  const scores: Score[] = [];
  const stale: Equivalent[] = [];
  for (const target of wanted) {
    const mutated = await step(target.name, () => mutate(target));
    for (const file of new Set(target.files.map(withoutLines))) {
      const { source, mutants } = mutated[file] ?? { source: '', mutants: [] };
      const { unused, ...score } = judge(file, source.split('\n'), mutants);
      scores.push(score);
      // When only some lines of a file are mutated, equivalents on other lines aren't among the mutants.
      if (target.files.includes(file)) stale.push(...unused);
    }
  }
  console.log(table(scores));
  for (const { file, line, to } of stale)
    console.log(`Listed as equivalent, and no survivor: ${file}: ${line} → ${to}`);
  const low = scores.filter(({ percent }) => percent < leastScore);
  if (low.length > 0) throw new Advice(`Below ${leastScore}%: ${low.map(({ file }) => file).join(', ')}`);
  if (stale.length > 0) throw new Advice('test/mutation/equivalents.ts lists what it should not.');
});

function titleOf({ name, files }: Target): string {
  return `${name} (${files.join(', ')})`;
}

/** The part of a target that the names select: all of it, or some of its files. */
function narrowed(target: Target, names: readonly string[]): Target {
  if (names.includes(target.name)) return target;
  const files = target.files.flatMap((file) =>
    names.flatMap((name) => {
      const [, part = name, lines = ''] = /^(.+?)(:\d+-\d+)?$/.exec(name) ?? [];
      return file.includes(part) ? `${file}${lines}` : [];
    }),
  );
  return { ...target, files };
}

function withoutLines(file: string): string {
  return file.replace(/:[\d-]+$/, '');
}

/** Makes Stryker run a target's tests against each of its mutants. */
async function mutate({ files, tests }: Target): Promise<Report['files']> {
  const folder = temporaryFolder('mutation');
  const config = join(folder, 'stryker.json');
  const report = join(folder, 'report.json');
  const options: Record<string, unknown> & MochaRunnerOptions = {
    mutate: files,
    mochaFiles: tests,
    testRunner: 'mocha',
    plugins: ['./test/mutation/mochaRunner.ts'],
    coverageAnalysis: 'perTest',
    reporters: ['progress-append-only', 'json'],
    jsonReporter: { fileName: report },
    logLevel: 'warn',
    // One at a time: several of these tests measure time.
    concurrency: 1,
    timeoutMS: 10_000,
    tempDirName: 'out/mutation',
    ignorePatterns: ['/*', '!/src', '!/test', '!/media', '!/l10n', '!/package.json'],
    // It would be read with the compiler's old API, which the installed one doesn't have.
    tsconfigFile: 'none.json',
    disableTypeChecks: false,
    warnings: { slow: false },
  };
  await writeFile(config, JSON.stringify(options));
  const stryker = join('node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');
  const child = spawn(process.execPath, [stryker, 'run', config], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`Stryker ended with exit code ${String(code)}`);
  return (JSON.parse(await readFile(report, 'utf8')) as Report).files;
}

/** Counts a file's mutants and prints the unnoticed ones; `unused` are equivalents that match none of them. */
function judge(
  file: string,
  lines: readonly string[],
  mutants: readonly Mutant[],
): Score & { readonly unused: readonly Equivalent[] } {
  const own = equivalents.filter((one) => one.file === file);
  const used = new Set<Equivalent>();
  let [noticed, unnoticed, equivalent] = [0, 0, 0];
  for (const mutant of mutants) {
    if (mutant.status === 'Killed' || mutant.status === 'Timeout') noticed++;
    if (mutant.status !== 'Survived' && mutant.status !== 'NoCoverage') continue;
    const { start } = mutant.location;
    const line = lines[start.line - 1]?.trim() ?? '';
    const from = textAt(lines, mutant);
    const to = mutant.replacement;
    const listed = own.find((one) => one.line === line && one.to === to && (one.from ?? from) === from);
    if (listed === undefined) {
      unnoticed++;
      const how = mutant.status === 'NoCoverage' ? ' (no test runs it)' : '';
      console.log(`  ${file}:${start.line} ${mutant.mutatorName}${how}: ${short(from)} → ${short(to)}`);
    } else {
      equivalent++;
      used.add(listed);
    }
  }
  const percent = (100 * noticed) / Math.max(1, noticed + unnoticed);
  return { file, noticed, unnoticed, equivalent, percent, unused: own.filter((one) => !used.has(one)) };
}

/** The text that a mutant replaces. */
function textAt(lines: readonly string[], { location: { start, end } }: Mutant): string {
  const own = lines.slice(start.line - 1, end.line);
  own.push((own.pop() ?? '').slice(0, end.column - 1));
  own.unshift((own.shift() ?? '').slice(start.column - 1));
  return own.join('\n');
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length <= 90 ? line : `${line.slice(0, 60)} … ${line.slice(-25)}`;
}

function table(scores: readonly Score[]): string {
  const width = Math.max(...scores.map(({ file }) => file.length));
  const row = (file: string, ...cells: readonly string[]) =>
    [file.padEnd(width), ...cells.map((cell) => cell.padStart(10))].join(' ');
  const rows = scores.map(({ file, noticed, unnoticed, equivalent, percent }) =>
    row(file, `${percent.toFixed(1)}%`, String(noticed), String(unnoticed), String(equivalent)),
  );
  return [row('', 'score', 'noticed', 'unnoticed', 'equivalent'), ...rows].join('\n');
}
