import type { Memory } from '../../core/storage.ts';

/** Where {@link EndJournal} keeps ends that aren't finished; nothing is stored there while there are none. */
export const unfinishedKey = 'unfinishedEnds';

/** Whether a window may have closed while sessions were ending. Small, because it's asked whenever VS Code starts. */
export function hasUnfinishedEnds(memory: Memory): boolean {
  return memory.get(unfinishedKey) !== undefined;
}
