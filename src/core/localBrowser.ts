/** What is known about a session because its browser runs on this machine. */
export interface LocalBrowser {
  /** Whether the program that started it has ended. */
  readonly isLeftBehind: boolean;
  /** The folder it was started in; undefined if unknown. */
  readonly startedIn: string | undefined;
  /** Undefined if it has none. */
  readonly profile: LocalProfile | undefined;
  /** The port at which its DevTools listen; undefined if there is none. */
  readonly port: number | undefined;
  /** Its random ID there; undefined if unknown. A server that runs it, such as Browserless, lists it by this ID. */
  readonly devtoolsId?: string | undefined;
  /** Memory of the browser and its child processes, in bytes, rounded; undefined if unknown. */
  readonly memory: number | undefined;
  /** Their recent CPU usage, in percent of one core, rounded; undefined if unknown. */
  readonly cpu: number | undefined;
}

/** The folder in which a browser keeps its data. */
export interface LocalProfile {
  readonly folder: string;
  /**
   * What happens to it when the browser ends: it's `kept` for next time, it's temporary and `deleted` by the tool that
   * created it, or it's temporary and `left` on disk because that tool has ended.
   */
  readonly afterEnd: 'kept' | 'deleted' | 'left';
}
