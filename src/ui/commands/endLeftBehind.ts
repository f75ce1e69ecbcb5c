import * as l10n from '@vscode/l10n';
import type { AccountSession } from '../../services/ending/report.ts';
import { kindOf } from './accountNames.ts';
import { type EndParts, endNothing, endPlanned } from './ending.ts';
import { nothingToEnd, planEnd } from './endPlan.ts';
import type { PublicEndReport } from './endReports.ts';
import { findOwnMachine } from './lists.ts';
import { targetsOf, wholeAccount } from './targets.ts';

/**
 * Ends browsers that were left behind by programs that have ended: those in the given account or group, or else all on this
 * machine. A browser that is left behind while the dialog is open isn't included.
 */
export async function endLeftBehind(parts: EndParts, args: readonly unknown[]): Promise<PublicEndReport> {
  const named = targetsOf(args);
  // If rows were requested again while a row's menu was open, VS Code passes nothing in place of the row.
  if (named.length === 0 && args.length > 0) {
    return endNothing(parts, l10n.t('Select a session, group, or account first.'));
  }
  if (named.length === 0 && !parts.setting('thisMachine.enabled')) {
    return endNothing(
      parts,
      l10n.t('Browsers on this machine are hidden. To show them, turn on browserSessions.thisMachine.enabled.'),
    );
  }
  if (named.length === 0) await findOwnMachine(parts);
  const own = parts.accounts.all.filter((account) => kindOf(parts, account)?.isAutomatic === true);
  const targets = named.length > 0 ? named : own.map(({ id }) => wholeAccount(id));
  const plan = await planEnd(parts, targets, isLeftBehind);
  if (plan.ends.length + plan.leftOut.length + plan.hidden === 0) {
    return endNothing(parts, [l10n.t('No browsers were left behind.'), ...plan.unknown].join(' '));
  }
  if (plan.ends.length === 0) return endNothing(parts, nothingToEnd(parts, plan));
  const count = plan.ends.length;
  const message =
    count === 1
      ? l10n.t('End 1 browser that was left behind?')
      : l10n.t('End {0} browsers that were left behind?', count);
  // This command is for several browsers, so even a single one is confirmed in the dialog for several.
  return endPlanned(parts, { ...plan, isSingle: false }, { message, typesCount: true });
}

/** Leaves out browsers that a program has connected to again. */
function isLeftBehind({ session }: AccountSession): boolean {
  return session.local?.isLeftBehind === true && session.inUseBy === undefined;
}
