/** A row's icon. */
export interface RowIcon {
  /** Name of a codicon. */
  readonly id: string;
  /** Name of a theme color. */
  readonly color: string | undefined;
  /** The ID of a built-in provider, whose own icon in `media/providers` is shown instead. */
  readonly provider?: string;
}

/** What a row shows, with all text from providers cleaned. */
export interface Row {
  readonly id: string;
  readonly label: string;
  /** Parts of the label to highlight, as positions. */
  readonly highlights?: readonly (readonly [from: number, to: number])[];
  readonly description: string;
  readonly icon: RowIcon | undefined;
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
