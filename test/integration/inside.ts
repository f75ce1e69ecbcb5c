import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { TestingApi } from '../../src/extension.ts';
import type { EndedSession } from '../../src/services/history/history.ts';
import type { Answer, AskRequest, PickRequest, Prompts, Question } from '../../src/ui/prompts.ts';
import { type AnchorServer, startAnchor } from '../servers/anchor.ts';

/** The id of the extension under test. */
export const ownId = 'browser-sessions.browser-sessions';
/** The id of the extension in `test/examples`, which adds a provider. */
export const exampleId = 'acme.acme-grid';

/** The extension under test, activated. */
export async function extension(): Promise<TestingApi> {
  const found = vscode.extensions.getExtension<TestingApi>(ownId);
  assert.ok(found, 'the extension is not installed');
  return found.activate();
}

/** Calls one of our commands by its name without the prefix. */
export function command<Result = unknown>(name: string, ...args: readonly unknown[]): Promise<Result> {
  return Promise.resolve(vscode.commands.executeCommand<Result>(`browserSessions.${name}`, ...args));
}

/** Waits for something that another window, or VS Code itself, is about to do. */
export async function until(isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !isSo(); ) {
    assert.ok(Date.now() < deadline, 'it was not so within 10 seconds');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const realNow = Date.now;

/**
 * Makes the time of day later, also for the extension, which runs in this process; until the test is over. Timers fire no
 * sooner.
 */
function makeLater(ms: number): void {
  const now = Date.now;
  Date.now = () => now() + ms;
}

/** Makes the lists so old that a question about all sessions needs newer ones: older than five seconds. */
export function makeListsOld(): void {
  makeLater(5_500);
}

/** What "Export as JSON" of the view "Recently Ended" writes into an editor, which is then closed. */
export async function exportedEnds(): Promise<readonly EndedSession[]> {
  await command('exportEnded');
  const text = vscode.window.activeTextEditor?.document.getText();
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  return JSON.parse(text ?? '');
}

/** An entry about ends that a closed window left unfinished, as the extension stores it. */
export async function unfinishedEnd(api: TestingApi, accountId: string, ...sessionIds: readonly string[]) {
  const stored =
    (await api.testing.context.secrets.get(`browserSessions.account.${accountId}`)) ?? assert.fail('there is no key');
  const { keyAt } = JSON.parse(stored);
  const left = sessionIds.map((sessionId) => ({ accountId, sessionId, keyAt }));
  return { [crypto.randomUUID()]: { at: 1, total: 12, left } };
}

/** Removes all accounts, so that each test begins with none. */
export async function removeAllAccounts(api: TestingApi): Promise<void> {
  const user = new User();
  user.answersConfirm = ({ choices }) => choices[0];
  api.testing.prompts = user;
  for (const { id } of api.accounts) await command('removeAccount', { accountId: id });
  assert.deepEqual(api.accounts, []);
}

/** What each test begins with. */
export interface TestSetup {
  readonly api: TestingApi;
  /** Anchor Browser, with no sessions. */
  readonly server: AnchorServer;
  readonly user: User;
}

/**
 * Gives each test of a suite no accounts, a server of its own and a user without messages, and cleans up afterwards.
 * @param then what else a test needs at its start.
 */
export function useCleanState(then: (setup: TestSetup) => void | Promise<void>): void {
  let api: TestingApi;
  let server: AnchorServer;
  before(async () => {
    api = await extension();
  });
  beforeEach(async () => {
    await removeAllAccounts(api);
    server = await startAnchor();
    const user = new User();
    api.testing.prompts = user;
    await then({ api, server, user });
  });
  afterEach(async () => {
    Date.now = realNow;
    await removeAllAccounts(api);
    await server.stop();
  });
}

/**
 * The user of VS Code in these tests, because VS Code refuses dialogs while they run: reads questions and answers as
 * set up. A question without an answer is canceled, as by Escape.
 */
export class User implements Prompts {
  readonly questions: Question[] = [];
  readonly messages: { readonly level: string; readonly message: string; readonly buttons: readonly string[] }[] = [];
  readonly asked: AskRequest[] = [];
  readonly notes: string[] = [];
  progressTitles: string[] = [];
  /** The messages of notifications about one request for many sessions. */
  busyMessages: string[] = [];
  /** What the last progress notification has shown, and how full its bar was, in percent. */
  shown: { readonly message: string; readonly percent: number }[] = [];
  answersConfirm: (question: Question) => string | undefined = () => undefined;
  /** Presses a button of a message that isn't modal. */
  answersTell: (message: string, buttons: readonly string[]) => string | undefined = () => undefined;
  answersPick: (request: PickRequest<unknown>) => readonly unknown[] = () => [];
  /** `button` presses the button beside the title. */
  answersAsk: (request: AskRequest) => string | { readonly press: 'button' } | undefined = () => undefined;
  /** Whether it presses Cancel when the progress changes. */
  cancelsProgress = false;

  async confirm(question: Question): Promise<string | undefined> {
    this.questions.push(question);
    return this.answersConfirm(question);
  }

  async tell(
    level: 'info' | 'warning' | 'error',
    message: string,
    buttons: readonly string[],
  ): Promise<string | undefined> {
    this.messages.push({ level, message, buttons });
    return this.answersTell(message, buttons);
  }

  async pick<T>(request: PickRequest<T>): Promise<Answer<T>> {
    const [value] = this.answersPick(request) as readonly T[];
    return value === undefined ? { kind: 'left' } : { kind: 'answer', value };
  }

  async pickMany<T>(request: PickRequest<T>): Promise<Answer<readonly T[]>> {
    return { kind: 'answer', value: this.answersPick(request) as readonly T[] };
  }

  async ask(request: AskRequest): Promise<Answer<string>> {
    this.asked.push(request);
    const value = this.answersAsk(request);
    if (value === undefined) return { kind: 'left' };
    if (typeof value !== 'string') return { kind: 'button' };
    const wrong = await request.refuse(value);
    return wrong === undefined ? { kind: 'answer', value } : { kind: 'left' };
  }

  async busy<T>(title: string, work: (report: (message: string) => void) => Promise<T>): Promise<T> {
    this.progressTitles.push(title);
    return work((message) => this.busyMessages.push(message));
  }

  async progress<T>(
    title: string,
    work: (report: (message: string, percent: number) => void, stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    this.progressTitles.push(title);
    const stop = new AbortController();
    this.shown = [];
    const show = (message: string, percent: number) => {
      this.shown.push({ message, percent });
      if (this.cancelsProgress) stop.abort();
    };
    return work(show, stop.signal);
  }

  note(message: string): void {
    this.notes.push(message);
  }
}
