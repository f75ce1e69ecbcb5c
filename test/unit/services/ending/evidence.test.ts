import { strict as assert } from 'node:assert';
import { accountId, sessionId } from '../../../../src/core/ids.ts';
import type { ListTerms } from '../../../../src/core/provider.ts';
import type { Session } from '../../../../src/core/session.ts';
import { EvidenceLog, type ListAnswer } from '../../../../src/services/ending/evidence.ts';
import { someSession } from '../../sessions.ts';

const account = accountId('account');
const id = sessionId('a');
const named = (...ids: readonly string[]): Session[] => ids.map((one) => someSession(one));

/** A list of these sessions that took 10 ms. */
function list(began: number, ids: readonly string[], more: Partial<ListAnswer> = {}): ListAnswer {
  const sessions = new Map(named(...ids).map((session) => [session.id, session]));
  return { began, ended: began + 10, sessions, unreadable: new Set(), complete: true, ...more };
}

/** This many ids that begin with a letter. */
const ids = (letter: string, count: number): string[] => Array.from({ length: count }, (_, index) => letter + index);

describe('evidence', () => {
  let log: EvidenceLog;

  beforeEach(() => {
    log = new EvidenceLog();
  });

  interface AddOptions {
    readonly lists?: ListTerms;
    readonly someFailed?: boolean;
    readonly shown?: readonly Session[];
  }
  const add = (
    answers: readonly ListAnswer[],
    { lists = 'partial', someFailed = false, shown = [] }: AddOptions = {},
  ) => log.addLists(account, { lists }, { answers, someFailed }, shown);
  /** Eight lists at once that have the same sessions. */
  const addRound = (began: number, has: readonly string[], adding?: AddOptions) =>
    add(
      Array.from({ length: 8 }, () => list(began, has)),
      adding,
    );
  /** Lists without it, 3.1 s apart: 40 of them are enough at an address with several workers. */
  const addMisses = (count: number, has: readonly string[] = [], adding?: AddOptions) => {
    for (let index = 0; index < count; index++) add([list(1_000 + index * 3_100, has)], adding);
  };
  const verdict = (one = id) => log.verdict(account, one);

  it('reports unknown for accounts and sessions that it knows nothing about', () => {
    assert.equal(verdict(), 'unknown');
    assert.equal(log.isCombined(account), false);
    assert.equal(log.needsProbe(account, id), false);
    assert.equal(log.mayHaveOtherWorkers(account, id), false);
    log.addAnswers(account, new Map([[id, 'gone']]), 0, 0);
    log.addAcceptedEnd(account, id, true, true);
    add([list(0, ['b'])], { lists: 'complete' });
    assert.equal(verdict(), 'unknown');
    assert.equal(log.needsProbe(account, id), false);
    log.addAnswers(account, new Map([[id, 'gone']]), 0, 0);
    log.addAcceptedEnd(account, id, true, true);
    assert.equal(verdict(), 'unknown');
  });

  it('forgets an account that is reset, and no other', () => {
    const another = accountId('another');
    add([list(0, ['a'])]);
    add([list(100, [])]);
    add([list(200, ['a'])]);
    log.addLists(another, { lists: 'complete' }, { answers: [list(0, ['a'])], someFailed: false }, []);
    assert.deepEqual([verdict(), log.isCombined(account)], ['stillRunning', true]);
    log.reset(account);
    assert.deepEqual([verdict(), log.isCombined(account)], ['unknown', false]);
    assert.equal(log.verdict(another, id), 'stillRunning');
  });

  it('names which of several sessions are confirmed gone', () => {
    add([list(0, ['a', 'b', 'c'])], { lists: 'complete' });
    add([list(100, ['b'])], { lists: 'complete' });
    assert.deepEqual([...log.confirmedGone(account, ['a', 'b', 'd'].map(sessionId))], ['a']);
  });

  it('asks for a probe of unlisted sessions only where the provider has to be asked', () => {
    for (const [lists, asks] of [
      ['lagging', true],
      ['complete', false],
    ] as const) {
      add([list(0, ['a'])], { lists });
      assert.equal(log.needsProbe(account, id), false);
      add([list(100, [])], { lists });
      assert.equal(log.needsProbe(account, id), asks);
    }
  });

  it('records what the provider said about a session, and that an end was accepted', () => {
    add([list(0, ['a', 'b'])], { lists: 'unreliable' });
    add([list(100, [])], { lists: 'unreliable' });
    log.addAnswers(account, new Map([[id, 'gone']]), 0, 0);
    assert.deepEqual([verdict(), verdict(sessionId('b'))], ['confirmedGone', 'unknown']);
    log.reset(account);
    addRound(0, ['a']);
    log.addAcceptedEnd(account, id, false, true);
    addMisses(3);
    for (let index = 0; index < 5; index++) add([list(1_010, [])]);
    assert.equal(verdict(), 'confirmedGone');
  });

  it('asks again at once about a session that the provider didn’t find for the first time', () => {
    add([list(0, ['a', 'b'])], { lists: 'unreliable' });
    add([list(100, ['b'])], { lists: 'unreliable' });
    assert.equal(log.needsSecondAnswer(account, id), false);
    log.addAnswers(account, new Map([[id, 'notFound']]), 200, 210);
    assert.equal(log.needsSecondAnswer(account, id), true);
    assert.equal(log.needsSecondAnswer(account, sessionId('b')), false);
    assert.equal(log.needsSecondAnswer(account, sessionId('z')), false);
    assert.equal(log.needsSecondAnswer(accountId('other'), id), false);
  });

  it('remembers whether the worker that had the session said it ended it', () => {
    for (const byItsWorker of [true, false]) {
      log.reset(account);
      add([list(0, ['a'])]);
      log.addAcceptedEnd(account, id, byItsWorker, true);
      addMisses(8);
      assert.equal(verdict(), byItsWorker ? 'confirmedGone' : 'unknown');
    }
  });

  describe('of several workers', () => {
    /** Whether several workers are detected from these lists, added one after another. */
    const combines = (lists: ListTerms, ...answers: readonly ListAnswer[]) => {
      log.reset(account);
      for (const answer of answers) add([answer], { lists });
      return log.isCombined(account);
    };

    it('is a session that one list leaves out and the next has again', () => {
      const back = [list(0, ['a']), list(100, []), list(200, ['a'])];
      assert.equal(combines('partial', ...back), true);
      // In that case it means that lists aren't complete.
      assert.equal(combines('complete', ...back), true);
      for (const lists of ['lagging', 'unreliable'] as const) assert.equal(combines(lists, ...back), false, lists);
    });

    it('isn’t a session that starts, ends, or starts again after it was forgotten', () => {
      assert.equal(combines('partial', list(0, []), list(100, ['a']), list(200, ['a'])), false);
      assert.equal(combines('partial', list(0, ['a']), list(100, []), list(200, [])), false);
      add([list(0, ['a'])]);
      add([list(100, [])]);
      log.keepOnly(account, new Map());
      add([list(200, ['a'])]);
      assert.equal(log.isCombined(account), false);
    });

    it('isn’t a difference between lists that were read at the same time', () => {
      // The list without it was requested before the first that has it was complete: it may have started in between.
      assert.equal(combines('partial', list(0, ['a']), list(9, []), list(100, ['a'])), false);
      assert.equal(combines('partial', list(0, ['a']), list(10, []), list(100, ['a'])), true);
      // The list that has it again was requested before the one without it was complete.
      assert.equal(combines('partial', list(0, ['a']), list(100, []), list(109, ['a'])), false);
      assert.equal(combines('partial', list(0, ['a']), list(100, []), list(110, ['a'])), true);
    });

    it('counts from the last of the lists that leave the session out, in whichever order they are added', () => {
      assert.equal(combines('partial', list(0, ['a']), list(500, []), list(100, []), list(300, ['a'])), false);
      assert.equal(combines('partial', list(0, ['a']), list(500, []), list(100, []), list(510, ['a'])), true);
    });

    it('counts from the first list that had the session, even if later ones have it too', () => {
      assert.equal(combines('partial', list(0, ['a']), list(1_000, ['a']), list(500, []), list(2_000, ['a'])), true);
    });

    it('counts from the first list of a round that had the session', () => {
      const early = list(0, ['a']);
      const late = list(0, ['a'], { ended: 400 });
      for (const round of [
        [early, late],
        [late, early],
      ]) {
        for (const shown of [[], named('a')]) {
          log.reset(account);
          add(round, { shown });
          add([list(100, [])]);
          add([list(500, ['a'])]);
          assert.equal(log.isCombined(account), true);
        }
      }
    });

    it('is found as soon as one list of a round was requested late enough', () => {
      add([list(0, ['a'])]);
      add([list(100, [])]);
      add([list(105, ['a']), list(300, ['a'])]);
      assert.equal(log.isCombined(account), true);
    });

    it('is found when lists of one round disagree, and the next has the session', () => {
      add([list(0, ['a'])]);
      add([list(100, ['a']), list(100, []), list(100, ['a'])]);
      assert.deepEqual([log.isCombined(account), verdict()], [false, 'stillRunning']);
      add([list(200, ['a'])]);
      assert.equal(log.isCombined(account), true);
    });

    it('is also found for a session that was shown before any complete list had it', () => {
      add([list(0, [])], { shown: named('a') });
      add([list(100, ['a'])]);
      assert.equal(log.isCombined(account), false);
      add([list(200, [])]);
      add([list(300, ['a'])]);
      assert.equal(log.isCombined(account), true);
    });

    it('isn’t a truncated list, with an unnamed row or one that can’t be read', () => {
      const unnamed = list(100, [], { complete: false });
      assert.equal(combines('partial', list(0, ['a']), unnamed, list(200, ['a'])), false);
      const unreadable = list(100, [], { unreadable: new Set(['a']) });
      assert.equal(combines('partial', list(0, ['a']), unreadable, list(200, ['a'])), false);
    });

    it('is kept as other sessions come and go', () => {
      add([list(0, ['a'])]);
      add([list(100, [])]);
      add([list(200, ['a'])]);
      addMisses(50, ['b']);
      assert.equal(log.isCombined(account), true);
    });
  });

  describe('from the session’s own worker', () => {
    it('is a list of sessions that were last listed together with it', () => {
      add([list(0, ['a', 'b'])]);
      add([list(1_000, ['b'])]);
      assert.equal(verdict(), 'confirmedGone');
    });

    it('is a list with one such session left, after others that started later', () => {
      add([list(0, ['a', 'b'])]);
      add([list(1_000, ['z', 'b'])]);
      assert.equal(verdict(), 'confirmedGone');
    });

    it('is judged by the list that last had it, and by the largest list of a round', () => {
      add([list(0, ['a', 'b'])]);
      add([list(1_000, ['a'])]);
      add([list(2_000, ['b'])]);
      assert.equal(verdict(), 'unknown');
      for (const round of [
        [list(3_000, ['a']), list(3_000, ['a', 'c'])],
        [list(3_000, ['a', 'c']), list(3_000, ['a'])],
      ]) {
        log.reset(account);
        add([list(0, ['a'])]);
        add(round);
        add([list(4_000, ['c'])]);
        assert.equal(verdict(), 'confirmedGone');
        log.reset(account);
        add(round);
        add([list(4_000, ['c'])]);
        assert.equal(verdict(), 'confirmedGone');
      }
    });

    it('isn’t a list with another worker’s sessions, which were listed before but not with it', () => {
      add([list(0, ['b'])]);
      add([list(1_000, ['a'])]);
      addMisses(50, ['b']);
      assert.equal(verdict(), 'unknown');
      assert.equal(verdict(sessionId('b')), 'stillRunning');
    });

    it('may be a list of sessions that started since, as their worker is unknown', () => {
      add([list(0, ['a'])]);
      addMisses(39, ['b']);
      assert.equal(verdict(), 'unknown');
      addMisses(40, ['b']);
      assert.equal(verdict(), 'confirmedGone');
    });

    it('rules out a list only if its session was listed before the list that last had this one began', () => {
      for (const [ended, expected] of [
        [990, 'unknown'],
        [1_000, 'unknown'],
        [1_001, 'confirmedGone'],
      ] as const) {
        log.reset(account);
        add([list(0, ['b'], { ended })]);
        add([list(1_000, ['a'])]);
        log.addAcceptedEnd(account, id, true, true);
        for (let index = 0; index < 8; index++) add([list(2_000, ['b'])]);
        assert.equal(verdict(), expected, String(ended));
      }
    });

    it('may be missing when some lists failed', () => {
      for (const someFailed of [true, false]) {
        log.reset(account);
        addRound(0, ['a']);
        log.addAcceptedEnd(account, id, true, true);
        log.want(account, named('unlisted'));
        addMisses(40, [], { someFailed });
        for (const one of [id, sessionId('unlisted')]) {
          assert.equal(verdict(one), someFailed ? 'unknown' : 'confirmedGone');
        }
      }
    });

    it('is conclusive even when some lists failed, if a neighbor is listed', () => {
      add([list(0, ['a', 'b'])]);
      add([list(1_000, ['b'])], { someFailed: true });
      assert.equal(verdict(), 'confirmedGone');
    });

    it('is each list as long as no list has ever had the session', () => {
      log.want(account, named('a'));
      addMisses(39, ['b']);
      assert.equal(verdict(), 'unknown');
      addMisses(40, ['b']);
      assert.equal(verdict(), 'confirmedGone');
    });
  });

  it('is kept after an end for a session that may be running, and dropped for one that no list had', () => {
    addRound(0, ['a', ...ids('b', 9)]);
    const done = log.want(account, named('a', 'unlisted'));
    const shown = named('a');
    addMisses(30, [], { shown });
    done();
    log.want(account, named('unlisted'));
    addMisses(30, [], { shown });
    // Together they'd be enough for one that no list ever had.
    assert.deepEqual([verdict(), verdict(sessionId('unlisted'))], ['unknown', 'unknown']);
    for (const began of [700_000, 700_001]) add([list(began, [])], { shown });
    assert.equal(verdict(), 'confirmedGone');
  });

  describe('on how many sessions its worker has', () => {
    it('is the largest list of a round', () => {
      const small = list(0, ['a']);
      const large = list(0, ['a', ...ids('b', 8)]);
      for (const round of [
        [small, large],
        [large, small],
      ]) {
        for (const shown of [[], named('a')]) {
          log.reset(account);
          add(round, { shown });
          addMisses(50);
          assert.equal(verdict(), 'unknown');
        }
      }
      log.reset(account);
      add([list(0, ['a', ...ids('b', 7)])]);
      addMisses(50);
      assert.equal(verdict(), 'confirmedGone');
    });

    it('is at least one, when its own row is the only one and can’t be read', () => {
      add([list(0, ['a'])]);
      add([list(100, [], { unreadable: new Set(['a']) })]);
      assert.equal(verdict(), 'stillRunning');
    });
  });

  describe('on how many lists in a row had it', () => {
    it('is how many lists of a round had it', () => {
      for (const count of [7, 8]) {
        for (const shown of [[], named('a')]) {
          log.reset(account);
          const round = Array.from({ length: count }, () => list(0, ['a']));
          add(round, { shown });
          assert.equal(log.mayHaveOtherWorkers(account, id), count < 8);
        }
      }
    });

    it('is none when they disagree', () => {
      for (const shown of [[], named('a')]) {
        log.reset(account);
        add([list(0, []), ...Array.from({ length: 8 }, () => list(0, ['a']))], { shown });
        assert.equal(log.mayHaveOtherWorkers(account, id), true);
      }
    });

    it('matters only where lists are partial, and no longer once several workers were seen', () => {
      assert.equal(log.mayHaveOtherWorkers(account, id), false);
      addRound(0, ['a']);
      assert.equal(log.mayHaveOtherWorkers(account, id), false);
      assert.equal(log.mayHaveOtherWorkers(account, sessionId('never')), true);
      add([list(100, [])]);
      addRound(200, ['a']);
      assert.equal(log.mayHaveOtherWorkers(account, id), true);
      // Where each list was said to have every session, that turned out to be wrong.
      addRound(300, ['a'], { lists: 'complete' });
      assert.equal(log.mayHaveOtherWorkers(account, id), true);
      addRound(300, ['a'], { lists: 'lagging' });
      assert.equal(log.mayHaveOtherWorkers(account, id), false);
    });
  });

  describe('for an id that another session has taken over', () => {
    const first = someSession('a', { startedAt: 1 });
    const second = someSession('a', { startedAt: 60_000 });
    const having = (began: number, session: Session) => list(began, [], { sessions: new Map([[id, session]]) });

    it('starts over', () => {
      add(Array.from({ length: 8 }, () => having(0, first)));
      log.addAcceptedEnd(account, id, true, true);
      add([having(100, second)]);
      assert.equal(log.mayHaveOtherWorkers(account, id), true);
      add([having(200, second), ...Array.from({ length: 6 }, () => having(200, second))]);
      assert.equal(log.mayHaveOtherWorkers(account, id), false);
    });

    it('continues for the same session', () => {
      for (let index = 0; index < 8; index++) add([having(index * 100, first)]);
      assert.equal(log.mayHaveOtherWorkers(account, id), false);
    });
  });

  describe('for sessions that are shown or wanted', () => {
    const keep = (...kept: readonly string[]) =>
      log.keepOnly(account, new Map(named(...kept).map((session) => [session.id, session])));

    it('begins with the first list that leaves out a session known from a truncated list', () => {
      add([list(0, [])], { lists: 'complete', shown: named('a') });
      assert.deepEqual([verdict(), log.needsProbe(account, id)], ['unknown', true]);
      log.addAnswers(account, new Map([[id, 'gone']]), 10, 20);
      assert.deepEqual([verdict(), log.needsProbe(account, id)], ['confirmedGone', false]);
    });

    it('continues for a session that is shown or wanted again', () => {
      addRound(0, ['a']);
      log.addAcceptedEnd(account, id, false, true);
      log.want(account, named('a'));
      for (let index = 0; index < 8; index++) add([list(1_000, [])], { shown: named('a') });
      assert.equal(verdict(), 'confirmedGone');
    });

    it('is dropped once a session is neither', () => {
      add([list(0, ['a', 'b'])], { lists: 'complete' });
      keep('b');
      assert.deepEqual([verdict(), verdict(sessionId('b'))], ['unknown', 'stillRunning']);
    });

    it('is kept until the last interested caller is done', () => {
      const release = [log.want(account, named('a')), log.want(account, named('a'))];
      add([list(0, ['a'])], { lists: 'complete' });
      add([list(100, [])], { lists: 'complete' });
      const isKnown = () => {
        keep();
        log.forget(account, [id]);
        return verdict() === 'confirmedGone';
      };
      assert.ok(isKnown());
      release[0]?.();
      assert.ok(isKnown());
      release[1]?.();
      assert.equal(verdict(), 'unknown');
      assert.ok(!isKnown());
    });

    it('is dropped with the last interested caller, except for what is still running', () => {
      const release = log.want(account, named('a', 'b', 'c'));
      add([list(0, ['a', 'b'])], { lists: 'complete' });
      add([list(100, ['b'])], { lists: 'complete' });
      release();
      assert.deepEqual(
        ['a', 'b', 'c'].map((one) => verdict(sessionId(one))),
        ['unknown', 'stillRunning', 'unknown'],
      );
    });

    it('is forgotten for the named sessions that no caller is interested in', () => {
      add([list(0, ['a', 'b', 'c'])], { lists: 'complete' });
      log.want(account, named('c'));
      log.forget(account, ['a', 'c'].map(sessionId));
      assert.deepEqual(
        ['a', 'b', 'c'].map((one) => verdict(sessionId(one))),
        ['unknown', 'stillRunning', 'stillRunning'],
      );
    });
  });
});
