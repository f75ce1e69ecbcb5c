import { type LocalProcess, type ProcessList, programName } from './processes.ts';

/** Makes a process list from all of this user's processes, on systems that return them all at once. */
export function processListFrom(
  all: readonly LocalProcess[],
  isWanted: (name: string) => boolean,
  { keepsDeadParents = false } = {},
): ProcessList {
  const byPid = new Map(all.map((one) => [one.pid, one]));
  const processWith = (pid: number) => byPid.get(pid);
  return {
    keepsDeadParents,
    processWith,
    found: all.filter(({ program }) => isWanted(programName(program))),
    ancestorsOf: (one) => ancestorsOf(one, processWith),
    folderOf: () => undefined,
    isService: () => false,
  };
}

/** Start times are exact to the second, in milliseconds. */
const sameStartMs = 1_000;

/** A process's ancestors, its parent first. @param processWith finds a process by its pid. */
export function ancestorsOf(
  one: LocalProcess,
  processWith: (pid: number) => LocalProcess | undefined,
): readonly LocalProcess[] {
  const above: LocalProcess[] = [];
  // A pid that was reused while the processes were read could lead to a cycle.
  const seen = new Set([one.pid]);
  for (let child = one; ; ) {
    const parent = processWith(child.parentPid);
    // A parent is older than its child. Otherwise, its pid was reused.
    const isParent = parent !== undefined && parent.startedAt <= child.startedAt + sameStartMs;
    if (!isParent || seen.has(parent.pid)) return above;
    seen.add(parent.pid);
    above.push(parent);
    child = parent;
  }
}
