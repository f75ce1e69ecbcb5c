import * as l10n from '@vscode/l10n';
import type { Disposable, Event } from '../../core/event.ts';
import { Throttle } from '../../core/throttle.ts';
import type { StoreChange } from '../../services/sessions/sessionsView.ts';
import type { TreeFilter } from './filter.ts';

/** Many things change at once, and each has all sessions counted: so often at most is that done. */
const throttleMs = 100;

/**
 * Keeps the words behind the view's title right: how many sessions a filter shows, or else `summary`, what runs in all
 * accounts together.
 */
export function keepTitle(
  store: { readonly onDidChange: Event<StoreChange> },
  filter: TreeFilter,
  summary: () => string,
  write: (title: string) => void,
): Disposable {
  const writing = new Throttle(() => write(filter.text === '' ? summary() : matching(filter)), throttleMs);
  const ask = () => writing.ask();
  ask();
  const all = [store.onDidChange(ask), filter.onDidChange(ask), writing];
  return {
    dispose: () => {
      for (const one of all) one.dispose();
    },
  };
}

/** How many of the sessions that are listed the list shows. */
function matching(filter: TreeFilter): string {
  const { shown, of } = filter.count(filter.text);
  return l10n.t('{0} of {1} match "{2}"', shown, of, filter.text);
}
