import * as l10n from '@vscode/l10n';
import type { Account } from '../../core/account.ts';
import type { Session } from '../../core/session.ts';
import type { Contents } from '../../services/sessions/contents.ts';
import { type Cost, costOf, totalOf } from '../../services/sessions/cost.ts';
import { costText, usageText } from '../text/costs.ts';
import { listOf } from '../text/numbers.ts';
import type { TreeModel } from './children.ts';

/** What computing costs needs. */
export type CostModel = Pick<TreeModel, 'store' | 'now' | 'ratePerHour' | 'currency'>;

type Fact = readonly [label: string, value: string];

/** What sessions of an account have cost so far; undefined for sessions whose cost isn't known. */
function costsOf(model: CostModel, account: Account, sessions: Iterable<Session>): (Cost | undefined)[] {
  // Reading a setting takes longer than computing a cost.
  const rate = model.ratePerHour(account.provider);
  const now = model.now();
  return Array.from(sessions, (session) => costOf(session, model.store.startOf(account.id, session.id)?.at, rate, now));
}

/** What a session has cost so far; undefined if unknown. */
export function sessionCost(model: CostModel, account: Account, session: Session): Cost | undefined {
  return costsOf(model, account, [session])[0];
}

/** The line about its cost in a session's tooltip. */
export function sessionCostFacts(model: CostModel, account: Account, session: Session): readonly Fact[] {
  const cost = sessionCost(model, account, session);
  return cost === undefined ? [] : [[l10n.t('Cost'), costText(cost, model.currency())]];
}

/** The lines about usage and cost in an account's tooltip. */
export function accountCostFacts(model: CostModel, account: Account, contents: Contents): readonly Fact[] {
  const { usage = [] } = contents.account ?? {};
  const costs = totalOf(costsOf(model, account, contents.sessions.values()));
  return [
    ...(usage.length === 0 ? [] : [[l10n.t('Account usage'), usage.map(usageText).join('; ')] as const]),
    ...(costs.length === 0
      ? []
      : [[l10n.t('Cost of running sessions'), listOf(costs.map((cost) => costText(cost, model.currency())))] as const]),
  ];
}
