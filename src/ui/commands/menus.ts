/** The submenus of the view's title, by their ids. `npm run manifest` writes them into package.json. */
export const submenus = {
  'browserSessions.sortBy': { title: 'Sort By', menu: 'view/title', group: '1_view@3' },
  'browserSessions.groupBy': { title: 'Group By', menu: 'view/title', group: '1_view@4' },
} as const;

/** The menus that offer commands. */
export type MenuId = 'view/title' | 'view/item/context' | keyof typeof submenus;

/** A menu that offers a command. VS Code sorts its entries alphabetically by `group`. */
export interface MenuEntry {
  readonly menu: MenuId;
  readonly when: string;
  readonly group: string;
}

/** Everything that package.json says about a command. */
export interface CommandEntry {
  readonly title: string;
  readonly icon?: string;
  /** When the Command Palette offers it: `always`, `never`, or a when clause. */
  readonly palette: string;
  readonly menus: readonly MenuEntry[];
}
