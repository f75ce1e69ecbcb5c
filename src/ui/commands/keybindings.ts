import { type CommandName, commandPrefix } from './table.ts';

/**
 * A keybinding for the focused row of a tree. VS Code tells an extension which row has the focus only by filling in a
 * command's argument, `$focusedTreeItem`. It doesn't notice that the focus moved when the focused row went away, but
 * selecting and deselecting the focused row makes it look again. The second argument tells the command that it was called by
 * a key in this view.
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

/** The same when no row has the focus: the command then asks. Menus show this keybinding beside the command. */
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

/** All keybindings. If several match, VS Code uses the last one. */
export const keybindings = [
  ...(Object.keys(treeKeys) as (keyof typeof treeKeys)[]).flatMap((name) => [
    withoutRow('browserSessions.sessions', name, treeKeys[name]),
    onFocusedRow('browserSessions.sessions', name, treeKeys[name]),
  ]),
  onFocusedRow('browserSessions.ended', 'copySessionId', treeKeys.copySessionId),
];
