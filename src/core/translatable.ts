/**
 * Marks a text that a provider returns and the user interface translates before showing it. `npm run l10n` collects these
 * texts for translators, so each is a literal.
 */
export function translatable<const Text extends string>(text: Text): Text {
  return text;
}
