import * as l10n from '@vscode/l10n';

const minute = 60_000;

/** When something started; not `exact` if it's only known to have been running by then. */
export interface Start {
  readonly at: number;
  readonly exact: boolean;
}

/** How long a session has been running, for its row: `12m`, or `≥ 12m` if it may be longer. */
export function rowAge({ at, exact }: Start, now: number): string {
  const age = shortAge(now - at);
  if (exact) return age;
  return now - at < minute
    ? l10n.t('first seen just now')
    : l10n.t({ message: '≥ {0}', args: [age], comment: ['At least this long'] });
}

/**
 * How long a session has been running, for a sentence: `12 minutes`, `at least 12 minutes`, or undefined if that isn't
 * known.
 */
export function spokenAge({ at, exact }: Start, now: number): string | undefined {
  if (exact) return longAge(now - at);
  return now - at < minute ? undefined : l10n.t('at least {0}', longAge(now - at));
}

/** A duration in the few letters of a row: `<1m`, `12m`, `1h 03m`, `2d 4h`. */
export function shortAge(ms: number): string {
  const minutes = Math.floor(ms / minute);
  if (minutes < 1) return l10n.t({ message: '<1m', comment: ['Less than one minute'] });
  if (minutes < 60) return l10n.t({ message: '{0}m', args: [minutes], comment: ['Minutes, one letter'] });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    const rest = String(minutes % 60).padStart(2, '0');
    return l10n.t({ message: '{0}h {1}m', args: [hours, rest], comment: ['Hours and minutes, one letter each'] });
  }
  return l10n.t({
    message: '{0}d {1}h',
    args: [Math.floor(hours / 24), hours % 24],
    comment: ['Days and hours, one letter each'],
  });
}

/** A duration for sentences and screen readers: `less than a minute`, `12 minutes`, `1 hour 3 minutes`. */
export function longAge(ms: number): string {
  const minutes = Math.floor(ms / minute);
  if (minutes < 1) return l10n.t('less than a minute');
  if (minutes < 60) return countMinutes(minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? countHours(hours) : longer(countHours(hours), countMinutes(minutes % 60));
  const days = Math.floor(hours / 24);
  const whole = days === 1 ? l10n.t('1 day') : l10n.t('{0} days', days);
  return hours % 24 === 0 ? whole : longer(whole, countHours(hours % 24));
}

function longer(long: string, rest: string): string {
  return l10n.t({ message: '{0} {1}', args: [long, rest], comment: ['Hours and minutes, or days and hours'] });
}

function countMinutes(minutes: number): string {
  return minutes === 1 ? l10n.t('1 minute') : l10n.t('{0} minutes', minutes);
}

function countHours(hours: number): string {
  return hours === 1 ? l10n.t('1 hour') : l10n.t('{0} hours', hours);
}
