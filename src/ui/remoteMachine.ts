/** What is known about a window that may be a remote one. */
export interface RemoteWindow {
  /** The value of `vscode.env.remoteName`; undefined in a local window. */
  readonly remoteName: string | undefined;
  /** The environment on the remote machine. */
  readonly env: NodeJS.ProcessEnv;
  /** The remote machine's own name. */
  readonly host: string;
}

/**
 * Identifies the machine of a remote window; undefined in a local window, and in VS Code for the Web, where each server has its
 * own storage. A rebuilt container is another machine.
 * @param id returns an ID that tells machines of the same name apart; see `machineId`.
 */
export function remoteMachine({ remoteName, env, host }: RemoteWindow, id: () => string): string | undefined {
  if (remoteName === undefined || isAddress(remoteName)) return undefined;
  return `${remoteName} ${env['WSL_DISTRO_NAME'] ?? env['CODESPACE_NAME'] ?? host} ${id()}`;
}

/** Whether it's an address: in VS Code for the Web, the name is its server's address. */
export function isAddress(remoteName: string): boolean {
  return !/^[a-z][\w-]*$/i.test(remoteName);
}
