import * as vscode from 'vscode';
import { Ender, type EnderOptions } from '../../services/ending/ender.ts';
import { reviewOne } from '../../services/ending/verifier.ts';
import { Documents } from '../documents.ts';
import { editorPrompts } from '../editorPrompts.ts';
import { LiveViews, type LiveViewsOptions } from '../liveView/liveViews.ts';
import { openWalkthrough } from '../onboarding/milestones.ts';
import { TrialOfExtension, type TryItParts } from '../onboarding/tryIt.ts';
import { openUnchanged } from '../openUrl.ts';
import { ownSessions } from '../ownSessions.ts';
import type { Prompts } from '../prompts.ts';
import { isForWorkspaces } from '../settings.ts';
import type { RowSelection } from '../tree/rowSelection.ts';
import { endTargets } from './ending.ts';
import { type CommandParts, commandHandlers } from './handlers.ts';
import type { OpenedCommands } from './register.ts';
import { commandPrefix } from './table.ts';
import { wholeAccount } from './targets.ts';

/**
 * Lets tests inside VS Code answer dialogs in the user's place, because VS Code refuses to show dialogs while tests
 * run.
 */
export interface Testing {
  prompts: Prompts | undefined;
}

/** What {@link openCommands} needs. */
export interface OpenCommandsParts
  extends Pick<
      CommandParts,
      | 'tree'
      | 'filter'
      | 'options'
      | 'arrangement'
      | 'finished'
      | 'protections'
      | 'history'
      | 'endWithoutAsking'
      | 'machine'
      | 'ownMachine'
    >,
    Pick<TryItParts, 'memory'>,
    EnderOptions,
    Omit<LiveViewsOptions, 'store' | 'review'> {
  readonly rowSelection: RowSelection;
  /** Shows the log. */
  readonly showLog: () => void;
  /** The id of this extension. */
  readonly extensionId: string;
  readonly testing: Testing;
}

/** Creates what commands need in addition to what activation created. Loaded with the first command. */
export function openCommands(parts: OpenCommandsParts): OpenedCommands {
  const { clock, rowSelection, testing, logger, extensionId } = parts;
  const documents = new Documents(clock.now);
  const review: LiveViewsOptions['review'] = (target) => reviewOne(parts, target);
  const liveViews = new LiveViews(
    { ...parts, review },
    {
      get prompts() {
        return testing.prompts ?? editorPrompts;
      },
      run: (name, { accountId, sessionId }) =>
        vscode.commands.executeCommand(commandPrefix + name, { accountId, sessionId }),
      // Not by running the command, because any extension can do that.
      endSession: async ({ accountId, sessionId }, isCertain) => {
        const target = { ...wholeAccount(accountId), sessionId };
        try {
          // The user may have pressed it for what the panel showed before.
          await endTargets(all, [target], { fromLiveView: isCertain });
        } catch (error) {
          logger.error(`endSession failed: ${error instanceof Error ? error.message : String(error)}`);
        }
      },
    },
  );
  const all: CommandParts = {
    ...parts,
    liveViews,
    documents,
    ender: new Ender(parts),
    get prompts() {
      return testing.prompts ?? editorPrompts;
    },
    changeSetting: async (key, value) => {
      const settings = vscode.workspace.getConfiguration('browserSessions');
      // What the workspace sets would hide what is written for all of them.
      const isForWorkspace = isForWorkspaces(key) && settings.inspect(key)?.workspaceValue !== undefined;
      const { Global, Workspace } = vscode.ConfigurationTarget;
      await settings.update(key, value, isForWorkspace ? Workspace : Global);
    },
    get trial() {
      return trial;
    },
    environment: process.env,
    workspace: () => ({
      isTrusted: vscode.workspace.isTrusted,
      folders: (vscode.workspace.workspaceFolders ?? []).map(({ name, uri }) => ({
        name,
        path: uri.scheme === 'file' ? uri.fsPath : undefined,
      })),
    }),
    isMine: () => ownSessions(parts.setting),
    openWalkthrough: () => openWalkthrough(extensionId),
    copyText: async (text) => vscode.env.clipboard.writeText(text),
    openUrl: openUnchanged,
    openText: async (content, language) => {
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content, language }));
    },
  };
  const trial = new TrialOfExtension(all);
  return {
    run: async (name, args) => commandHandlers[name](all, await rowSelection.argumentsOf(args)),
    restoreLiveView: (panel, kept) => liveViews.restore(panel, kept),
    dispose: () => {
      trial.dispose();
      liveViews.dispose();
      documents.dispose();
    },
  };
}
