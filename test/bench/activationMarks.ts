import { writeFile } from 'node:fs/promises';
import * as vscode from 'vscode';

/** Milliseconds that VS Code's own marks give for one extension; what "Developer: Show Running Extensions" adds up. */
export interface ActivationTime {
  readonly codeLoading: number;
  readonly activateCall: number;
}

interface Mark {
  readonly name: string;
  readonly startTime: number;
}

/** Runs inside the extension host: starts one extension and writes what the host measured. */
export async function run(): Promise<void> {
  const id = process.env['BROWSER_SESSIONS_BENCH_ID'] ?? '';
  const extension = vscode.extensions.getExtension(id);
  if (extension === undefined) throw new Error(`There is no extension ${id}`);
  if (extension.isActive) throw new Error(`${id} is active already: its marks are of another moment`);
  await extension.activate();
  const time: ActivationTime = {
    codeLoading: between('LoadExtensionCode', id),
    activateCall: between('ActivateExtension', id),
  };
  await writeFile(process.env['BROWSER_SESSIONS_OUTCOME'] ?? '', JSON.stringify(time));
}

function between(what: string, id: string): number {
  const host = globalThis as unknown as { MonacoPerformanceMarks: { getMarks(): readonly Mark[] } };
  const marks = host.MonacoPerformanceMarks.getMarks();
  const at = (moment: 'will' | 'did') =>
    marks.find(({ name }) => name === `code/extHost/${moment}${what}/${id}`)?.startTime;
  const [will, did] = [at('will'), at('did')];
  if (will === undefined || did === undefined) throw new Error(`VS Code has no marks of ${what} for ${id}`);
  return did - will;
}
