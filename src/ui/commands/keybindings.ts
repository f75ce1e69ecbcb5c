import { type CommandName, commandPrefix } from './table.ts';

/**
 * The keys of the trees. VS Code tells an extension which row has the focus only as an argument of a command, which it
 * fills in: `$focusedTreeItem`. It doesn't notice that the focus moved when the focused row went away, but selecting and
 * deselecting the focused row makes it look. The argument behind it tells the command that it was called by a key of this
 * view.
 */
function onFocusedRow(view: string, name: CommandName, keys: Keys) {
  const command = commandPrefix + name;
  const args = [{ $treeViewId: view, $focusedTreeItem: true }, { keyboard: view }];
  return {
    command: 'runCommands',
    ...keys,
    when: `${inTree(view)} && listHasSelectionOrFocus`,
    args: { commands: ['list.toggleSelection', 'list.toggleSelection', { command, args }] },
  };
}

/** The same where nothing has the focus: the command asks. Menus show the key of this one beside the command. */
function withoutRow(view: string, name: CommandName, keys: Keys) {
  return { command: commandPrefix + name, ...keys, when: inTree(view) };
}

const inTree = (view: string) => `focusedView == ${view} && listFocus && !inputFocus && !treestickyScrollFocused`;

interface Keys {
  readonly key: string;
  readonly mac: string;
}

const treeKeys = {
  endSession: { key: 'delete', mac: 'cmd+backspace' },
  copySessionId: { key: 'ctrl+c', mac: 'cmd+c' },
  refreshAccount: { key: 'ctrl+r', mac: 'cmd+r' },
} as const satisfies Partial<Record<CommandName, Keys>>;

/** All keybindings. Of those that match, VS Code takes the last one. */
export const keybindings = [
  ...(Object.keys(treeKeys) as (keyof typeof treeKeys)[]).flatMap((name) => [
    withoutRow('browserSessions.sessions', name, treeKeys[name]),
    onFocusedRow('browserSessions.sessions', name, treeKeys[name]),
  ]),
  onFocusedRow('browserSessions.ended', 'copySessionId', treeKeys.copySessionId),
];
