import type { Account } from '../../core/account.ts';
import { plainText } from '../../core/plainText.ts';
import type { ProviderKind } from '../../core/provider.ts';

/**
 * How wide an account's name is in its row at most, in Latin letters: with more of it, nothing of the counts beside it
 * is left in a side bar of 240 px.
 */
const widest = 15;
/** The part of a shortened name that its end keeps: names often differ there. */
const tail = 6;
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}\uff01-\uff60]/u;

/** The user's name for an account, else the name of its provider. */
export function accountLabel({ label, provider }: Account, kind: ProviderKind | undefined): string {
  return plainText(label) || providerLabel(provider, kind);
}

/** The name of an account's provider, or its ID while the provider isn't there. */
export function providerLabel(provider: string, kind: ProviderKind | undefined): string {
  return kind === undefined ? plainText(provider) : plainText(kind.label);
}

/** A name that fits in a row beside counts: a long one is shortened in the middle. */
export function shortened(name: string): string {
  const characters = Array.from(name);
  if (widthOf(characters) <= widest) return name;
  const end = fitting(characters.toReversed(), tail).toReversed();
  const begin = fitting(characters, widest - 1 - widthOf(end));
  return `${begin.join('').trimEnd()}…${end.join('').trimStart()}`;
}

/** As many of the first characters as are at most `most` wide. */
function fitting(characters: readonly string[], most: number): string[] {
  const taken: string[] = [];
  let left = most;
  for (const character of characters) {
    left -= widthOf([character]);
    if (left < 0) break;
    taken.push(character);
  }
  return taken;
}

function widthOf(characters: readonly string[]): number {
  return characters.reduce((sum, character) => sum + (wide.test(character) ? 2 : 1), 0);
}
