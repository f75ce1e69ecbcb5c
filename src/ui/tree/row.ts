/** What a row shows, with all text from providers cleaned. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: { readonly id: string; readonly color: string | undefined } | undefined;
  /** Whether it is dimmed. */
  readonly dimmed: boolean;
  readonly contextValue: string;
  readonly collapsible: 'none' | 'collapsed' | 'expanded';
  /** The text for screen readers. */
  readonly aria: string;
  /** The command of a click; undefined where a click only selects. */
  readonly click: string | undefined;
}

/** A row that only shows a text. @param color name of a theme color. */
export function plainRow(id: string, label: string, icon: string, color: string | undefined): Row {
  return {
    id,
    label,
    description: '',
    icon: { id: icon, color },
    dimmed: false,
    contextValue: 'rb:info',
    collapsible: 'none',
    aria: label,
    click: undefined,
  };
}
