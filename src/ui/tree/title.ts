import * as l10n from '@vscode/l10n';
import type { Disposable, Event } from '../../core/event.ts';
import { Throttle } from '../../core/throttle.ts';
import type { StoreChange } from '../../services/sessions/sessionsView.ts';
import type { TreeFilter } from './filter.ts';

/** Minimum time between two counts, in milliseconds: changes arrive in bursts, and each would count all sessions. */
const throttleMs = 100;

/**
 * Keeps the view's description up to date: how many sessions a filter shows, or else `summary`, the count for all
 * accounts.
 */
export function keepTitle(
  store: { readonly onDidChange: Event<StoreChange> },
  filter: TreeFilter,
  summary: () => string,
  write: (title: string) => void,
): Disposable {
  const writing = new Throttle(() => write(filter.isOn ? matching(filter) : summary()), throttleMs);
  const ask = () => writing.ask();
  ask();
  const all = [store.onDidChange(ask), filter.onDidChange(ask), writing];
  return {
    dispose: () => {
      for (const one of all) one.dispose();
    },
  };
}

/** How many of the listed sessions the filter shows. */
function matching(filter: TreeFilter): string {
  const { shown, of } = filter.count(filter.text);
  return l10n.t('{0} of {1} match "{2}"', shown, of, filter.name);
}
