import type { CommandEntry, MenuId } from './menus.ts';

/** The choices of the submenu Sort By, and the command of each. */
export const sortChoices = {
  newest: { command: 'sortByNewest', title: 'Newest First' },
  oldest: { command: 'sortByOldest', title: 'Oldest First' },
  idle: { command: 'sortByIdle', title: 'Longest Idle First' },
  name: { command: 'sortByName', title: 'Name' },
  cost: { command: 'sortByCost', title: 'Highest Cost First' },
} as const;

/** The choices of the submenu Group By, and the command of each. */
export const groupChoicesOfMenu = {
  none: { command: 'groupByNone', title: 'None' },
  batch: { command: 'groupByBatch', title: 'Batch' },
  tag: { command: 'groupByTag', title: 'Tag' },
  metadata: { command: 'groupByMetadata', title: 'Metadata Key…' },
  region: { command: 'groupByRegion', title: 'Region' },
  user: { command: 'groupByUser', title: 'User' },
  status: { command: 'groupByStatus', title: 'Status' },
} as const;

interface MenuChoice {
  readonly command: string;
  readonly title: string;
}

type Pair<Command extends string> = Command | `${Command}Checked`;
type Pairs<Choices extends Readonly<Record<string, MenuChoice>>> = Readonly<
  Record<Pair<Choices[keyof Choices]['command']>, CommandEntry & { readonly palette: 'never' }>
>;

/**
 * Two commands for each choice; the menu shows one of them. VS Code doesn't draw check marks for commands of extensions
 * (microsoft/vscode#109306).
 * @param key the context key that holds the current choice.
 */
function checkable<Choices extends Readonly<Record<string, MenuChoice>>>(menu: MenuId, key: string, choices: Choices) {
  const entries = Object.entries(choices).flatMap(([value, { command, title }], index) => {
    const entry = (shownTitle: string, when: string): CommandEntry => ({
      title: shownTitle,
      palette: 'never',
      menus: [{ menu, when: `${key} ${when} ${value}`, group: `1_choices@${index}` }],
    });
    return [
      [command, entry(title, '!=')],
      [`${command}Checked`, entry(`✓ ${title}`, '==')],
    ] as const;
  });
  return Object.fromEntries(entries) as Pairs<Choices>;
}

/** The commands of both submenus. */
export const listMenuCommands = {
  ...checkable('browserSessions.sortBy', 'browserSessions.sortBy', sortChoices),
  ...checkable('browserSessions.groupBy', 'browserSessions.groupBy', groupChoicesOfMenu),
};
