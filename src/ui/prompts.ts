/** A question in a modal dialog. Its text is plain: VS Code shows it as it is. */
export interface Question {
  readonly message: string;
  readonly detail: string;
  /** The buttons, as verbs; VS Code adds Cancel. */
  readonly choices: readonly string[];
}

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
  /** The hint shown while a value is typed; undefined for none. */
  readonly preview?: (value: string) => string | undefined;
  /** Called on Enter; resolves to the error, which keeps the input open, or to undefined. */
  readonly refuse: (value: string) => Promise<string | undefined>;
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
  /** @returns the button that was pressed, or undefined for Cancel. */
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
