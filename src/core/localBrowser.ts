/** What is known of a session because its browser runs on this machine. */
export interface LocalBrowser {
  /** Whether the program that started it has ended. */
  readonly isLeftBehind: boolean;
  /** The folder that it was started in; undefined where that isn't known. */
  readonly startedIn: string | undefined;
  readonly profile: LocalProfile;
  /** Of the browser and its child processes, in bytes, rounded; undefined where it isn't known. */
  readonly memory: number | undefined;
  /** What they have used of one processor core lately, in per cent, rounded; undefined where it isn't known. */
  readonly cpu: number | undefined;
}

/** The folder in which a browser keeps its data. */
export interface LocalProfile {
  readonly folder: string;
  /**
   * What becomes of it when the browser ends: it's `kept` for the next time, it's temporary and `deleted` by the tool that
   * made it, or it's temporary and `left` on the disk, because that tool has ended.
   */
  readonly afterEnd: 'kept' | 'deleted' | 'left';
}
