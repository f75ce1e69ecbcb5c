/** What VS Code and the system say about the machine that a window works on. */
export interface RemoteWindow {
  /** As `vscode.env.remoteName` has it; undefined for a local window. */
  readonly remoteName: string | undefined;
  /** The environment on the remote machine. */
  readonly env: NodeJS.ProcessEnv;
  /** The remote machine's own name. */
  readonly host: string;
}

/**
 * What tells the machine of a remote window apart from other machines; undefined for a local window and for VS Code for the Web,
 * whose storage belongs to one server anyway. A container that was built again is another machine.
 */
export function remoteMachine({ remoteName, env, host }: RemoteWindow): string | undefined {
  if (remoteName === undefined || isAddress(remoteName)) return undefined;
  return `${remoteName} ${env['WSL_DISTRO_NAME'] ?? env['CODESPACE_NAME'] ?? host}`;
}

/** Whether it's the address of the server, which VS Code for the Web has as the name. */
export function isAddress(remoteName: string): boolean {
  return !/^[a-z][\w-]*$/i.test(remoteName);
}
