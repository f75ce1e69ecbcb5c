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
      return longest;
    },
  };
}
