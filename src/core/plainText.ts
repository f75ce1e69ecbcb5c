/** Default maximum length of what {@link plainText} returns, in characters. */
export const longestLabel = 80;

/**
 * Control, format (bidi, zero width, tags), private-use, unassigned and lone surrogate code points, and those that fonts
 * draw nothing for (variation selectors, Hangul fillers).
 */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{DI}]/gu;
/** White space, without the byte order mark, which is invisible. */
const blanks = /[^\S\ufeff]+/gu;
/** More combining marks on one letter than any script stacks. */
const stackedMarks = /(\p{M}{3})\p{M}+/gu;

/** Visible ASCII with single spaces in between: most texts, which need only the check for links and icons. */
const simple = /^[!-~]+(?: [!-~]+)*$/;

/** Removes invisible characters from a text. Spaces and line breaks stay. */
export function withoutInvisible(text: string): string {
  return text.replace(invisible, (character) => (/\s/.test(character) && character !== '\ufeff' ? character : ''));
}

/**
 * Makes text from outside safe to show anywhere: one line, at most `longest` characters, nothing invisible,
 * and nothing that VS Code would turn into a link (`[x](command:…)` in notifications) or an icon (`$(x)` in quick picks).
 * Returns an empty string for text that has nothing visible in it.
 */
export function plainText(raw: string, longest: number = longestLabel): string {
  if (raw.length <= longest && simple.test(raw) && !raw.includes('](') && !raw.includes('$(')) return raw;
  // Cutting first keeps a text of a million characters cheap; four times leaves room for what is dropped below.
  const line = raw
    .slice(0, longest * 4 + 256)
    .replace(blanks, ' ')
    .replace(invisible, '')
    .replace(stackedMarks, '$1')
    .replaceAll('](', '] (')
    .replaceAll('$(', '$ (')
    .replace(/ +/g, ' ')
    .trim();
  if (line.length <= longest) return line;
  const characters = Array.from(line);
  if (characters.length <= longest) return line;
  return `${characters
    .slice(0, longest - 1)
    .join('')
    .trimEnd()}…`;
}
