import * as vscode from 'vscode';
import type { Answer, AskRequest, Choice, PickRequest, Prompts, Question, Step } from './prompts.ts';

const noteMs = 3_000;

type Item<T> = vscode.QuickPickItem & { readonly choice?: Choice<T> };

/** Asks with VS Code's own dialogs, quick picks and notifications. */
export const editorPrompts: Prompts = {
  async confirm({ message, detail, choices }: Question) {
    return vscode.window.showWarningMessage(message, { modal: true, detail }, ...choices);
  },

  async tell(level, message, buttons) {
    switch (level) {
      case 'info':
        return vscode.window.showInformationMessage(message, ...buttons);
      case 'warning':
        return vscode.window.showWarningMessage(message, ...buttons);
      case 'error':
        return vscode.window.showErrorMessage(message, ...buttons);
    }
  },

  async pick<T>(request: PickRequest<T>) {
    const answer = await pick(request, false);
    if (answer.kind !== 'answer') return answer;
    const [value] = answer.value;
    return value === undefined ? { kind: 'left' } : { kind: 'answer', value };
  },

  pickMany: (request) => pick(request, true),

  ask: (request) => ask(request),

  async progress(title, work) {
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    return vscode.window.withProgress(options, (progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      let shown = 0;
      return work((message, percent) => {
        progress.report({ message, increment: percent - shown });
        shown = percent;
      }, stop.signal);
    });
  },

  async busy(title, work) {
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: false };
    return vscode.window.withProgress(options, (progress) => work((message) => progress.report({ message })));
  },

  note(message) {
    vscode.window.setStatusBarMessage(message, noteMs);
  },
};

function pick<T>(request: PickRequest<T>, many: boolean): Promise<Answer<readonly T[]>> {
  const box = vscode.window.createQuickPick<Item<T>>();
  box.placeholder = request.placeholder;
  box.canSelectMany = many;
  box.matchOnDescription = true;
  box.matchOnDetail = true;
  box.items = itemsOf(request.choices);
  if (many) box.selectedItems = box.items.filter(({ choice }) => choice?.picked === true);
  return shown<readonly T[]>(box, request.title, request.step, (settle) => {
    box.onDidAccept(() => {
      const chosen = many ? box.selectedItems : box.activeItems;
      settle({ kind: 'answer', value: chosen.flatMap(({ choice }) => (choice === undefined ? [] : [choice.value])) });
    });
  });
}

function itemsOf<T>(choices: readonly Choice<T>[]): Item<T>[] {
  let heading: string | undefined;
  return choices.flatMap((choice) => {
    const item: Item<T> = {
      label: choice.icon === undefined ? choice.label : `$(${choice.icon}) ${choice.label}`,
      description: choice.description,
      detail: choice.detail,
      choice,
    };
    if (choice.heading === heading || choice.heading === undefined) return [item];
    heading = choice.heading;
    return [{ label: heading, kind: vscode.QuickPickItemKind.Separator }, item];
  });
}

function ask(request: AskRequest): Promise<Answer<string>> {
  const box = vscode.window.createInputBox();
  box.prompt = request.prompt;
  box.placeholder = request.placeholder;
  box.value = request.value;
  box.password = request.secret;
  return shown<string>(box, request.title, request.step, (settle) => {
    if (request.button !== undefined) {
      const { icon, tooltip } = request.button;
      box.buttons = [...box.buttons, { iconPath: new vscode.ThemeIcon(icon), tooltip }];
    }
    const { preview } = request;
    const describe = () => {
      const severity = vscode.InputBoxValidationSeverity.Info;
      const message = preview?.(box.value);
      box.validationMessage = message === undefined ? undefined : { message, severity };
    };
    describe();
    box.onDidChangeValue(describe);
    box.onDidAccept(async () => {
      if (box.busy) return;
      const { value } = box;
      box.busy = true;
      box.enabled = false;
      const wrong = await request.refuse(value);
      box.busy = false;
      box.enabled = true;
      box.validationMessage = wrong;
      if (wrong === undefined) settle({ kind: 'answer', value });
    });
  });
}

/** Shows an input until it is accepted, dismissed, or one of its buttons is pressed. */
function shown<T>(
  box: vscode.QuickInput & {
    buttons: readonly vscode.QuickInputButton[];
    readonly onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
  },
  title: string,
  step: Step | undefined,
  setUp: (settle: (answer: Answer<T>) => void) => void,
): Promise<Answer<T>> {
  return new Promise((resolve) => {
    const settle = (answer: Answer<T>) => {
      resolve(answer);
      box.dispose();
    };
    box.title = title;
    box.ignoreFocusOut = true;
    box.step = step?.number;
    box.totalSteps = step?.of;
    if (step?.back === true) box.buttons = [vscode.QuickInputButtons.Back];
    setUp(settle);
    box.onDidTriggerButton((button) => settle({ kind: button === vscode.QuickInputButtons.Back ? 'back' : 'button' }));
    box.onDidHide(() => settle({ kind: 'left' }));
    box.show();
  });
}
