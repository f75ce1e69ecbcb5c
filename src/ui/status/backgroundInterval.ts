import type { ReadSetting } from '../settings.ts';

/**
 * Milliseconds between refreshes while the view is hidden; 0 for none, for example if nothing would show the result.
 */
export function backgroundInterval(setting: ReadSetting): number {
  const warns = setting('warnings.show') && setting('warnings.ageMinutes') + setting('warnings.idleMinutes') > 0;
  const isNeeded = warns || setting('statusBar.show') !== 'never' || setting('badge') !== 'off';
  return isNeeded ? setting('refresh.background') * 60_000 : 0;
}
