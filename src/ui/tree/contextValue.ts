import { type Capability, waysToSee } from '../../core/provider.ts';
import type { Session } from '../../core/session.ts';
import type { ListGroup } from '../../services/sessions/grouping.ts';
import type { Life } from '../../services/sessions/sessionsView.ts';
import type { Remedy } from '../text/troubles.ts';

/**
 * The context values that menus depend on: `rb:<kind>` followed by flags, for example `rb:session+endable+live`. The order
 * of flags doesn't matter: menus look for each one separately.
 */
function contextValue(kind: string, flags: Readonly<Record<string, boolean>>): string {
  const set = Object.keys(flags).filter((flag) => flags[flag]);
  return [`rb:${kind}`, ...set].join('+');
}

/** The context value of a row that is one of several selected ones. */
export function selectedContext(context: string): string {
  return `${context}+selected`;
}

/**
 * An account's row.
 * @param leftBehind whether any of its sessions were left behind.
 * @param key whether it has a key; `undefined` if its provider uses none, `automatic` if the user didn't add it either.
 */
export function accountContext(
  key: 'saved' | 'missing' | 'automatic' | undefined,
  sessions: number,
  leftBehind: boolean,
): string {
  return contextValue('account', {
    key: key === 'saved',
    keyMissing: key === 'missing',
    added: key !== 'automatic',
    automatic: key === 'automatic',
    endable: sessions > 0,
    leftBehind,
  });
}

/**
 * A group's row. Only the provider's own batches can be deleted.
 * @param leftBehind whether all of its sessions were left behind.
 */
export function groupContext(
  group: ListGroup,
  capabilities: ReadonlySet<Capability>,
  sessions: number,
  leftBehind = false,
): string {
  const isBatch = group.kind === 'batch';
  return contextValue('group', {
    endable: sessions > 0,
    leftBehind,
    live: sessions > 0 && waysToSee(capabilities, true).live,
    deletable: isBatch && capabilities.has('deleteGroup'),
    cancellable: isBatch && group.canCancel === true && capabilities.has('cancelGroup'),
  });
}

/** A session's row. */
export function sessionContext(
  { canWatch, canTakeScreenshot }: Pick<Session, 'canWatch' | 'canTakeScreenshot'>,
  life: Life['kind'],
  capabilities: ReadonlySet<Capability>,
  isProtected: boolean,
): string {
  return contextValue('session', {
    endable: life !== 'ending',
    ...waysToSee(capabilities, canWatch, canTakeScreenshot),
    recording: capabilities.has('recording'),
    dashboard: capabilities.has('dashboard'),
    [isProtected ? 'protected' : 'protectable']: true,
  });
}

/** The row of a session's page. Only DevTools can take a screenshot of a single page. */
export function pageContext(capabilities: ReadonlySet<Capability>): string {
  return contextValue('page', {
    ...waysToSee(capabilities, true),
    picture: capabilities.has('devtools'),
  });
}

/** The row of a session that has ended. @param leftProfile whether its temporary profile is still on disk. */
export function endedContext(capabilities: ReadonlySet<Capability>, leftProfile: boolean): string {
  return contextValue('ended', {
    deletable: leftProfile,
    recording: capabilities.has('recording'),
    dashboard: capabilities.has('dashboard'),
  });
}

/** The row that shows an account's trouble. */
export function troubleContext(remedy: Remedy): string {
  return contextValue('error', { retry: true, [remedy]: true });
}
