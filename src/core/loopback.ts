import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

const addresses: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Looks up `localhost` for `net.connect` without asking anybody: neither a DNS server nor the hosts file, which may lead
 * it elsewhere. Addresses are not looked up at all. To be used only where `isLoopback` says so of the host; any other
 * name is an error.
 */
export const lookupLoopback: LookupFunction = (hostname, options, answer) => {
  // As in dns.lookup, the answer comes later: net.connect begins listening for it only then.
  process.nextTick(() => {
    const [first] = addresses;
    if (hostname.toLowerCase() !== 'localhost' || first === undefined) {
      answer(Object.assign(new Error(`${hostname} is not this machine`), { code: 'ENOTFOUND' }), '', 0);
    } else if (options.all === true) answer(null, [...addresses]);
    else answer(null, first.address, first.family);
  });
};
