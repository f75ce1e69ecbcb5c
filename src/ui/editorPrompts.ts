import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { systemClock } from '../core/clock.ts';
import { noteAnswer } from './lastAnswer.ts';
import { openUnchanged } from './openUrl.ts';
import type { Answer, AskRequest, Choice, ChoiceButton, PickRequest, Prompts, Question, Step } from './prompts.ts';
import { ReadingTime } from './readingTime.ts';

const noteMs = 3_000;
/** Resolves when the last question was answered: VS Code shows one dialog after the other, and doesn't tell when. */
let lastAnswer: Promise<void> = Promise.resolve();

type Item<T> = vscode.QuickPickItem & { readonly choice?: Choice<T> };

/** Asks with VS Code's own dialogs, quick picks and notifications. */
export const editorPrompts: Prompts = {
  confirm(question) {
    const answer = noteAnswer(lastAnswer.then(() => confirm(question)));
    lastAnswer = answer.then(
      () => {},
      () => {},
    );
    return answer;
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
    const answer = await noteAnswer(pick(request, false));
    if (answer.kind !== 'answer') return answer;
    const [value] = answer.value;
    return value === undefined ? { kind: 'left' } : { kind: 'answer', value };
  },

  pickMany: (request) => noteAnswer(pick(request, true)),

  ask: (request) => noteAnswer(ask(request)),

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

/**
 * An answer before the question could be read doesn't count, and it's asked again: the user was typing somewhere else when the dialog
 * opened, and Enter presses its first button.
 */
async function confirm({ message, detail, choices }: Question): Promise<string | undefined> {
  for (;;) {
    const answer = vscode.window.showWarningMessage(message, { modal: true, detail }, ...choices);
    const reading = new ReadingTime(systemClock, () => vscode.languages.getLanguages());
    const elsewhere = onDidUseSomethingElse(() => reading.restart());
    try {
      const chosen = await answer;
      if (chosen === undefined || reading.isEnough) return chosen;
    } finally {
      elsewhere.dispose();
      reading.dispose();
    }
  }
}

/**
 * Calls a function when the user has just done something for which no dialog can be open. Then the question is still waiting,
 * for example behind VS Code's dialog about an unsaved file, or has only now been shown.
 */
function onDidUseSomethingElse(call: () => void): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.window.tabGroups.onDidChangeTabs(({ opened, closed }) => {
      if (opened.length + closed.length > 0) call();
    }),
    vscode.window.onDidChangeTextEditorSelection(({ kind }) => {
      if (kind !== undefined && kind !== vscode.TextEditorSelectionChangeKind.Command) call();
    }),
  );
}

function pick<T>(request: PickRequest<T>, many: boolean): Promise<Answer<readonly T[]>> {
  const box = vscode.window.createQuickPick<Item<T>>();
  box.placeholder = request.placeholder;
  box.canSelectMany = many;
  box.matchOnDescription = true;
  box.matchOnDetail = true;
  box.keepScrollPosition = request.follow !== undefined;
  let active: PickRequest<T>['isActive'] = (value) => request.isActive?.(value) === true;
  const show = (choices: readonly Choice<T>[]) => {
    box.items = itemsOf(request, choices);
    const isActive = active;
    const found = box.items.find(({ choice }) => choice !== undefined && isActive?.(choice.value) === true);
    if (found !== undefined) box.activeItems = [found];
  };
  show(request.choices);
  if (many) box.selectedItems = box.items.filter(({ choice }) => choice?.picked === true);
  const following = request.follow?.((choices) => {
    // The user may be about to press Enter: what is highlighted stays highlighted.
    const [highlighted] = box.activeItems;
    const value = highlighted?.choice?.value;
    if (value !== undefined) active = (other) => isDeepStrictEqual(other, value);
    show(choices);
  });
  const { step, stepsWith } = request;
  return shown<readonly T[]>(box, request.title, step, request.back === true || step?.back === true, (settle) => {
    const answerWith = (value: T) => {
      if (request.stays?.(value) !== true) settle({ kind: 'answer', value: [value] });
    };
    box.onDidChangeActive(([item]) => {
      if (stepsWith !== undefined && item?.choice !== undefined) box.totalSteps = stepsWith(item.choice.value);
    });
    box.onDidTriggerItemButton(({ button }) => {
      // VS Code passes the button that the item was given.
      const { pressed } = button as ItemButton<T>;
      if ('url' in pressed) void openUnchanged(pressed.url);
      else if ('value' in pressed) answerWith(pressed.value);
    });
    box.onDidAccept(() => {
      const chosen = (many ? box.selectedItems : box.activeItems).flatMap(({ choice }) =>
        choice === undefined ? [] : [choice.value],
      );
      const [only] = chosen;
      if (many) settle({ kind: 'answer', value: chosen });
      else if (only !== undefined) answerWith(only);
    });
  }).finally(() => following?.dispose());
}

type ItemButton<T> = vscode.QuickInputButton & { readonly pressed: ChoiceButton<T> };

function itemsOf<T>({ buttonsOf }: PickRequest<T>, choices: readonly Choice<T>[]): Item<T>[] {
  let heading: string | undefined;
  return choices.flatMap((choice) => {
    const item: Item<T> = {
      label: choice.icon === undefined ? choice.label : `$(${choice.icon}) ${choice.label}`,
      description: choice.description,
      detail: choice.detail,
      choice,
      ...(buttonsOf && {
        buttons: buttonsOf(choice.value).map((pressed): ItemButton<T> => ({ ...buttonOf(pressed), pressed })),
      }),
    };
    if (choice.heading === heading || choice.heading === undefined) return [item];
    heading = choice.heading;
    return [{ label: heading, kind: vscode.QuickPickItemKind.Separator }, item];
  });
}

function buttonOf({ icon, tooltip }: { readonly icon: string; readonly tooltip: string }): vscode.QuickInputButton {
  return { iconPath: new vscode.ThemeIcon(icon), tooltip };
}

function ask(request: AskRequest): Promise<Answer<string>> {
  const box = vscode.window.createInputBox();
  const { button, link, preview, typed } = request;
  // VS Code turns this form into a link, which opens in the external browser. Not a button: the arrow keys don't lead
  // from one button beside the title to the next while the tooltip of the first is shown.
  const linked = link && `[${link.tooltip}](${link.url.href.replaceAll(')', '%29')})`;
  box.prompt = linked === undefined ? request.prompt : `${request.prompt} ${linked}.`;
  box.placeholder = request.placeholder;
  box.value = request.value;
  box.password = request.secret;
  /** The check of the value that was entered last, while it's under way. */
  let check: AbortController | undefined;
  return shown<string>(box, request.title, request.step, request.step?.back === true, (settle) => {
    const own = button && buttonOf(button);
    const usual = [...box.buttons, ...(own ? [own] : [])];
    let anyway: vscode.QuickInputButton | undefined;
    box.buttons = usual;
    box.onDidTriggerButton((pressed) => {
      if (pressed === anyway) settle({ kind: 'answer', value: box.value });
      else if (pressed === own) settle({ kind: 'button' });
    });
    const describe = () => {
      typed?.(box.value);
      const severity = vscode.InputBoxValidationSeverity.Info;
      const message = preview?.(box.value);
      box.validationMessage = message === undefined ? undefined : { message, severity };
    };
    const offer = (tooltip: string | undefined) => {
      anyway = tooltip === undefined ? undefined : buttonOf({ icon: 'save', tooltip });
      // In front of the others, where Shift+Tab gets first.
      box.buttons = anyway === undefined ? usual : [anyway, ...usual];
    };
    const stop = () => {
      check?.abort();
      check = undefined;
      box.busy = false;
    };
    describe();
    box.onDidChangeValue(() => {
      stop();
      if (anyway !== undefined) offer(undefined);
      describe();
    });
    // The box stays enabled while a value is checked: one that isn't takes neither Escape nor Back.
    box.onDidAccept(async () => {
      if (check !== undefined) return;
      const { value } = box;
      const checking = new AbortController();
      check = checking;
      box.busy = true;
      const wrong = await request.refuse(value, checking.signal);
      if (checking.signal.aborted) return;
      stop();
      box.validationMessage = wrong;
      if (wrong === undefined) settle({ kind: 'answer', value });
      else offer(request.acceptAnyway?.());
    });
  }).finally(() => check?.abort());
}

/** Shows an input until it is accepted, dismissed, or one of its buttons is pressed. */
function shown<T>(
  box: vscode.QuickInput & {
    buttons: readonly vscode.QuickInputButton[];
    readonly onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
  },
  title: string,
  step: Step | undefined,
  back: boolean,
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
    if (back) box.buttons = [vscode.QuickInputButtons.Back];
    setUp(settle);
    box.onDidTriggerButton((button) => {
      if (button === vscode.QuickInputButtons.Back) settle({ kind: 'back' });
    });
    box.onDidHide(() => settle({ kind: 'left' }));
    box.show();
  });
}
