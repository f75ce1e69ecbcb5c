import { strict as assert } from 'node:assert';
import type { ListTerms } from '../../../../src/core/provider.ts';
import {
  type Evidence,
  needsProbe,
  needsSecondAnswer,
  noObservations,
  observe,
  type Verdict,
  verdictOn,
} from '../../../../src/services/ending/verification.ts';

const listed: Evidence = { kind: 'listedBy', by: 1, missing: 0, crowd: 3 };
const round: Evidence = { kind: 'listedBy', by: 8, missing: 0, crowd: 3 };
const disagreeing: Evidence = { kind: 'listedBy', by: 4, missing: 4, crowd: 3 };
const lonely: Evidence = { kind: 'listedBy', by: 8, missing: 0, crowd: 1 };
const crowded: Evidence = { kind: 'listedBy', by: 8, missing: 0, crowd: 9 };
const probed = (liveness: 'running' | 'gone' | 'unknown'): Evidence => ({
  kind: 'answer',
  liveness,
  askedAt: 0,
  answeredAt: 0,
});
/** A response that took 10 ms, and a list that did. */
const notFound = (askedAt: number): Evidence => ({
  kind: 'answer',
  liveness: 'notFound',
  askedAt,
  answeredAt: askedAt + 10,
});
const missingAt = (began: number): Evidence => ({ kind: 'missingFrom', began, ended: began + 10, worker: 'unknown' });
const accepted: Extract<Evidence, { kind: 'endAccepted' }> = {
  kind: 'endAccepted',
  byItsWorker: false,
  whileListed: true,
};
const endedByItsWorker: Evidence = { kind: 'endAccepted', byItsWorker: true, whileListed: true };
/** Lists that leave it out, a second apart, long after the clock began. */
const missing = (times: number, worker: 'its own' | 'another' | 'unknown' = 'unknown', apartMs = 1_000): Evidence[] =>
  Array.from({ length: times }, (_, index) => {
    const began = 5_000_000 + index * apartMs;
    return { kind: 'missingFrom', began, ended: began, worker };
  });

interface Case {
  readonly of: string;
  readonly lists: ListTerms;
  readonly combined?: boolean;
  readonly evidence: readonly Evidence[];
  readonly verdict: Verdict;
}

const cases: readonly Case[] = [
  { of: 'no evidence', lists: 'complete', evidence: [], verdict: 'unknown' },
  { of: 'a list with it', lists: 'complete', evidence: [listed], verdict: 'stillRunning' },
  { of: 'a list without it', lists: 'complete', evidence: [listed, ...missing(1)], verdict: 'confirmedGone' },
  {
    of: 'a list with it after lists without it',
    lists: 'complete',
    evidence: [listed, ...missing(3), listed],
    verdict: 'stillRunning',
  },
  {
    of: 'a list without a session that was named by id',
    lists: 'complete',
    evidence: missing(1),
    verdict: 'unknown',
  },
  {
    of: 'lists without a session that was named by id, which the provider says is running',
    lists: 'complete',
    evidence: [...missing(1), probed('running'), ...missing(3)],
    verdict: 'stillRunning',
  },
  {
    of: 'a list without a session that was named by id, which the provider says has ended',
    lists: 'complete',
    evidence: [...missing(1), probed('gone')],
    verdict: 'confirmedGone',
  },
  {
    of: 'a list without a session that was named by id, of a provider that can’t tell about one',
    lists: 'complete',
    evidence: [...missing(1), probed('unknown')],
    verdict: 'confirmedGone',
  },

  {
    of: 'lists without it and no probe',
    lists: 'lagging',
    evidence: [listed, ...missing(9, 'unknown', 100)],
    verdict: 'unknown',
  },
  {
    of: 'a list without it and a probe that says so too',
    lists: 'lagging',
    evidence: [listed, ...missing(1), probed('gone')],
    verdict: 'confirmedGone',
  },
  {
    of: 'many lists without it and a probe that says it is running',
    lists: 'lagging',
    evidence: [listed, ...missing(9), probed('running')],
    verdict: 'stillRunning',
  },
  {
    of: 'more lists without it after such a probe',
    lists: 'lagging',
    evidence: [listed, ...missing(3), probed('running'), ...missing(30)],
    verdict: 'stillRunning',
  },
  {
    of: 'lists without it that came before the provider could no longer say that it is running',
    lists: 'lagging',
    evidence: [listed, probed('running'), ...missing(3, 'unknown', 30_000), probed('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'lists without it that came before the provider no longer found it',
    lists: 'lagging',
    evidence: [listed, probed('running'), ...missing(3, 'unknown', 30_000), notFound(6_000_000), probed('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'two lists without it and a probe without an answer',
    lists: 'lagging',
    evidence: [listed, ...missing(2, 'unknown', 9_000), probed('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'three lists within five seconds after an end',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_499), probed('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'three lists in five seconds after an end, even if an earlier one still had it',
    lists: 'lagging',
    evidence: [listed, accepted, listed, ...missing(3, 'unknown', 2_500), probed('unknown')],
    verdict: 'confirmedGone',
  },
  {
    of: 'lists over 59.9 seconds without an end',
    lists: 'lagging',
    evidence: [listed, ...missing(3, 'unknown', 29_950), probed('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'lists over a minute without an end',
    lists: 'lagging',
    evidence: [listed, ...missing(3, 'unknown', 30_000), probed('unknown')],
    verdict: 'confirmedGone',
  },
  {
    of: 'three lists in five seconds after an end without a probe',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_500)],
    verdict: 'unknown',
  },
  {
    of: 'lists from before the provider said it is running and then couldn’t tell',
    lists: 'lagging',
    evidence: [listed, ...missing(9), probed('running'), probed('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'lists from after the provider said it is running and then couldn’t tell',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(9), probed('running'), probed('unknown'), ...missing(3, 'unknown', 2_500)],
    verdict: 'confirmedGone',
  },
  {
    of: 'lists from before the provider could no longer tell',
    lists: 'lagging',
    evidence: [listed, probed('running'), ...missing(3, 'unknown', 2_500), probed('unknown')],
    verdict: 'unknown',
  },

  ...(['lagging', 'unreliable'] as const).flatMap((lists): readonly Case[] => [
    {
      of: 'a list without it and one “not found”',
      lists,
      evidence: [listed, missingAt(0), notFound(10)],
      verdict: 'unknown',
    },
    {
      of: 'two “not found” after the same list',
      lists,
      evidence: [listed, missingAt(0), notFound(10), notFound(500)],
      verdict: 'unknown',
    },
    {
      of: 'another list after one “not found”',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20)],
      verdict: 'unknown',
    },
    {
      of: 'a list between two “not found”',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), notFound(30)],
      verdict: 'confirmedGone',
    },
    {
      of: 'a list that began before the first of two “not found”',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(19), notFound(30)],
      verdict: 'unknown',
    },
    {
      of: 'a second “not found” requested before the list was complete',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), notFound(29)],
      verdict: 'unknown',
    },
    {
      of: 'another worker’s list between two “not found”',
      lists,
      evidence: [
        listed,
        missingAt(0),
        notFound(10),
        { kind: 'missingFrom', began: 20, ended: 30, worker: 'another' },
        notFound(40),
      ],
      verdict: 'unknown',
    },
    {
      of: 'the first of many lists between two “not found”',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), missingAt(100), notFound(50)],
      verdict: 'confirmedGone',
    },
    {
      of: 'a third “not found” after a list between the first two',
      lists,
      evidence: [listed, missingAt(0), notFound(10), notFound(15), missingAt(20), notFound(30)],
      verdict: 'confirmedGone',
    },
    {
      of: 'two “not found” with “running” in between',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), probed('running'), notFound(30)],
      verdict: 'unknown',
    },
    {
      of: 'two “not found” with a list that has it in between',
      lists,
      evidence: [listed, missingAt(0), notFound(10), listed, missingAt(40), notFound(50)],
      verdict: 'unknown',
    },
    {
      of: 'two “not found” with no answer in between',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), probed('unknown'), notFound(30)],
      verdict: 'unknown',
    },
    {
      of: '“not found” after the provider said that it ended',
      lists,
      evidence: [listed, missingAt(0), probed('gone'), notFound(10)],
      verdict: 'confirmedGone',
    },
    {
      of: '“not found” after the provider said that it is running',
      lists,
      evidence: [listed, missingAt(0), probed('running'), notFound(10)],
      verdict: 'unknown',
    },
    {
      of: 'two “not found” and then “running”',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), notFound(30), probed('running')],
      verdict: 'stillRunning',
    },
    {
      of: 'two “not found” and then a list with it',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), notFound(30), listed],
      verdict: 'stillRunning',
    },
  ]),
  {
    of: 'lists from before “running” and then “not found”',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_500), probed('running'), notFound(6_000_000)],
    verdict: 'unknown',
  },
  {
    of: 'three lists in five seconds after an end and a single “not found”',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_500), notFound(6_000_000)],
    verdict: 'unknown',
  },
  {
    of: 'three lists in five seconds after an end, a single “not found”, and then a provider that can’t tell',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_500), notFound(6_000_000), probed('unknown')],
    verdict: 'confirmedGone',
  },

  { of: 'any number of lists without it', lists: 'unreliable', evidence: [listed, ...missing(99)], verdict: 'unknown' },
  {
    of: 'lists without it and a probe without an answer',
    lists: 'unreliable',
    evidence: [listed, ...missing(99), probed('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'a list without it and a probe that says so too',
    lists: 'unreliable',
    evidence: [listed, ...missing(1), probed('gone')],
    verdict: 'confirmedGone',
  },
  {
    of: 'a probe that says gone, and then a list with it',
    lists: 'unreliable',
    evidence: [...missing(1), probed('gone'), listed],
    verdict: 'stillRunning',
  },

  { of: 'one list after eight', lists: 'partial', evidence: [round, accepted, ...missing(1)], verdict: 'unknown' },
  { of: 'seven lists after eight', lists: 'partial', evidence: [round, accepted, ...missing(7)], verdict: 'unknown' },
  {
    of: 'eight lists after eight',
    lists: 'partial',
    evidence: [round, accepted, ...missing(8)],
    verdict: 'confirmedGone',
  },
  {
    of: 'eight lists in 19.9 s without an end, where it was alone',
    lists: 'partial',
    evidence: [lonely, ...missing(8, 'unknown', 2_850)],
    verdict: 'unknown',
  },
  {
    of: 'nine lists in exactly 20 s without an end, where it was alone',
    lists: 'partial',
    evidence: [lonely, ...missing(9, 'unknown', 2_500)],
    verdict: 'confirmedGone',
  },
  {
    of: 'lists from before the provider said “running” and then “gone”',
    lists: 'partial',
    evidence: [round, accepted, ...missing(7), probed('running'), probed('gone'), ...missing(1)],
    verdict: 'unknown',
  },
  {
    of: 'lists between “running” and “gone”',
    lists: 'partial',
    evidence: [round, accepted, probed('running'), ...missing(8), probed('gone')],
    verdict: 'confirmedGone',
  },
  {
    of: 'eight lists in 20.3 s without an end, where it was alone',
    lists: 'partial',
    evidence: [lonely, ...missing(8, 'unknown', 2_900)],
    verdict: 'confirmedGone',
  },
  {
    of: 'eight lists in 119 s without an end, where it was one of eight',
    lists: 'partial',
    evidence: [{ ...crowded, crowd: 8 }, ...missing(8, 'unknown', 17_000)],
    verdict: 'unknown',
  },
  {
    of: 'nine lists in exactly 120 s without an end, where it was one of eight',
    lists: 'partial',
    evidence: [{ ...crowded, crowd: 8 }, ...missing(9, 'unknown', 15_000)],
    verdict: 'confirmedGone',
  },
  {
    of: 'eight lists in 599 s without an end, where it was one of nine',
    lists: 'partial',
    evidence: [crowded, ...missing(8, 'unknown', 85_571)],
    verdict: 'unknown',
  },
  {
    of: 'nine lists in exactly 600 s without an end, where it was one of nine',
    lists: 'partial',
    evidence: [crowded, ...missing(9, 'unknown', 75_000)],
    verdict: 'confirmedGone',
  },
  {
    of: 'eight lists in 119 s and an end that was sent after another list left it out',
    lists: 'partial',
    evidence: [round, ...missing(1), { ...accepted, whileListed: false }, ...missing(8, 'unknown', 17_000)],
    verdict: 'unknown',
  },
  {
    of: 'a list that leaves it out before the end that was sent earlier is answered',
    lists: 'partial',
    evidence: [round, ...missing(1), accepted, ...missing(7)],
    verdict: 'confirmedGone',
  },
  {
    of: 'two lists without it and two ends, one before the first',
    lists: 'partial',
    evidence: [round, accepted, ...missing(1), accepted, ...missing(7)],
    verdict: 'confirmedGone',
  },
  {
    of: 'seven lists in an hour without an end',
    lists: 'partial',
    evidence: [round, ...missing(7, 'unknown', 600_000)],
    verdict: 'unknown',
  },
  {
    of: 'eight lists after seven that had it',
    lists: 'partial',
    evidence: [...Array(7).fill(listed), accepted, ...missing(8)],
    verdict: 'unknown',
  },
  {
    of: 'eight lists after eight single ones',
    lists: 'partial',
    evidence: [...Array(8).fill(listed), accepted, ...missing(8)],
    verdict: 'confirmedGone',
  },
  {
    of: 'eight lists after a gap',
    lists: 'partial',
    evidence: [round, ...missing(1), ...Array(7).fill(listed), accepted, ...missing(8)],
    verdict: 'unknown',
  },
  {
    of: 'eight lists after lists that disagreed',
    lists: 'partial',
    evidence: [round, disagreeing, accepted, ...missing(8)],
    verdict: 'unknown',
  },
  {
    of: '39 lists in an hour after lists that disagreed',
    lists: 'partial',
    evidence: [disagreeing, accepted, ...missing(39, 'unknown', 100_000)],
    verdict: 'unknown',
  },
  {
    of: '40 lists in 117 s after lists that disagreed',
    lists: 'partial',
    evidence: [disagreeing, accepted, ...missing(40, 'unknown', 3_000)],
    verdict: 'unknown',
  },
  {
    of: '41 lists in exactly 120 s after lists that disagreed',
    lists: 'partial',
    evidence: [disagreeing, accepted, ...missing(41, 'unknown', 3_000)],
    verdict: 'confirmedGone',
  },
  {
    of: '40 lists in 120.9 s after lists that disagreed',
    lists: 'partial',
    evidence: [disagreeing, accepted, ...missing(40, 'unknown', 3_100)],
    verdict: 'confirmedGone',
  },
  {
    of: 'eight lists where several workers are known',
    lists: 'partial',
    combined: true,
    evidence: [round, accepted, ...missing(8, 'unknown', 60_000)],
    verdict: 'unknown',
  },
  {
    of: '40 lists in 120.9 s',
    lists: 'partial',
    combined: true,
    evidence: [round, ...missing(40, 'unknown', 3_100)],
    verdict: 'confirmedGone',
  },
  {
    of: '40 lists of other workers',
    lists: 'partial',
    combined: true,
    evidence: [round, ...missing(40, 'another', 3_100)],
    verdict: 'unknown',
  },
  {
    of: 'one list of its own worker',
    lists: 'partial',
    combined: true,
    evidence: [round, ...missing(1, 'its own')],
    verdict: 'confirmedGone',
  },
  {
    of: 'one list of its own worker, and then another worker’s',
    lists: 'partial',
    combined: true,
    evidence: [round, ...missing(1, 'its own'), ...missing(1, 'another')],
    verdict: 'confirmedGone',
  },
  {
    of: '40 lists where its worker had eight sessions',
    lists: 'partial',
    combined: true,
    evidence: [{ ...crowded, crowd: 8 }, ...missing(40, 'unknown', 3_100)],
    verdict: 'confirmedGone',
  },
  {
    of: '40 lists where its worker had nine sessions',
    lists: 'partial',
    combined: true,
    evidence: [crowded, ...missing(40, 'unknown', 3_100)],
    verdict: 'unknown',
  },
  {
    of: 'eight lists after its worker said it ended it',
    lists: 'partial',
    combined: true,
    evidence: [crowded, endedByItsWorker, ...missing(8)],
    verdict: 'confirmedGone',
  },
  {
    of: 'seven lists after its worker said it ended it',
    lists: 'partial',
    combined: true,
    evidence: [crowded, endedByItsWorker, ...missing(7)],
    verdict: 'unknown',
  },
  {
    of: 'eight lists after its worker said it ended it, and another end that was only accepted',
    lists: 'partial',
    combined: true,
    evidence: [crowded, endedByItsWorker, accepted, ...missing(8)],
    verdict: 'confirmedGone',
  },
  {
    of: 'a list with it after its worker said it ended it',
    lists: 'partial',
    combined: true,
    evidence: [crowded, endedByItsWorker, crowded, ...missing(8)],
    verdict: 'unknown',
  },
  {
    of: '40 lists without a session that was named by id',
    lists: 'partial',
    evidence: missing(40, 'unknown', 3_100),
    verdict: 'confirmedGone',
  },
];

describe('verification', () => {
  for (const { of, lists, combined = false, evidence, verdict } of cases) {
    it(`returns ${verdict} for ${of}, where lists are ${lists}${combined ? ' and several workers are known' : ''}`, () => {
      assert.equal(verdictOn(evidence.reduce(observe, noObservations), { lists }, combined), verdict);
    });
  }

  it('waits a minute where lists leave out sessions without pages, unless an end was accepted', () => {
    const terms = { lists: 'partial', omitsEmpty: true } as const;
    const of = (...evidence: readonly Evidence[]) => verdictOn(evidence.reduce(observe, noObservations), terms, false);
    assert.equal(of(listed, ...missing(1, 'its own')), 'unknown');
    assert.equal(of(listed, ...missing(30, 'its own', 2_000)), 'unknown');
    assert.equal(of(listed, ...missing(31, 'its own', 2_000)), 'confirmedGone');
    assert.equal(of(listed, ...missing(2, 'its own', 60_000)), 'unknown');
    assert.equal(of(listed, ...missing(3, 'its own', 30_000)), 'confirmedGone');
    assert.equal(of(listed, accepted, ...missing(1, 'its own')), 'confirmedGone');
    assert.equal(of(listed, accepted, listed, ...missing(1, 'its own')), 'confirmedGone');
    assert.equal(of(listed, ...missing(31, 'unknown', 2_000)), 'unknown');
    // Any worker accepts an end: one that is sent after its own worker has left it out may have gone to another one.
    const at = (...evidence: readonly Evidence[]) => verdictOn(evidence.reduce(observe, noObservations), terms, true);
    assert.equal(at(listed, accepted, ...missing(1, 'its own')), 'confirmedGone');
    assert.equal(at(listed, ...missing(1, 'its own'), accepted, ...missing(1, 'its own')), 'unknown');
  });

  it('asks the provider about unlisted sessions when lists alone confirm nothing', () => {
    const asks = (lists: ListTerms, ...evidence: Evidence[]) =>
      needsProbe(evidence.reduce(observe, noObservations), lists);
    for (const lists of ['lagging', 'unreliable'] as const) {
      assert.equal(asks(lists, listed), false);
      assert.equal(asks(lists, listed, ...missing(1)), true);
      assert.equal(asks(lists, listed, ...missing(1), probed('unknown')), true);
      assert.equal(asks(lists, listed, ...missing(1), probed('gone')), false);
    }
    const once = [listed, missingAt(0), notFound(10)];
    assert.equal(asks('unreliable', ...once), true);
    assert.equal(asks('unreliable', ...once, missingAt(20), notFound(30)), false);
    for (const lists of ['complete', 'partial'] as const) {
      assert.equal(asks(lists, listed, ...missing(1)), false);
      assert.equal(asks(lists, listed, ...missing(1), probed('running')), true);
    }
    assert.equal(asks('complete'), false);
    assert.equal(asks('complete', ...missing(1)), true);
    assert.equal(asks('complete', ...missing(1), probed('unknown')), false);
    assert.equal(asks('complete', ...missing(1), probed('running')), true);
    assert.equal(asks('partial', ...missing(1)), false);
  });

  it('checks again at once only sessions that aren’t found for the first time', () => {
    const looks = (...evidence: Evidence[]) => needsSecondAnswer(evidence.reduce(observe, noObservations));
    const once = [listed, missingAt(0), notFound(10)];
    assert.equal(looks(), false);
    assert.equal(looks(notFound(10)), false);
    assert.equal(looks(...once), true);
    assert.equal(looks(...once, missingAt(20)), true);
    assert.equal(looks(...once, missingAt(20), notFound(30)), false);
    for (const liveness of ['running', 'gone', 'unknown'] as const) {
      assert.equal(looks(...once, probed(liveness)), false);
      assert.equal(looks(listed, missingAt(0), probed(liveness)), false);
    }
    assert.equal(looks(...once, listed), false);
  });
});
