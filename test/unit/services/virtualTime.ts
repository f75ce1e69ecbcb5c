// Loaded on demand with the first list or probe: in virtual time, nothing waits for a file to be read.
import '../../../src/services/accounts/connect.ts';
import '../../../src/services/ending/verifier.ts';
import '../../../src/services/providers/foreignProvider.ts';
import '../../../src/services/sessions/listing.ts';
import { MapMemory, TestServices } from './testServices.ts';
import { VirtualClock } from './virtualClock.ts';

/** All of the services over real HTTP, in virtual time: it passes only while no request is on its way. */
export interface VirtualTimeServices {
  readonly services: TestServices;
  readonly clock: VirtualClock;
  /** Lets so many seconds pass. */
  pass(seconds: number): Promise<void>;
  /** Lets time pass until something is over, for an hour at most. */
  over<T>(work: Promise<T>): Promise<T>;
  /** Lets time pass until a condition holds, for ten minutes at most. @param otherwise the failure message. */
  becomes(isSo: () => boolean | Promise<boolean>, otherwise?: () => string): Promise<void>;
}

/** @param hanging how many requests never get a response: time passes while they wait. */
export function virtualTimeServices({
  settings = new Set(),
  hanging = () => 0,
}: {
  readonly settings?: ReadonlySet<string>;
  readonly hanging?: () => number;
} = {}): VirtualTimeServices {
  const clock = new VirtualClock();
  const services = new TestServices({ clock, settings, memory: new MapMemory(0) });
  clock.isBusy = () => services.requestsInFlight() > hanging();
  const pass = (seconds: number) => clock.until(clock.wait(seconds * 1_000), seconds * 1_000 + 1);
  const over = <T>(work: Promise<T>) => clock.until(work, 3_600_000);
  return {
    services,
    clock,
    pass,
    over,
    async becomes(isSo, otherwise = () => 'it did not come to pass') {
      const end = clock.now() + 600_000;
      while (!(await over(Promise.resolve(isSo())))) {
        if (clock.now() > end) throw new Error(otherwise());
        await pass(0.1);
      }
    },
  };
}
