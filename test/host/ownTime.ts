/** Measures the longest time that everything else is blocked, in milliseconds of this thread's own work. */
export function watchTurns(): { stop(): number } {
  let longest = 0;
  let isWatching = true;
  let last = process.threadCpuUsage();
  const look = () => {
    const now = process.threadCpuUsage();
    longest = Math.max(longest, (now.user + now.system - last.user - last.system) / 1_000);
    last = now;
    if (isWatching) setImmediate(look);
  };
  setImmediate(look);
  return {
    stop() {
      isWatching = false;
      // Without another turn since, this one counts, too.
      look();
      return longest;
    },
  };
}

/** How long this thread itself works on something that doesn't wait, in milliseconds. */
export function ownTimeOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
