/** What code that doesn't import vscode logs to. Callers pass text that is already free of secrets. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}
