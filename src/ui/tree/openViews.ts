import type { Uri } from 'vscode';
import * as vscode from 'vscode';
import { lazy } from '../../core/lazy.ts';
import type { Memory } from '../../core/storage.ts';
import type { ThisMachine } from '../../core/thisMachine.ts';
import type { Services } from '../../services/openServices.ts';
import { openOnboarding } from '../onboarding/openOnboarding.ts';
import { ownSessions } from '../ownSessions.ts';
import type { ReadSetting } from '../settings.ts';
import { openStatusWhenNeeded } from '../status/statusWhenNeeded.ts';
import type { Arrangement } from './arrangement.ts';
import { openEndedView } from './endedView.ts';
import { TreeFilter } from './filter.ts';
import type { FinishedView } from './finishedView.ts';
import { ListOptions } from './listOptions.ts';
import type { RowSelection } from './rowSelection.ts';
import type { SessionsTree } from './sessionsTree.ts';
import { openSessionsView } from './sessionsView.ts';

/** The workspace's memory key for whether finished batches are shown. */
const finishedKey = 'showFinishedBatches';

/** The views in the side bar, as commands use them. */
export interface Views extends vscode.Disposable {
  readonly tree: SessionsTree;
  readonly rowSelection: RowSelection;
  readonly filter: TreeFilter;
  readonly options: ListOptions;
  readonly arrangement: Arrangement;
  readonly loadFinished: () => Promise<FinishedView>;
}

/**
 * Opens the views "Sessions" and "Recently Ended".
 * @param memory the workspace's stored state.
 * @param from `media` is the folder with our own icons; `machine` reads this machine.
 */
export function openViews(
  services: Services,
  memory: Memory,
  setting: ReadSetting,
  { media, machine }: { readonly media: Uri; readonly machine: () => Promise<ThisMachine> },
): Views {
  const { accounts, kinds, connections, store, history, clock } = services;
  const filter = new TreeFilter({ accounts, kinds, store, memory });
  const options = new ListOptions(memory, () => setting('groupByMetadataKey'));
  let finished: FinishedView | undefined;
  const { tree, view, rowSelection, arrangement, disposable } = openSessionsView({
    ...services,
    filter,
    options,
    finished: () => finished?.rows,
    isMine: () => ownSessions(setting),
    clickAction: () => setting('clickAction'),
    details: () => setting('row.details'),
    now: clock.now,
    ratePerHour: (provider) => setting('cost.ratePerHour').get(provider),
    currency: () => setting('cost.currency'),
    media,
  });
  const loadFinished = lazy(async () => {
    const { openFinishedView } = await import('./finishedView.ts');
    const parts = { accounts, connections, store, memory, memoryKey: finishedKey, clock };
    finished = openFinishedView(parts, tree);
    return finished;
  });
  if (memory.get(finishedKey) === true) void loadFinished();
  const status = openStatusWhenNeeded(services, { tree, view, filter }, setting);
  const onboarding = openOnboarding(services, view, machine);
  const ended = openEndedView(history, store, clock.now, media);
  return {
    tree,
    rowSelection,
    filter,
    options,
    arrangement,
    loadFinished,
    dispose: () =>
      vscode.Disposable.from(status, disposable, ended, onboarding, {
        dispose: () => finished?.dispose(),
      }).dispose(),
  };
}
