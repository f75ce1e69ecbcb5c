import { Emitter, type Event } from '../../core/event.ts';
import type { Memory } from '../../core/storage.ts';
import { type GroupBy, type Grouping, groupings } from '../../services/sessions/grouping.ts';

/** The orders that sessions can be shown in. */
export const sortOrders = ['newest', 'oldest', 'idle', 'name', 'cost'] as const;
/** One of {@link sortOrders}: `idle` is the longest idle first, `cost` the most expensive first. */
export type SortBy = (typeof sortOrders)[number];

const sortKey = 'sortBy';
const groupKey = 'groupBy';

/** How the list is sorted and grouped, as the user chose for the workspace. */
export class ListOptions {
  readonly #memory: Memory;
  readonly #metadataKey: () => string;
  readonly #changed = new Emitter<void>();
  #sortBy: SortBy;
  #groupBy: GroupBy | undefined;

  readonly onDidChange: Event<void> = this.#changed.event;

  /**
   * @param memory the workspace's stored state.
   * @param metadataKey the key in the settings, by which `metadata` groups.
   */
  constructor(memory: Memory, metadataKey: () => string) {
    this.#memory = memory;
    this.#metadataKey = metadataKey;
    this.#sortBy = sortOrders.find((one) => one === memory.get(sortKey)) ?? 'newest';
    this.#groupBy = groupings.find((one) => one === memory.get(groupKey));
  }

  get sortBy(): SortBy {
    return this.#sortBy;
  }

  get groupBy(): GroupBy {
    return this.#groupBy ?? 'batch';
  }

  /**
   * By what sessions are grouped. Until the user chooses, what isn't in a batch is grouped by the key in the settings,
   * where there is one.
   */
  get grouping(): Grouping {
    const metadataKey = this.#metadataKey();
    if (this.#groupBy === undefined) return { by: metadataKey === '' ? ['batch'] : ['batch', 'metadata'], metadataKey };
    return { by: this.#groupBy === 'none' ? [] : [this.#groupBy], metadataKey };
  }

  async setSort(sortBy: SortBy): Promise<void> {
    this.#sortBy = sortBy;
    this.#changed.fire();
    await this.#memory.update(sortKey, sortBy);
  }

  async setGroup(groupBy: GroupBy): Promise<void> {
    this.#groupBy = groupBy;
    this.#changed.fire();
    await this.#memory.update(groupKey, groupBy);
  }

  /** Follows a change of the metadata key in the settings. */
  followSetting(): void {
    this.#changed.fire();
  }
}
