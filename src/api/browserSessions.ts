import type { Disposable, Event } from '../core/event.ts';
import type { TroubleKind } from '../core/providerError.ts';
import type { SessionPhase } from '../core/session.ts';
import type { ProviderDefinition } from './defineProvider.ts';

/** An account as other extensions see it. */
export interface AccountSnapshot {
  readonly id: string;
  readonly provider: string;
  readonly label: string;
  readonly origin: string;
  readonly state: 'disconnected' | 'loading' | 'ready' | 'failed';
  /** When its last complete list arrived, in epoch milliseconds. */
  readonly asOf: number | undefined;
  readonly trouble: TroubleKind | undefined;
}

/** A session as other extensions see it: what the tree shows, without any secret, live view or CDP address. */
export interface SessionSnapshot {
  readonly accountId: string;
  readonly id: string;
  readonly name: string;
  readonly phase: SessionPhase;
  readonly life: 'running' | 'ending' | 'stuck';
  /** Epoch milliseconds; undefined where the provider doesn't say. */
  readonly startedAt: number | undefined;
  readonly groupId: string | undefined;
  readonly tags: readonly string[];
}

/** What {@link getBrowserSessions} returns, and what the extension exports. */
export interface BrowserSessionsApi {
  readonly apiVersion: 1;
  readonly accounts: readonly AccountSnapshot[];
  sessions(accountId?: string): readonly SessionSnapshot[];
  /** Fires whenever `accounts` or `sessions` may have changed. */
  readonly onDidChange: Event<void>;
  /** Resolves when every account has answered or failed. */
  refresh(): Promise<void>;
  /**
   * Adds a provider, with all the features of built-in ones, until the result is disposed. `provider` is copied;
   * changing it later has no effect. Before its first account is added, the user is asked whether your extension may
   * receive the keys that they save for it.
   * @param extensionId your extension's id, `publisher.name`, as in `context.extension.id`. The user is told which
   * extension it is, and that VS Code can't check it. Keys saved for it go to no other extension.
   * @throws TypeError if a field is missing or wrong (the message names it), if the provider's id is taken, if keys
   * that weren't saved for your extension are saved under its id, or if there is no extension with that id.
   */
  registerProvider(provider: ProviderDefinition, extensionId: string): Disposable;
}

const extensionId = 'browser-sessions.browser-sessions';

/**
 * Starts the extension Browser Sessions if needed, and returns its API. List its id,
 * `browser-sessions.browser-sessions`, under `extensionDependencies` in your package.json, so that it is installed
 * together with yours.
 * @param version the version of the API that your extension was built for.
 * @throws Error if it isn't installed, is disabled, or doesn't have that version of the API.
 */
export async function getBrowserSessions(version: 1): Promise<BrowserSessionsApi> {
  // Loaded here and not at the top, so that providers can be tested outside VS Code.
  const { extensions } = await import('vscode');
  const found = extensions.getExtension<BrowserSessionsApi>(extensionId);
  if (found === undefined) {
    throw new Error(`The extension Browser Sessions (${extensionId}) isn't installed, or it is disabled.`);
  }
  const api = await found.activate();
  const offered: number = api.apiVersion;
  if (offered !== version) {
    throw new Error(
      `Browser Sessions has version ${offered} of its API. This extension needs version ${String(version)}.`,
    );
  }
  return api;
}
