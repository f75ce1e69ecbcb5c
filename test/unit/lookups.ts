import { createHook } from 'node:async_hooks';

/**
 * Counts how often Node asks the system's resolver, or a DNS server directly, for the address of a name while something
 * is done.
 */
export async function countLookups(work: () => Promise<unknown>): Promise<number> {
  let lookups = 0;
  const hook = createHook({
    init(_id, type) {
      if (/^(GETADDRINFOREQWRAP|QUERYWRAP)$/.test(type)) lookups += 1;
    },
  }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return lookups;
}
