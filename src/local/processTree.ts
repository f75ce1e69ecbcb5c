import { type LocalProcess, type ProcessList, programName } from './processes.ts';

/** Picks those that are wanted from all processes of this user, where they are all read at once. */
export function listAmong(
  all: readonly LocalProcess[],
  isWanted: (name: string) => boolean,
  { keepsDeadParents = false } = {},
): ProcessList {
  const byPid = new Map(all.map((one) => [one.pid, one]));
  return {
    keepsDeadParents,
    found: all.filter(({ program }) => isWanted(programName(program))),
    ancestorsOf(one) {
      const above: LocalProcess[] = [];
      const seen = new Set([one.pid]);
      for (let child = one; ; ) {
        const parent = byPid.get(child.parentPid);
        // A parent is older than its child: otherwise the pid is another process's by now.
        if (parent === undefined || seen.has(parent.pid) || parent.startedAt > child.startedAt + 1_000) return above;
        seen.add(parent.pid);
        above.push(parent);
        child = parent;
      }
    },
  };
}
