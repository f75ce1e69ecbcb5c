import { strict as assert } from 'node:assert';
import axe, { type AxeResults } from 'axe-core';
import type { Frame } from 'playwright-core';
import { type Theme, themes, type WorkbenchUser } from './user.ts';

/**
 * Asserts that axe finds no serious or critical violations in one of our panels, in any theme. A provider's page inside it
 * isn't checked.
 * @param name the start of the screenshots' names: `<name>-<theme>`.
 */
export async function assertAccessible(user: WorkbenchUser, panel: Frame, name: string): Promise<void> {
  const faults: string[] = [];
  for (const theme of Object.keys(themes) as Theme[]) {
    await user.useTheme(theme);
    await panel.locator(`body.${themes[theme].panelClass}`).waitFor();
    await user.picture(`${name}-${theme}`);
    faults.push(...(await faultsIn(panel)).map((fault) => `${theme}: ${fault}`));
  }
  assert.deepEqual(faults, []);
}

async function faultsIn(panel: Frame): Promise<string[]> {
  await panel.evaluate(axe.source);
  const { violations } = await panel.evaluate(
    (): Promise<AxeResults> =>
      (window as unknown as { axe: typeof axe }).axe.run(document, { iframes: false, resultTypes: ['violations'] }),
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id} in ${html}: ${failureSummary}`));
}
