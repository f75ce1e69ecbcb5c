/**
 * Escapes text so that Markdown shows it literally. `MarkdownString.appendText` doesn't escape pipes, which would end the cell
 * of a table, or URLs, which would become links.
 */
export function escapedMarkdown(text: string): string {
  return text.replace(/[!-/:-@[-`{-~]/g, '\\$&');
}
