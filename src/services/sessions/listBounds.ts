import type { Group } from '../../core/group.ts';
import type { GroupId, SessionId } from '../../core/ids.ts';
import type { Inventory, ListFault } from '../../core/inventory.ts';
import { oncePer } from '../../core/oncePer.ts';
import { boundedPages } from '../../core/page.ts';
import { same } from '../../core/same.ts';
import type { Session } from '../../core/session.ts';
import { usageOf } from '../../core/usage.ts';

/** Most sessions of an account that are shown. Storing that many takes 50 ms at each refresh. */
export const mostSessions = 5_000;
/** Most tags, facts and so on of a session, and the maximum length of each in characters. Providers allow less. */
export const mostTexts = 50;
const longestText = 1_000;
const mostGroups = 1_000;
const mostFaults = 1_000;

/**
 * Keeps one list of an account within bounds, whatever its provider returns, and counts what it leaves out. Make one per
 * list, pass it each page, and report {@link leftOut} at the end.
 */
export class ListBounds {
  readonly #sessions = new Set<SessionId>();
  readonly #groups = new Set<GroupId>();
  readonly #tooMany = { sessions: new Set<SessionId>(), groups: 0, faults: 0 };
  #faults = 0;

  /** A page with what exceeds the bounds left out. */
  take(page: Inventory): Inventory {
    return {
      ...page,
      sessions: page.sessions.filter(({ id }) => this.#mayShow(id)).map(boundedOnce),
      groups: page.groups.filter((group) => this.#mayShowGroup(group)),
      faults: page.faults.filter(() => this.#mayTell()),
    };
  }

  /** The faults that report what was left out. Any session may be among the rows left out, so none counts as gone. */
  get leftOut(): readonly ListFault[] {
    const { sessions, groups, faults } = this.#tooMany;
    const missing: ListFault[] = [];
    if (sessions.size > 0) {
      const what = `at most ${mostSessions} sessions of an account are shown`;
      missing.push({ subject: `${sessions.size} more sessions`, unnamed: true, what });
    }
    if (groups > 0) missing.push({ subject: `${groups} more groups`, what: `at most ${mostGroups} are shown` });
    if (faults > 0) {
      missing.push({ subject: `${faults} more rows`, unnamed: true, what: "they aren't as documented" });
    }
    return missing;
  }

  #mayShow(id: SessionId): boolean {
    // A second list may add to what the first said about the same session.
    if (this.#sessions.has(id)) return true;
    if (this.#sessions.size >= mostSessions) {
      this.#tooMany.sessions.add(id);
      return false;
    }
    this.#sessions.add(id);
    return true;
  }

  #mayShowGroup({ id }: Group): boolean {
    if (this.#groups.size >= mostGroups && !this.#groups.has(id)) {
      this.#tooMany.groups++;
      return false;
    }
    this.#groups.add(id);
    return true;
  }

  #mayTell(): boolean {
    if (this.#faults < mostFaults) {
      this.#faults++;
      return true;
    }
    this.#tooMany.faults++;
    return false;
  }
}

/** A session cut down to the bounds; the same object where nothing was cut. */
export function withinBounds(session: Session): Session {
  // Ending its pages closes the ones that were shown and is done when they are closed: none may be left out.
  const most = session.ends === 'pages' ? Number.POSITIVE_INFINITY : undefined;
  const pages = session.pages && boundedPages(session.pages, most);
  const usage = session.usage && usageOf(session.usage.unit, session.usage);
  if (pages === session.pages && same(usage, session.usage) && isShort(session)) return session;
  const { name, host, status, region, tags, traits, metadata, facts, bulkEndExclusion, inUseBy } = session;
  return {
    ...session,
    pages,
    usage,
    name: short(name),
    host: short(host),
    status: short(status),
    region: short(region),
    tags: tags.slice(0, mostTexts).map(short),
    traits: traits.slice(0, mostTexts).map(short),
    metadata: new Map([...metadata].slice(0, mostTexts).map(([key, value]) => [short(key), short(value)])),
    facts: facts.slice(0, mostTexts).map(([label, value]) => [short(label), short(value)]),
    bulkEndExclusion: short(bulkEndExclusion),
    inUseBy: short(inUseBy),
  };
}

/** Most lists have most sessions as the same objects that the one before had. */
const boundedOnce = oncePer(withinBounds);

function isShort(session: Session): boolean {
  const { name, host, status, region, tags, traits, metadata, facts, bulkEndExclusion, inUseBy } = session;
  const lists = [tags, traits, ...facts, ...metadata];
  return (
    [name, host, status, region, bulkEndExclusion, inUseBy].every((text) => text === short(text)) &&
    [tags, traits, facts].every(({ length }) => length <= mostTexts) &&
    metadata.size <= mostTexts &&
    lists.every((texts) => texts.every((text) => text.length <= longestText))
  );
}

function short<Text extends string | undefined>(text: Text): Text {
  return (text === undefined || text.length <= longestText ? text : text.slice(0, longestText)) as Text;
}
