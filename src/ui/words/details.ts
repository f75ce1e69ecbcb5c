import type { Account } from '../../core/account.ts';
import { redactor } from '../../core/redact.ts';
import type { Session } from '../../core/session.ts';
import { knownPages, type SessionsView, troubleOf } from '../../services/sessionStore.ts';

const hidden = '•••';
/** Takes out what is named like a secret, wherever somebody wrote it. */
const withoutSecrets = redactor([]);

/**
 * What is known of a session, to be shown as JSON: what its owner wrote on it with secrets masked, and of its pages'
 * addresses all but the values behind the question mark, which often are some.
 */
export function detailsOf(account: Account, session: Session, store: SessionsView): object {
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
    ...(start === undefined ? {} : { [start.exact ? 'startedAt' : 'firstSeenAt']: new Date(start.at).toISOString() }),
    region: text(session.region),
    group: group && { id: group.id, kind: group.kind, name: text(group.name), status: text(group.status) },
    tags: session.tags.map(withoutSecrets),
    metadata: Object.fromEntries([...session.metadata].map(([key, value]) => [key, masked(key, value)])),
    traits: session.traits.map(withoutSecrets),
    facts: Object.fromEntries(session.facts.map(([label, value]) => [label, masked(label, value)])),
    pages: pages?.map(({ id, title, url }) => ({ id, title: withoutSecrets(title), url: withoutValues(url) })),
    ends: session.ends,
    leftOutOfEndsOfMany: session.heldBack,
    listedAt: state?.kind === 'ready' ? new Date(state.asOf).toISOString() : undefined,
    trouble: state && troubleOf(state)?.trouble.kind,
  };
}

function text(value: string | undefined): string | undefined {
  return value === undefined ? undefined : withoutSecrets(value);
}

function masked(key: string, value: string): string {
  return /key|token|secret|password|authorization|cookie/i.test(key) ? hidden : withoutSecrets(value);
}

function withoutValues(raw: string): string {
  const url = URL.parse(raw);
  if (url === null) return withoutSecrets(raw);
  if (url.protocol === 'data:' || url.protocol === 'blob:') return `${url.protocol}${hidden}`;
  const query = [...url.searchParams.keys()].map((name) => `${encodeURIComponent(name)}=${hidden}`).join('&');
  const fragment = url.hash === '' ? '' : `#${hidden}`;
  return withoutSecrets(
    `${url.origin === 'null' ? url.protocol : url.origin}${url.pathname}${query && `?${query}`}${fragment}`,
  );
}
