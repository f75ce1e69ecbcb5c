/** The language that times and numbers are written in; undefined for the machine's own. */
let locale: string | undefined;

/**
 * Sets the language that times and numbers are written in from now on.
 * @param language as `vscode.env.language` has it, e.g. `en` or `pt-br`; anything else means the machine's own.
 */
export function useLanguage(language: string): void {
  try {
    [locale] = Intl.getCanonicalLocales(language);
  } catch {
    locale = undefined;
  }
}

/** The language in use, as `Intl` takes it. */
export function usedLanguage(): string | undefined {
  return locale;
}

/** A time of day, e.g. `2:42 PM` or `14:42`. @param at epoch milliseconds. */
export function timeOfDay(at: number): string {
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(at);
}

/** A day, e.g. `11/26/2026`. @param at epoch milliseconds. */
export function day(at: number): string {
  return new Intl.DateTimeFormat(locale).format(at);
}

/** A day and a time to the second. @param at epoch milliseconds. */
export function dayAndTime(at: number): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'medium' }).format(at);
}
