import { strict as assert } from 'node:assert';
import type { ListTerms } from '../../../../src/core/provider.ts';
import {
  type Evidence,
  needsProbe,
  needsSecondLook,
  noObservations,
  observe,
  type Verdict,
  verdictOn,
} from '../../../../src/services/ending/verification.ts';

const listed: Evidence = { kind: 'listedBy', by: 1, missing: 0, crowd: 3 };
const round: Evidence = { kind: 'listedBy', by: 8, missing: 0, crowd: 3 };
const disagreeing: Evidence = { kind: 'listedBy', by: 4, missing: 4, crowd: 3 };
const crowded: Evidence = { kind: 'listedBy', by: 8, missing: 0, crowd: 9 };
const told = (liveness: 'running' | 'gone' | 'unknown'): Evidence => ({
  kind: 'told',
  liveness,
  asked: 0,
  answered: 0,
});
/** A response that took 10 ms, and a list that did. */
const notFound = (asked: number): Evidence => ({ kind: 'told', liveness: 'notFound', asked, answered: asked + 10 });
const missingAt = (began: number): Evidence => ({ kind: 'missingFrom', began, ended: began + 10, worker: 'unknown' });
const accepted: Evidence = { kind: 'endAccepted', byItsWorker: false };
const endedByItsWorker: Evidence = { kind: 'endAccepted', byItsWorker: true };
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
  { of: 'nothing', lists: 'complete', evidence: [], verdict: 'unknown' },
  { of: 'a list that has it', lists: 'complete', evidence: [listed], verdict: 'stillRunning' },
  { of: 'a list that leaves it out', lists: 'complete', evidence: [listed, ...missing(1)], verdict: 'confirmedGone' },
  {
    of: 'a list that has it again',
    lists: 'complete',
    evidence: [listed, ...missing(3), listed],
    verdict: 'stillRunning',
  },
  { of: 'a list without one that was named by id', lists: 'complete', evidence: missing(1), verdict: 'confirmedGone' },

  {
    of: 'lists that leave it out, unasked',
    lists: 'lagging',
    evidence: [listed, ...missing(9, 'unknown', 100)],
    verdict: 'unknown',
  },
  {
    of: 'a list and an answer',
    lists: 'lagging',
    evidence: [listed, ...missing(1), told('gone')],
    verdict: 'confirmedGone',
  },
  {
    of: 'an answer against many lists',
    lists: 'lagging',
    evidence: [listed, ...missing(9), told('running')],
    verdict: 'stillRunning',
  },
  {
    of: 'more lists after such an answer',
    lists: 'lagging',
    evidence: [listed, ...missing(3), told('running'), ...missing(30)],
    verdict: 'stillRunning',
  },
  {
    of: 'two lists and no answer',
    lists: 'lagging',
    evidence: [listed, ...missing(2, 'unknown', 9_000), told('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'three lists within five seconds after an end',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_499), told('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'three lists in five seconds after an end, though one before them had it still',
    lists: 'lagging',
    evidence: [listed, accepted, listed, ...missing(3, 'unknown', 2_500), told('unknown')],
    verdict: 'confirmedGone',
  },
  {
    of: 'lists of 59.9 seconds without an end',
    lists: 'lagging',
    evidence: [listed, ...missing(3, 'unknown', 29_950), told('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'lists of a minute without an end',
    lists: 'lagging',
    evidence: [listed, ...missing(3, 'unknown', 30_000), told('unknown')],
    verdict: 'confirmedGone',
  },
  {
    of: 'the same without having asked',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_500)],
    verdict: 'unknown',
  },
  {
    of: 'lists from before the provider said that it runs, and then could not tell',
    lists: 'lagging',
    evidence: [listed, ...missing(9), told('running'), told('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'lists from after that',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(9), told('running'), told('unknown'), ...missing(3, 'unknown', 2_500)],
    verdict: 'confirmedGone',
  },
  {
    of: 'lists from before it could not tell any longer whether it runs',
    lists: 'lagging',
    evidence: [listed, told('running'), ...missing(3, 'unknown', 2_500), told('unknown')],
    verdict: 'unknown',
  },

  ...(['lagging', 'unreliable'] as const).flatMap((lists): readonly Case[] => [
    {
      of: 'a list, and a session that isn’t found',
      lists,
      evidence: [listed, missingAt(0), notFound(10)],
      verdict: 'unknown',
    },
    {
      of: 'a session that isn’t found twice after the same list',
      lists,
      evidence: [listed, missingAt(0), notFound(10), notFound(500)],
      verdict: 'unknown',
    },
    {
      of: 'another list after it isn’t found',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20)],
      verdict: 'unknown',
    },
    {
      of: 'a list between two answers that it isn’t found',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), notFound(30)],
      verdict: 'confirmedGone',
    },
    {
      of: 'a list that began before the first such answer was there',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(19), notFound(30)],
      verdict: 'unknown',
    },
    {
      of: 'a second such answer that was asked for before the list was there',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), notFound(29)],
      verdict: 'unknown',
    },
    {
      of: 'a list of another worker between them',
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
      of: 'the first of many lists between them',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), missingAt(100), notFound(50)],
      verdict: 'confirmedGone',
    },
    {
      of: 'a third such answer, after a list that came between the first two',
      lists,
      evidence: [listed, missingAt(0), notFound(10), notFound(15), missingAt(20), notFound(30)],
      verdict: 'confirmedGone',
    },
    {
      of: 'two such answers between which it runs',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), told('running'), notFound(30)],
      verdict: 'unknown',
    },
    {
      of: 'two such answers between which a list has it',
      lists,
      evidence: [listed, missingAt(0), notFound(10), listed, missingAt(40), notFound(50)],
      verdict: 'unknown',
    },
    {
      of: 'two such answers between which the provider can’t tell',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), told('unknown'), notFound(30)],
      verdict: 'unknown',
    },
    {
      of: 'a session that isn’t found after the provider said that it ended',
      lists,
      evidence: [listed, missingAt(0), told('gone'), notFound(10)],
      verdict: 'confirmedGone',
    },
    {
      of: 'a session that isn’t found after it was said to run',
      lists,
      evidence: [listed, missingAt(0), told('running'), notFound(10)],
      verdict: 'unknown',
    },
    {
      of: 'two such answers, and one that it runs',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), notFound(30), told('running')],
      verdict: 'stillRunning',
    },
    {
      of: 'two such answers, and a list that has it',
      lists,
      evidence: [listed, missingAt(0), notFound(10), missingAt(20), notFound(30), listed],
      verdict: 'stillRunning',
    },
  ]),
  {
    of: 'lists from before it was said to run, and then not to be found',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_500), told('running'), notFound(6_000_000)],
    verdict: 'unknown',
  },
  {
    of: 'three lists in five seconds after an end, and a session that isn’t found',
    lists: 'lagging',
    evidence: [listed, accepted, ...missing(3, 'unknown', 2_500), notFound(6_000_000)],
    verdict: 'confirmedGone',
  },

  { of: 'any number of lists', lists: 'unreliable', evidence: [listed, ...missing(99)], verdict: 'unknown' },
  {
    of: 'a list and no answer',
    lists: 'unreliable',
    evidence: [listed, ...missing(99), told('unknown')],
    verdict: 'unknown',
  },
  {
    of: 'a list and an answer',
    lists: 'unreliable',
    evidence: [listed, ...missing(1), told('gone')],
    verdict: 'confirmedGone',
  },
  {
    of: 'an answer, and then a list that has it',
    lists: 'unreliable',
    evidence: [...missing(1), told('gone'), listed],
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
    of: 'eight lists in 19.9 s without an end',
    lists: 'partial',
    evidence: [round, ...missing(8, 'unknown', 2_850)],
    verdict: 'unknown',
  },
  {
    of: 'nine lists in exactly 20 s without an end',
    lists: 'partial',
    evidence: [round, ...missing(9, 'unknown', 2_500)],
    verdict: 'confirmedGone',
  },
  {
    of: 'lists from before the provider said that it runs, and then that it is gone',
    lists: 'partial',
    evidence: [round, accepted, ...missing(7), told('running'), told('gone'), ...missing(1)],
    verdict: 'unknown',
  },
  {
    of: 'lists from after it said that it runs, and before it said that it is gone',
    lists: 'partial',
    evidence: [round, accepted, told('running'), ...missing(8), told('gone')],
    verdict: 'confirmedGone',
  },
  {
    of: 'eight lists in 20.3 s without an end',
    lists: 'partial',
    evidence: [round, ...missing(8, 'unknown', 2_900)],
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
    of: '39 lists in an hour after those',
    lists: 'partial',
    evidence: [disagreeing, accepted, ...missing(39, 'unknown', 100_000)],
    verdict: 'unknown',
  },
  {
    of: '40 lists in 117 s after those',
    lists: 'partial',
    evidence: [disagreeing, accepted, ...missing(40, 'unknown', 3_000)],
    verdict: 'unknown',
  },
  {
    of: '41 lists in exactly 120 s after those',
    lists: 'partial',
    evidence: [disagreeing, accepted, ...missing(41, 'unknown', 3_000)],
    verdict: 'confirmedGone',
  },
  {
    of: '40 lists in 120.9 s after those',
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
    of: '40 lists in 120.9 s there',
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
    of: 'seven lists after that',
    lists: 'partial',
    combined: true,
    evidence: [crowded, endedByItsWorker, ...missing(7)],
    verdict: 'unknown',
  },
  {
    of: 'eight lists after that, and another end that was only accepted',
    lists: 'partial',
    combined: true,
    evidence: [crowded, endedByItsWorker, accepted, ...missing(8)],
    verdict: 'confirmedGone',
  },
  {
    of: 'its worker saying so, and then listing it',
    lists: 'partial',
    combined: true,
    evidence: [crowded, endedByItsWorker, crowded, ...missing(8)],
    verdict: 'unknown',
  },
  {
    of: '40 lists without one that was named by id',
    lists: 'partial',
    evidence: missing(40, 'unknown', 3_100),
    verdict: 'confirmedGone',
  },
];

describe('verification', () => {
  for (const { of, lists, combined = false, evidence, verdict } of cases) {
    it(`returns ${verdict} for ${of}, where lists are ${lists}${combined ? ' and several workers are known' : ''}`, () => {
      assert.equal(verdictOn(evidence.reduce(observe, noObservations), lists, combined), verdict);
    });
  }

  it('asks the provider about unlisted sessions when lists alone confirm nothing', () => {
    const asks = (lists: ListTerms, ...evidence: Evidence[]) =>
      needsProbe(evidence.reduce(observe, noObservations), lists);
    for (const lists of ['lagging', 'unreliable'] as const) {
      assert.equal(asks(lists, listed), false);
      assert.equal(asks(lists, listed, ...missing(1)), true);
      assert.equal(asks(lists, listed, ...missing(1), told('unknown')), true);
      assert.equal(asks(lists, listed, ...missing(1), told('gone')), false);
    }
    const once = [listed, missingAt(0), notFound(10)];
    assert.equal(asks('unreliable', ...once), true);
    assert.equal(asks('unreliable', ...once, missingAt(20), notFound(30)), false);
    for (const lists of ['complete', 'partial'] as const) {
      assert.equal(asks(lists, listed, ...missing(1)), false);
      assert.equal(asks(lists, listed, ...missing(1), told('running')), true);
    }
  });

  it('checks again at once only sessions that aren’t found for the first time', () => {
    const looks = (...evidence: Evidence[]) => needsSecondLook(evidence.reduce(observe, noObservations));
    const once = [listed, missingAt(0), notFound(10)];
    assert.equal(looks(), false);
    assert.equal(looks(notFound(10)), false);
    assert.equal(looks(...once), true);
    assert.equal(looks(...once, missingAt(20)), true);
    assert.equal(looks(...once, missingAt(20), notFound(30)), false);
    for (const liveness of ['running', 'gone', 'unknown'] as const) {
      assert.equal(looks(...once, told(liveness)), false);
      assert.equal(looks(listed, missingAt(0), told(liveness)), false);
    }
    assert.equal(looks(...once, listed), false);
  });
});
