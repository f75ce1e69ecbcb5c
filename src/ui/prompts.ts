import type { Disposable } from '../core/event.ts';

/** A question in a modal dialog. Its text is plain: VS Code shows it as it is. */
export interface Question {
  readonly message: string;
  readonly detail: string;
  /** The buttons, as verbs; VS Code adds Cancel. */
  readonly choices: readonly string[];
}

/** A button of an item or beside a title, as codicon and tooltip. One with a link opens it and keeps the input open. */
export type LinkButton = { readonly icon: string; readonly tooltip: string; readonly url: URL };

/** A button of an item: pressing it answers with its value, or opens its link. */
export type ChoiceButton<T> = LinkButton | { readonly icon: string; readonly tooltip: string; readonly value: T };

/** One item of a quick pick. All of its text has passed `plainText`. */
export interface Choice<T> {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  readonly icon: string | undefined;
  /** Choices with the same heading are grouped under it. */
  readonly heading: string | undefined;
  /** Whether it is selected at first where several can be. */
  readonly picked?: boolean;
  readonly value: T;
}

/** What a quick pick shows besides its choices. */
export interface PickRequest<T> {
  readonly title: string;
  readonly placeholder: string;
  readonly choices: readonly Choice<T>[];
  readonly step: Step | undefined;
  /** Whether there is a Back button although it's no step. */
  readonly back?: boolean;
  /** The buttons of a choice. */
  buttonsOf?(value: T): readonly ChoiceButton<T>[];
  /** How many steps there are with the highlighted choice, where that depends on it; `step` says it at first. */
  stepsWith?(value: T): number;
  /** Whether a choice is highlighted at first; by default, the first one is. */
  isActive?(value: T): boolean;
  /** Calls `show` with other choices whenever they change, until the result is disposed. */
  follow?(show: (choices: readonly Choice<T>[]) => void): Disposable;
  /** Does what an answer stands for while the list stays open. False if the list is to close with this answer. */
  stays?(value: T): boolean;
}

/** A question's position among several; `back` adds a Back button. */
export interface Step {
  readonly number: number;
  readonly of: number;
  readonly back: boolean;
}

/** An input box. */
export interface AskRequest {
  readonly title: string;
  readonly prompt: string;
  readonly placeholder: string;
  readonly value: string;
  /** Whether the typed text is hidden. */
  readonly secret: boolean;
  readonly step: Step | undefined;
  /** A button beside the title, as codicon and tooltip. */
  readonly button: { readonly icon: string; readonly tooltip: string } | undefined;
  /** A link behind the prompt. */
  readonly link?: LinkButton | undefined;
  /** Called with the value at first and after each change. */
  readonly typed?: (value: string) => void;
  /** The hint shown while a value is typed; undefined for none. */
  readonly preview?: (value: string) => string | undefined;
  /**
   * Called on Enter; resolves to the error, which keeps the input open, or to undefined.
   * @param stop aborted when the user goes back, cancels or types on: the result is ignored then.
   */
  readonly refuse: (value: string, stop?: AbortSignal) => Promise<string | undefined>;
  /** The tooltip of a button that accepts a value after `refuse` has refused it; undefined for none. */
  readonly acceptAnyway?: () => string | undefined;
}

/** The result of a question: the user answered, went back, pressed the button, or dismissed it. */
export type Answer<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'back' }
  | { readonly kind: 'button' }
  | { readonly kind: 'left' };

/**
 * Every way to ask the user something. Commands use only this, because VS Code refuses dialogs while tests run inside it;
 * the tests answer in their place.
 */
export interface Prompts {
  /**
   * Asks again if the answer comes before anyone can have read the question.
   * @returns the button that was pressed, or undefined for Cancel.
   */
  confirm(question: Question): Promise<string | undefined>;
  /** Shows a notification. @returns the button that was pressed, if any; it may never settle. */
  tell(level: 'info' | 'warning' | 'error', message: string, buttons: readonly string[]): Promise<string | undefined>;
  pick<T>(request: PickRequest<T>): Promise<Answer<T>>;
  pickMany<T>(request: PickRequest<T>): Promise<Answer<readonly T[]>>;
  ask(request: AskRequest): Promise<Answer<string>>;
  /** Shows a notification with a Cancel button, which aborts `stop`, while `work` runs. */
  progress<T>(
    title: string,
    work: (report: (message: string, percent: number) => void, stop: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** Shows a notification without a Cancel button while `work` runs that can't be canceled. */
  busy<T>(title: string, work: (report: (message: string) => void) => Promise<T>): Promise<T>;
  /** Shows a text in the status bar for a few seconds. */
  note(message: string): void;
}
