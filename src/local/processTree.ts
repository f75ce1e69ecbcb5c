import { type LocalProcess, type ProcessList, programName } from './processes.ts';

/** Picks those that are wanted from all processes of this user, where they are all read at once. */
export function processListFrom(
  all: readonly LocalProcess[],
  isWanted: (name: string) => boolean,
  { keepsDeadParents = false } = {},
): ProcessList {
  const byPid = new Map(all.map((one) => [one.pid, one]));
  return {
    keepsDeadParents,
    found: all.filter(({ program }) => isWanted(programName(program))),
    ancestorsOf: (one) => ancestorsOf(one, (pid) => byPid.get(pid)),
    folderOf: () => undefined,
  };
}

/** Start times are exact to a second. */
const sameStartMs = 1_000;

/** The processes above one, its parent first. @param processWith finds a process by its pid. */
export function ancestorsOf(
  one: LocalProcess,
  processWith: (pid: number) => LocalProcess | undefined,
): readonly LocalProcess[] {
  const above: LocalProcess[] = [];
  // A pid that was given to another process while they were read could lead around in a circle.
  const seen = new Set([one.pid]);
  for (let child = one; ; ) {
    const parent = processWith(child.parentPid);
    // A parent is older than its child: otherwise the pid is another process's by now.
    const isParent = parent !== undefined && parent.startedAt <= child.startedAt + sameStartMs;
    if (!isParent || seen.has(parent.pid)) return above;
    seen.add(parent.pid);
    above.push(parent);
    child = parent;
  }
}
