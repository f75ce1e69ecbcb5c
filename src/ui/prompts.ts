/** A question in a modal dialog. Its text is plain: VS Code shows it as it is. */
export interface Question {
  readonly message: string;
  readonly detail: string;
  /** The buttons, as verbs; VS Code adds Cancel. */
  readonly choices: readonly string[];
}

/** One line of a pick list. All of its text has passed `plainText`. */
export interface Choice<T> {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  readonly icon: string | undefined;
  /** Choices with the same heading stand together under it. */
  readonly heading: string | undefined;
  /** Whether it is chosen already where several can be. */
  readonly picked?: boolean;
  readonly value: T;
}

/** What a pick list shows around its choices. */
export interface PickRequest<T> {
  readonly title: string;
  readonly placeholder: string;
  readonly choices: readonly Choice<T>[];
  readonly step: Step | undefined;
}

/** The place of a question among several; `back` offers to return to the one before. */
export interface Step {
  readonly number: number;
  readonly of: number;
  readonly back: boolean;
}

/** A line of text to be typed. */
export interface AskRequest {
  readonly title: string;
  readonly prompt: string;
  readonly placeholder: string;
  readonly value: string;
  /** Hides what is typed. */
  readonly secret: boolean;
  readonly step: Step | undefined;
  /** A button beside the title, as codicon and tooltip. */
  readonly button: { readonly icon: string; readonly tooltip: string } | undefined;
  /** Says what would come of a value, while it is typed; undefined for what needs no word. */
  readonly preview?: (value: string) => string | undefined;
  /** Called on Enter; resolves to what is wrong, which keeps the question open, or to undefined. */
  readonly refuse: (value: string) => Promise<string | undefined>;
}

/** What came of a question: the user answered, went back, pressed the button, or left. */
export type Answer<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'back' }
  | { readonly kind: 'button' }
  | { readonly kind: 'left' };

/**
 * Every way in which a user is asked something. Commands know only this, because VS Code refuses dialogs while tests
 * run inside it; there the tests put a user of their own in its place.
 */
export interface Prompts {
  /** @returns the button that was pressed, or undefined for Cancel. */
  confirm(question: Question): Promise<string | undefined>;
  /** Shows a message that does not block. @returns the button that was pressed, if any; it may never settle. */
  tell(level: 'info' | 'warning' | 'error', message: string, buttons: readonly string[]): Promise<string | undefined>;
  pick<T>(request: PickRequest<T>): Promise<Answer<T>>;
  pickMany<T>(request: PickRequest<T>): Promise<Answer<readonly T[]>>;
  ask(request: AskRequest): Promise<Answer<string>>;
  /** Shows a notification with a Cancel button, which aborts `stop`, while `work` goes on. */
  progress<T>(
    title: string,
    work: (report: (message: string, percent: number) => void, stop: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** Shows a notification without a Cancel button while `work` goes on that can't be called back. */
  busy<T>(title: string, work: (report: (message: string) => void) => Promise<T>): Promise<T>;
  /** Shows a few words in the status bar for some seconds. */
  note(message: string): void;
}
