import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import type { Group, GroupDeletion } from '../../../../src/core/group.ts';
import { type AccountId, groupId, type SessionId, sessionId } from '../../../../src/core/ids.ts';
import {
  type EndingTerms,
  type Liveness,
  type Provider,
  type ProviderKind,
  usualEnding,
} from '../../../../src/core/provider.ts';
import { ProviderError, type Trouble } from '../../../../src/core/providerError.ts';
import type { Session } from '../../../../src/core/session.ts';
import { hasUnfinishedEnds } from '../../../../src/services/ending/unfinished.ts';
import { exampleProvider } from '../../providers/exampleProvider.ts';
import { someSession } from '../../sessions.ts';
import { MapMemory, TestServices } from '../testServices.ts';
import { VirtualClock } from '../virtualClock.ts';

/** What may happen to one end request: what the provider does, and what its client receives. */
type EndFault =
  | 'ends'
  | 'ends later'
  | 'takes it and does nothing'
  | 'says gone while it is running'
  | 'cut before'
  | 'cut after'
  | '500 before'
  | '500 after'
  | '503'
  | '429'
  | '429 with a time'
  | '429 with a time that is over'
  | '429 for a day'
  | 'a web page after'
  | 'refused connection'
  | 'silence';
const endFaults: readonly EndFault[] = [
  'ends',
  'ends later',
  'takes it and does nothing',
  'says gone while it is running',
  'cut before',
  'cut after',
  '500 before',
  '500 after',
  '503',
  '429',
  '429 with a time',
  '429 with a time that is over',
  '429 for a day',
  'a web page after',
  'refused connection',
  'silence',
];
/**
 * What may happen to a list. An outdated one leaves a running session out for less than per second, however often it is
 * requested during that time. Where one list is confirmation, none is outdated.
 */
type ListFault = 'right' | 'fails' | 'leaves one out' | 'breaks off' | 'slow';
const lagMs = 900;

/**
 * How a connection ends that carries all requests. `cut` leaves open what became of those in flight; with `closed`, the
 * server says that it hasn't processed them.
 */
type ConnectionEnd = 'cut' | 'closed';

/** One request for the sessions of the batch, or for all. */
interface Deletion {
  readonly at: number;
  readonly what: 'batch' | 'everything';
  /** Milliseconds until it ends a session; undefined for one that keeps running. */
  readonly endsAfter: readonly (number | undefined)[];
  /** Milliseconds until the provider responds. The client waits no longer than its deadline. */
  readonly answersAfter: number;
  /** Whether the response names the sessions that keep running. */
  readonly namesFailures: boolean;
}
const deletionDeadlineMs = 120_000;

interface Schedule {
  readonly sessions: number;
  readonly chosen: number;
  readonly lists: EndingTerms['lists'];
  /** How many workers share the address, if lists are partial; a session belongs to the worker of its number. */
  readonly workers: number;
  readonly isRoundRobin: boolean;
  /** Whether a response to an end says that the worker had the session. */
  readonly saysWhose: boolean;
  /** When the balancer leaves out the first worker, which then comes back unchanged, and for how long. */
  readonly workerDown: { readonly at: number; readonly ms: number } | undefined;
  /**
   * An outage that begins this many milliseconds after a list was returned: lists fail, and the provider says for each
   * session, in its own words, that it knows none with that id.
   */
  readonly outage: { readonly list: number; readonly after: number; readonly ms: number } | undefined;
  /** Whether probes no longer know an ended session. */
  readonly forgetsEnded: boolean;
  readonly seed: number;
  /** For each session, what happens to one request after the other; the last repeats. */
  readonly ends: readonly (readonly EndFault[])[];
  readonly answers: readonly ListFault[];
  readonly probesFail: boolean;
  /** Whether probes know more than the list. */
  readonly probesTell: boolean;
  readonly probesMany: boolean;
  /** Whether every list but the first leaves the last session out, while probes report it as running. */
  readonly hidesLast: boolean;
  /** When a list is requested from outside, in milliseconds. */
  readonly refreshes: readonly number[];
  /** When the same sessions are ended once more, each named twice. */
  readonly againAt: number | undefined;
  readonly removedAt: number | undefined;
  readonly keyReplacedAt: number | undefined;
  readonly breaks: readonly { readonly at: number; readonly how: ConnectionEnd }[];
  readonly deletion: Deletion | undefined;
  /** When a session is started and ended from outside, in milliseconds. */
  readonly startedMidWay: number;
  readonly endedMidWay: number;
  readonly cancelAfter: number | undefined;
}

/** Milliseconds, some of them longer than the client waits. */
const shortOrLong = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 10, max: 2_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 180_000 }) },
);

const schedules: fc.Arbitrary<Schedule> = fc.record({
  sessions: fc.integer({ min: 1, max: 12 }),
  chosen: fc.integer({ min: 1, max: 12 }),
  lists: fc.constantFrom('complete', 'partial', 'lagging', 'unreliable'),
  workers: fc.integer({ min: 1, max: 8 }),
  isRoundRobin: fc.boolean(),
  saysWhose: fc.boolean(),
  workerDown: fc.option(
    fc.record({ at: fc.integer({ min: 0, max: 8_000 }), ms: fc.integer({ min: 10, max: 15_000 }) }),
    {
      nil: undefined,
      freq: 2,
    },
  ),
  outage: fc.option(
    fc.record({
      list: fc.integer({ min: 1, max: 6 }),
      after: fc.integer({ min: 0, max: 8 }),
      ms: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 5_000 })),
    }),
    {
      nil: undefined,
      freq: 2,
    },
  ),
  forgetsEnded: fc.boolean(),
  seed: fc.nat(),
  ends: fc.array(fc.array(fc.constantFrom(...endFaults), { minLength: 1, maxLength: 4 }), {
    minLength: 12,
    maxLength: 12,
  }),
  answers: fc.array(fc.constantFrom('right', 'right', 'right', 'fails', 'leaves one out', 'breaks off', 'slow'), {
    minLength: 1,
    maxLength: 8,
  }),
  probesFail: fc.boolean(),
  probesTell: fc.boolean(),
  probesMany: fc.boolean(),
  hidesLast: fc.boolean(),
  refreshes: fc.array(fc.integer({ min: 0, max: 8_000 }), { maxLength: 8 }),
  againAt: fc.option(fc.integer({ min: 0, max: 8_000 }), { nil: undefined, freq: 2 }),
  removedAt: fc.option(fc.integer({ min: 0, max: 8_000 }), { nil: undefined, freq: 6 }),
  keyReplacedAt: fc.option(fc.integer({ min: 0, max: 8_000 }), { nil: undefined, freq: 6 }),
  breaks: fc.array(fc.record({ at: fc.integer({ min: 0, max: 400 }), how: fc.constantFrom('cut', 'closed') }), {
    maxLength: 4,
  }),
  deletion: fc.option(
    fc.record({
      at: fc.integer({ min: 0, max: 4_000 }),
      what: fc.constantFrom('batch', 'everything'),
      endsAfter: fc.array(fc.option(shortOrLong, { nil: undefined, freq: 4 }), {
        minLength: 12,
        maxLength: 12,
      }),
      answersAfter: shortOrLong,
      namesFailures: fc.boolean(),
    }),
    { nil: undefined, freq: 2 },
  ),
  startedMidWay: fc.integer({ min: 0, max: 5_000 }),
  endedMidWay: fc.integer({ min: 0, max: 5_000 }),
  cancelAfter: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined }),
});

/** A provider whose every response is scheduled. `running` is the truth. */
class ScheduledProvider {
  readonly running = new Map<string, Session>();
  /** Every end that was requested. */
  readonly asked: string[] = [];
  /** Ends that were resent after the one before was cut off, although no list was requested in between. */
  readonly unseen: string[] = [];
  /** For sessions whose end was cut off, how many lists had been requested. */
  readonly #cut = new Map<string, number>();
  /** How often it was asked to delete the batch or everything. */
  deletions = 0;
  /** Resolves when the connection ends. */
  #connection = Promise.withResolvers<ConnectionEnd>();
  readonly #clock: VirtualClock;
  readonly #schedule: Schedule;
  readonly #attempts = new Map<string, number>();
  #lists = 0;
  #turn = 0;
  readonly #random: () => number;
  #began = Number.POSITIVE_INFINITY;
  #listsAtFirst = 0;
  #outageAt = Number.POSITIVE_INFINITY;
  /** Which session the lists leave out, and from when until when. */
  #lag: { readonly id: string; readonly from: number } | undefined;

  constructor(clock: VirtualClock, schedule: Schedule) {
    this.#clock = clock;
    this.#schedule = schedule;
    this.#random = mulberry32(schedule.seed);
  }

  /** From now on, things go wrong as scheduled. */
  begin(): void {
    this.#began = this.#clock.monotonic();
    this.#listsAtFirst = this.#lists;
  }

  /** Ends the connection with everything in flight on it; the next request opens another. */
  break(how: ConnectionEnd): void {
    const before = this.#connection;
    this.#connection = Promise.withResolvers();
    before.resolve(how);
  }

  /** Waits until a response arrives, or says how the connection ended before. */
  #answer(ms: number): Promise<ConnectionEnd | undefined> {
    return Promise.race([this.#clock.wait(ms).then(() => undefined), this.#connection.promise]);
  }

  /**
   * As {@link #answer}, for a read request, which changes nothing.
   * @throws ProviderError when the connection ends.
   */
  async #told(ms: number): Promise<void> {
    const broken = await this.#answer(ms);
    if (broken !== undefined) throw trouble({ kind: 'unreachable', why: broken === 'cut' ? 'cut' : 'refused' });
  }

  get #isDown(): boolean {
    const { outage } = this.#schedule;
    const since = this.#clock.monotonic() - this.#outageAt;
    return outage !== undefined && since >= 0 && since < outage.ms;
  }

  /** Which worker gets the next request. Unless lists are partial there is only one. */
  #worker(): number {
    const { lists, workers, isRoundRobin, workerDown } = this.#schedule;
    if (lists !== 'partial') return 0;
    const at = this.#clock.monotonic() - this.#began;
    const isDown = workerDown !== undefined && at >= workerDown.at && at < workerDown.at + workerDown.ms && workers > 1;
    const up = Array.from({ length: workers }, (_, index) => index).filter((index) => !isDown || index > 0);
    return up[isRoundRobin ? this.#turn++ % up.length : Math.floor(this.#random() * up.length)] ?? 0;
  }

  #isAt(id: string, worker: number): boolean {
    const { lists, workers } = this.#schedule;
    return lists !== 'partial' || Number(id.slice(1)) % workers === worker;
  }

  start(index: number): void {
    const session = someSession(`s${index}`, {
      startedAt: this.#clock.now(),
      groupId: inBatch(index) ? batch.id : undefined,
    });
    this.running.set(session.id, session);
  }

  get provider(): Provider {
    return {
      ending: { ...usualEnding, lists: this.#schedule.lists },
      check: async () => ({ identity: undefined, sessionLimit: undefined, note: undefined }),
      list: () => this.#list(),
      end: ({ id }) => this.#end(id),
      endEverything: () => this.#delete(() => true).then(() => {}),
      deleteGroup: () => this.#delete(inBatch),
      probe: async ({ id }) => {
        await this.#told(5);
        if (this.#isDown) return 'notFound';
        if (this.#schedule.probesFail) throw trouble({ kind: 'serverFault', status: 500 });
        return this.#liveness(id);
      },
      probeMany: this.#schedule.probesMany ? (sessions) => this.#probeMany(sessions) : undefined,
    };
  }

  #liveness(id: string): Liveness {
    if (!this.#schedule.probesTell) return 'unknown';
    if (this.running.has(id)) return 'running';
    return this.#schedule.forgetsEnded ? 'notFound' : 'gone';
  }

  /** Answers about every other one, or fails. */
  async #probeMany(sessions: readonly Session[]): Promise<ReadonlyMap<SessionId, Liveness>> {
    await this.#told(5);
    if (this.#schedule.probesFail || this.#isDown) throw trouble({ kind: 'serverFault', status: 500 });
    const answered = sessions.filter((_, index) => index % 2 === 0);
    return new Map(answered.map(({ id }) => [id, this.#liveness(id)]));
  }

  /** Ends sessions as the deletion says; only one worker's if there are several. */
  async #delete(isMeant: (index: number) => boolean): Promise<GroupDeletion> {
    this.deletions++;
    const { endsAfter = [], answersAfter = 0, namesFailures = false } = this.#schedule.deletion ?? {};
    const worker = this.#worker();
    const failures: { sessionId: string; reason: string }[] = [];
    for (const id of this.running.keys()) {
      const index = Number(id.slice(1));
      if (!isMeant(index) || !this.#isAt(id, worker)) continue;
      const ms = endsAfter[index % endsAfter.length];
      if (ms !== undefined) this.#clock.after(ms, () => this.running.delete(id));
      else failures.push({ sessionId: id, reason: 'it is stuck' });
    }
    const broken = await this.#answer(Math.min(answersAfter, deletionDeadlineMs));
    if (broken !== undefined) throw trouble({ kind: 'unreachable', why: 'cut' });
    if (answersAfter > deletionDeadlineMs) throw trouble({ kind: 'timedOut', afterMs: deletionDeadlineMs });
    return { deleted: 0, failed: failures.length, failures: namesFailures ? failures : [], message: undefined };
  }

  async *#list() {
    const { answers } = this.#schedule;
    const isFirst = this.#listsAtFirst === 0;
    const fault = isFirst ? 'right' : (answers[(this.#lists - this.#listsAtFirst) % answers.length] ?? 'right');
    this.#lists++;
    const number = isFirst ? 0 : this.#lists - this.#listsAtFirst;
    const worker = this.#worker();
    const wasDown = this.#isDown;
    await this.#told(fault === 'slow' ? 4_000 : 10);
    if (fault === 'fails' || wasDown || this.#isDown) throw trouble({ kind: 'serverFault', status: 502 });
    const { outage } = this.#schedule;
    if (number === outage?.list) this.#outageAt = this.#clock.monotonic() + outage.after;
    const omitted = this.#omitted(fault);
    const sessions = [...this.running.values()].filter(({ id }) => !omitted.has(id) && this.#isAt(id, worker));
    yield { sessions, groups: [batch], faults: [], account: undefined };
    if (fault === 'breaks off') throw trouble({ kind: 'unreachable', why: 'cut' });
  }

  #omitted(fault: ListFault): ReadonlySet<string> {
    const { lists, hidesLast, probesFail, probesTell, sessions } = this.#schedule;
    if (lists === 'complete' || lists === 'partial') return new Set();
    const now = this.#clock.now();
    const hidden = hidesLast && !probesFail && probesTell && this.#listsAtFirst > 0 ? [`s${sessions - 1}`] : [];
    if (fault === 'leaves one out' && (this.#lag === undefined || now >= this.#lag.from + lagMs)) {
      // A different one than last time, or that list would be wrong instead of outdated.
      const id = [...this.running.keys()].find((id) => id !== this.#lag?.id);
      this.#lag = id === undefined ? undefined : { id, from: now };
    }
    const lags = this.#lag !== undefined && now < this.#lag.from + lagMs ? [this.#lag.id] : [];
    return new Set([...hidden, ...lags]);
  }

  async #end(id: string) {
    this.asked.push(id);
    if (this.#cut.get(id) === this.#lists) this.unseen.push(id);
    this.#cut.delete(id);
    const { lists, saysWhose } = this.#schedule;
    if (this.#isDown) {
      await this.#told(20);
      return { outcome: 'alreadyGone', how: undefined } as const;
    }
    if (!this.#isAt(id, this.#worker())) {
      await this.#told(20);
      return { outcome: saysWhose ? 'alreadyGone' : 'accepted', how: undefined } as const;
    }
    const attempt = this.#attempts.get(id) ?? 0;
    this.#attempts.set(id, attempt + 1);
    const faults = this.#schedule.ends[Number(id.slice(1)) % this.#schedule.ends.length] ?? [];
    const fault = faults[Math.min(attempt, faults.length - 1)] ?? 'ends';
    const broken = await this.#answer(20);
    const stop = () => this.running.delete(id);
    if (broken === 'closed') throw trouble({ kind: 'unreachable', why: 'refused' });
    if (broken === 'cut') {
      this.#cut.set(id, this.#lists);
      const share = this.#random();
      if (share < 0.4) stop();
      else if (share < 0.6) this.#clock.after(share * 1_000, stop);
      throw trouble({ kind: 'unreachable', why: 'cut' });
    }
    switch (fault) {
      case 'ends':
        return { outcome: stop() ? (saysWhose ? 'ended' : 'accepted') : 'alreadyGone', how: undefined } as const;
      case 'ends later':
        this.#clock.after(3_000, stop);
        return { outcome: 'accepted', how: undefined } as const;
      case 'takes it and does nothing':
        // A worker that says so has closed the browser; what may have closed nothing only accepts.
        return { outcome: lists === 'partial' ? 'accepted' : 'ended', how: undefined } as const;
      case 'says gone while it is running':
        return { outcome: 'alreadyGone', how: undefined } as const;
      case 'cut before':
        this.#cut.set(id, this.#lists);
        throw trouble({ kind: 'unreachable', why: 'cut' });
      case 'cut after':
        this.#cut.set(id, this.#lists);
        stop();
        throw trouble({ kind: 'unreachable', why: 'cut' });
      case '500 before':
        throw trouble({ kind: 'serverFault', status: 500 });
      case '500 after':
        stop();
        throw trouble({ kind: 'serverFault', status: 500 });
      case '503':
        throw trouble({ kind: 'serverFault', status: 503 });
      case '429':
        throw trouble({ kind: 'rateLimited', retryAt: undefined });
      case '429 with a time':
        throw trouble({ kind: 'rateLimited', retryAt: this.#clock.now() + 1_500 });
      case '429 with a time that is over':
        throw trouble({ kind: 'rateLimited', retryAt: this.#clock.now() - 60_000 });
      case '429 for a day':
        throw trouble({ kind: 'rateLimited', retryAt: this.#clock.now() + 86_400_000 });
      case 'a web page after':
        stop();
        throw trouble({ kind: 'unexpectedAnswer', what: 'it answered a web page' });
      case 'refused connection':
        throw trouble({ kind: 'unreachable', why: 'refused' });
      case 'silence':
        await this.#clock.wait(15_000);
        throw trouble({ kind: 'timedOut', afterMs: 15_000 });
    }
  }
}

/** The sessions with an even number are a batch. */
const inBatch = (index: number) => index % 2 === 0;
const batch: Group = { id: groupId('batch'), kind: 'batch', name: 'batch', status: undefined, createdAt: undefined };

/** Numbers from 0 up to 1; the same seed gives the same numbers. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function trouble(kind: Trouble): ProviderError {
  return new ProviderError(kind, kind.kind);
}

function listedBy(services: TestServices, id: AccountId): readonly Session[] {
  return [...(services.store.state(id)?.contents.sessions.values() ?? [])];
}

/** Services with one account at the provider, and everything that it lists. */
async function settle(schedule: Schedule) {
  const clock = new VirtualClock();
  const provider = new ScheduledProvider(clock, schedule);
  const kind: ProviderKind = { ...exampleProvider, id: 'scheduled', fields: [], connect: () => provider.provider };
  const services = new TestServices({ clock, kinds: [kind], memory: new MapMemory(0) });
  for (let index = 0; index < schedule.sessions; index++) provider.start(index);
  const id = await clock.until(services.add('scheduled', 'https://made.up.example'), 60_000);
  for (let times = 0; times < 60 && listedBy(services, id).length < schedule.sessions; times++) {
    await clock.until(services.refresher.refresh(id, { thorough: true }), 60_000);
  }
  provider.begin();
  const listed = listedBy(services, id);
  return { clock, provider, services, id, targets: listed.map((session) => ({ accountId: id, session })) };
}

/** Two sessions that end at once, when nothing goes wrong. */
const undisturbed: Schedule = {
  sessions: 2,
  chosen: 2,
  lists: 'lagging',
  workers: 1,
  isRoundRobin: true,
  saysWhose: true,
  workerDown: undefined,
  outage: undefined,
  forgetsEnded: false,
  seed: 0,
  ends: [['ends']],
  answers: ['right'],
  probesFail: false,
  probesTell: true,
  probesMany: false,
  hidesLast: false,
  refreshes: [],
  againAt: undefined,
  breaks: [],
  deletion: undefined,
  removedAt: undefined,
  keyReplacedAt: undefined,
  startedMidWay: 0,
  endedMidWay: 0,
  cancelAfter: undefined,
};
const quietly = { stop: new AbortController().signal, onProgress: () => {} };

/** Makes the provider delete, as the command does, and returns which sessions that included. */
async function deleted(services: TestServices, id: AccountId, { what }: Deletion) {
  const listed = listedBy(services, id).filter(({ groupId }) => what === 'everything' || groupId === batch.id);
  const meant = new Set(listed.map((session) => session.id as string));
  const { results } = await (what === 'everything'
    ? services.ender.endEverything(id)
    : services.ender.deleteGroup(id, batch.id));
  return { meant, results };
}

async function play(schedule: Schedule): Promise<void> {
  const { clock, provider, services, id, targets: all } = await settle(schedule);
  try {
    const targets = all.slice(0, schedule.chosen);
    const frozen = new Set(targets.map(({ session }) => session.id as string));
    const stop = new AbortController();
    const lost: string[] = [];
    services.store.onDidLeave(({ session }) => {
      if (provider.running.has(session.id)) lost.push(session.id);
    });
    clock.after(schedule.startedMidWay, () => provider.start(schedule.sessions));
    clock.after(schedule.endedMidWay, () => provider.running.delete('s0'));
    const at = (ms: number | undefined, run: () => void) => ms !== undefined && clock.after(ms, run);
    at(schedule.cancelAfter, () => stop.abort());
    for (const ms of schedule.refreshes) at(ms, () => void services.refresher.refresh(id));
    at(schedule.removedAt, () => void services.accounts.remove(id));
    at(schedule.keyReplacedAt, () => void services.accounts.replaceCredentials(id, {}));
    for (const { at: ms, how } of schedule.breaks) at(ms, () => provider.break(how));
    const { deletion } = schedule;
    const deleting =
      deletion === undefined ? undefined : clock.wait(deletion.at).then(() => deleted(services, id, deletion));
    const ended = (named: typeof targets, signal: AbortSignal) => {
      let last = { sent: 0, settled: 0, total: 0 };
      const onProgress = (progress: typeof last) => {
        assert.ok(progress.sent >= last.sent && progress.settled >= last.settled, 'progress goes backwards');
        last = progress;
      };
      return services.ender.end(named, { stop: signal, onProgress }).then(({ results }) => ({ results, last }));
    };
    const runs = [ended(targets, stop.signal)];
    if (schedule.againAt !== undefined) {
      const later = clock.wait(schedule.againAt).then(() => ended([...targets, ...targets], quietly.stop));
      runs.push(later);
    }
    const reports = await clock.until(Promise.all(runs), 600_000);
    if (deleting !== undefined) {
      const { meant, results } = await clock.until(deleting, 600_000);
      assert.deepEqual(new Set(results.map(({ session }) => session.id as string)), meant);
      assert.equal(results.length, meant.size);
      for (const { session, outcome, attempts, why } of results) {
        const isGone = outcome === 'ended' || outcome === 'alreadyGone';
        if (isGone)
          assert.ok(!provider.running.has(session.id), `${session.id} is reported as ${outcome}, but is running`);
        else assert.ok(why !== undefined, `${session.id} is ${outcome} without a reason`);
        assert.equal(attempts, 0);
      }
    }
    // Several workers get each end several times, and a second command is the user's own decision.
    if (schedule.lists !== 'partial' && schedule.againAt === undefined) assert.deepEqual(provider.unseen, []);
    assert.ok(provider.deletions <= 1, 'a deletion was sent again');

    assert.deepEqual(lost, [], 'rows of running sessions disappeared');
    for (const asked of provider.asked) assert.ok(frozen.has(asked), `${asked} was never confirmed`);
    for (const { results, last } of reports) {
      assert.equal(results.length, targets.length);
      assert.ok(targets.length > 0);
      assert.deepEqual(new Set(results.map(({ session }) => session.id as string)), frozen);
      assert.deepEqual(last, { sent: targets.length, settled: targets.length, total: targets.length });
      for (const { session, outcome, attempts, why } of results) {
        if (outcome === 'ended' || outcome === 'alreadyGone') {
          assert.ok(!provider.running.has(session.id), `${session.id} is reported as ${outcome}, but is running`);
          assert.equal(services.store.session(id, session.id), undefined);
        } else if (outcome === 'canceled') assert.equal(attempts, 0);
        else assert.ok(why !== undefined);
        assert.ok(attempts <= (schedule.lists === 'partial' ? 100 : 11), `${attempts} attempts`);
        assert.notEqual(services.store.life(id, session.id).kind, 'ending');
      }
    }
    assert.ok(!hasUnfinishedEnds(services.memory));
  } finally {
    services.dispose();
  }
}

describe('Ender, whatever happens', function () {
  this.timeout(180_000);

  // In parts, each with other schedules: the time limit is for each of them, however slow the machine is.
  const parts = 10;
  const runs = Number(process.env['PROPERTY_RUNS'] ?? 5_000);
  for (let part = 1; part <= parts; part++) {
    it(`ends nothing that wasn’t confirmed, says ended of nothing that is running, and stops (${part} of ${parts})`, async () => {
      await fc.assert(fc.asyncProperty(schedules, play), { numRuns: Math.ceil(runs / parts) });
    });
  }

  it('calls nothing gone that isn’t found in an outage after a list, however long the outage is', async () => {
    const provider: Schedule = {
      ...undisturbed,
      lists: 'unreliable',
      hidesLast: true,
      ends: [['ends'], ['takes it and does nothing']],
    };
    // A probe takes 5 ms, and the list after it 10.
    for (const forgetsEnded of [true, false]) {
      for (let ms = 1; ms <= 60; ms++) await play({ ...provider, forgetsEnded, outage: { list: 1, after: 1, ms } });
    }
  });

  it('doesn’t call a session gone that one answer in an outage doesn’t find and lagging lists leave out', async () => {
    await play({
      ...undisturbed,
      sessions: 7,
      chosen: 7,
      outage: { list: 1, after: 1, ms: 5 },
      ends: [
        ['ends'],
        ['ends'],
        ['ends'],
        ['cut before'],
        ['503', 'ends'],
        ['ends'],
        ['takes it and does nothing', 'cut after'],
        ['cut before'],
        ['ends'],
        ['ends'],
        ['ends'],
        ['ends'],
      ],
      answers: ['slow'],
      hidesLast: true,
      refreshes: [358],
      breaks: [{ at: 0, how: 'cut' }],
      cancelAfter: 1,
    });
  });

  it('doesn’t end another session that has taken over an id', async () => {
    const { clock, provider, services, id, targets } = await settle(undisturbed);
    await clock.until(clock.wait(1_000), 5_000);
    provider.start(0);
    await clock.until(services.refresher.refresh(id), 60_000);
    const { results } = await clock.until(services.ender.end(targets, quietly), 60_000);
    assert.deepEqual(
      new Map(results.map(({ session, outcome }) => [session.id as string, outcome])),
      new Map([
        ['s0', 'alreadyGone'],
        ['s1', 'ended'],
      ]),
    );
    assert.deepEqual(provider.asked, ['s1']);
    assert.ok(services.store.session(id, sessionId('s0')));
    services.dispose();
  });

  it('checks before ending from an old list, when a server may give an id to another session', async () => {
    const { clock, provider, services, targets } = await settle({ ...undisturbed, lists: 'complete' });
    await clock.until(clock.wait(6_000), 10_000);
    provider.start(0);
    const { results } = await clock.until(services.ender.end(targets, quietly), 60_000);
    assert.deepEqual(
      new Map(results.map(({ session, outcome }) => [session.id as string, outcome])),
      new Map([
        ['s0', 'alreadyGone'],
        ['s1', 'ended'],
      ]),
    );
    assert.deepEqual(provider.asked, ['s1']);
    services.dispose();
  });

  it('isn’t deceived by a session that takes over the id of one that has just ended', async () => {
    const { clock, provider, services, id, targets } = await settle({
      ...undisturbed,
      lists: 'complete',
      ends: [['ends later']],
    });
    clock.after(3_030, () => provider.start(0));
    const { results } = await clock.until(services.ender.end(targets, quietly), 60_000);
    assert.deepEqual(new Set(results.map(({ outcome }) => outcome)), new Set(['ended']));
    assert.deepEqual([...provider.running.keys()], ['s0']);
    await clock.until(services.refresher.refresh(id), 60_000);
    assert.equal(services.store.life(id, sessionId('s0')).kind, 'running');
    services.dispose();
  });

  it('doesn’t say that a session is running when the provider can’t tell', async () => {
    const { clock, services, targets } = await settle({ ...undisturbed, lists: 'unreliable', probesTell: false });
    const { results } = await clock.until(services.ender.end(targets, quietly), 60_000);
    for (const { outcome, why } of results) {
      assert.equal(outcome, 'stuck');
      assert.deepEqual(why, { kind: 'unconfirmed', error: undefined, isCombined: false });
    }
    services.dispose();
  });

  it('claims nothing and finishes in time when the clock jumps, by an hour ahead or back', async () => {
    for (const jump of [3_600_000, -3_600_000]) {
      const schedule: Schedule = { ...undisturbed, ends: [['takes it and does nothing'], ['ends later']] };
      const { clock, services, targets } = await settle(schedule);
      clock.after(500, () => clock.jump(jump));
      const { results } = await clock.until(services.ender.end(targets, quietly), 7_200_000);
      const outcomes = new Map(results.map(({ session, outcome }) => [session.id as string, outcome]));
      assert.equal(outcomes.get('s0'), 'stuck');
      assert.notEqual(outcomes.get('s1'), 'failed');
      services.dispose();
    }
  });

  it('stops, and claims nothing, when the account is removed halfway', async () => {
    const { clock, provider, services, id, targets } = await settle({
      ...undisturbed,
      ends: [['takes it and does nothing']],
    });
    clock.after(500, () => void services.accounts.remove(id));
    const { results } = await clock.until(services.ender.end(targets, quietly), 600_000);
    assert.deepEqual(new Set(results.map(({ outcome }) => outcome)), new Set(['stuck']));
    assert.equal(provider.running.size, 2);
    services.dispose();
  });
});
