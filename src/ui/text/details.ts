import type { Account } from '../../core/account.ts';
import { hidden, isSecretKey, withoutValues } from '../../core/maskedAddress.ts';
import { redactor } from '../../core/redact.ts';
import type { Session } from '../../core/session.ts';
import type { Cost } from '../../services/sessions/cost.ts';
import { knownPages, type SessionsView, troubleOf } from '../../services/sessions/sessionsView.ts';

/** Masks values that are named like a secret. */
const withoutSecrets = redactor([]);

/** Format characters (bidi, zero width, tags) and control characters that JSON doesn't escape by itself. */
const invisible = /[\p{Cf}\u007f-\u009f\u2028\u2029]+/gu;

/**
 * What is known about a session, as JSON. Secrets in what its owner wrote are masked, and so are the values in the
 * queries and fragments of page addresses, which often are secrets. Invisible characters are written as JSON escapes.
 */
export function detailsText(
  account: Account,
  session: Session,
  store: SessionsView,
  cost?: ShownCost | undefined,
): string {
  const text = JSON.stringify({ ...detailsOf(account, session, store), ...costDetails(cost) }, null, 2);
  return `${text.replace(invisible, escaped)}\n`;
}

/** What a session has cost so far, and the currency of an estimate. */
export interface ShownCost {
  readonly cost: Cost;
  readonly currency: string;
}

function costDetails(shown: ShownCost | undefined): object {
  if (shown === undefined) return {};
  const { cost, currency } = shown;
  if (cost.kind === 'reported') return { usage: { [cost.usage.unit]: cost.usage.used } };
  return { estimatedCost: { amount: Math.round(cost.amount * 100) / 100, currency } };
}

/** Escapes of JSON, by code unit: a page's title may be a thousand invisible characters. */
const escapes = new Map<number, string>();

function escaped(text: string): string {
  let all = '';
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const written = escapes.get(unit) ?? `\\u${unit.toString(16).padStart(4, '0')}`;
    escapes.set(unit, written);
    all += written;
  }
  return all;
}

function detailsOf(account: Account, session: Session, store: SessionsView): object {
  const state = store.state(account.id);
  const start = store.startOf(account.id, session.id);
  const life = store.life(account.id, session.id);
  const pages = knownPages(store, account.id, session.id);
  const group = session.groupId && state?.contents.groups.get(session.groupId);
  return {
    id: session.id,
    name: text(session.name),
    account: { provider: account.provider, label: account.label, address: account.origin },
    phase: session.phase,
    status: text(session.status),
    life: life.kind,
    ...(start === undefined ? {} : { [start.exact ? 'startedAt' : 'firstSeenAt']: isoTime(start.at) }),
    region: text(session.region),
    group: group && { id: group.id, kind: group.kind, name: text(group.name), status: text(group.status) },
    tags: session.tags.map(withoutSecrets),
    metadata: Object.fromEntries([...session.metadata].map(([key, value]) => [key, masked(key, value)])),
    traits: session.traits.map(withoutSecrets),
    facts: Object.fromEntries(session.facts.map(([label, value]) => [label, masked(label, value)])),
    pages: pages?.map(({ id, title, url }) => ({
      id,
      title: text(title),
      url: withoutValues(url),
    })),
    ends: session.ends,
    leftOutOfEndsOfMany: text(session.bulkEndExclusion),
    listedAt: state?.kind === 'ready' ? isoTime(state.asOf) : undefined,
    trouble: state && troubleOf(state)?.trouble.kind,
  };
}

/** Undefined for a time outside the range of dates. */
function isoTime(at: number): string | undefined {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function text(value: string | undefined): string | undefined {
  return value === undefined ? undefined : withoutSecrets(value);
}

function masked(key: string, value: string): string {
  return isSecretKey(key) ? hidden : withoutSecrets(value);
}
