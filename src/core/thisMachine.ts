/** A variable file of a folder, such as `.env`. */
export interface EnvFile {
  /** Its name without the folder. */
  readonly name: string;
  readonly text: string;
}

/** A variable file that wasn't read, and the reason. */
export interface SkippedEnvFile {
  readonly name: string;
  /** `tooMany`: it and all later ones. */
  readonly reason: 'link' | 'tooLarge' | 'tooMany' | 'unreadable';
}

/** A browser that we started. It exits with the process that started it, however that ends. */
export interface StartedBrowser {
  /** The address of its DevTools, `http://127.0.0.1:<port>`. */
  readonly address: string;
  /** Its profile's folder, which is deleted when the browser exits. */
  readonly profile: string;
  readonly pid: number;
  /** Settles when it has exited and its profile is deleted; see {@link ThisMachine.removeProfile} if that fails. */
  readonly exited: Promise<void>;
  /** Opens a page in an isolated context of its own. Resolves when the page has a title, or after two seconds. */
  openPage(url: string): Promise<void>;
  /** Asks the browser to close, and kills it if it doesn't. Resolves like `exited`. */
  close(): Promise<void>;
}

/** What became of starting a browser. `said` is the last line that it wrote: clean it before showing. */
export type BrowserStart =
  | { readonly kind: 'started'; readonly browser: StartedBrowser }
  | { readonly kind: 'notInstalled' }
  | { readonly kind: 'failed'; readonly path: string; readonly said: string };

/** The temporary profile of a browser that has ended. */
export interface LeftProfile {
  readonly folder: string;
  /** The tool that gives its profiles such names. */
  readonly tool: string;
  readonly bytes: number;
  /** When the folder itself was last modified, in epoch milliseconds. */
  readonly changedAt: number;
  /** Tells this folder apart from another one that takes its name. */
  readonly identity: string;
}

/** Whether a folder is a temporary profile that may be deleted, and if not, why. */
export type ProfileCheck =
  | { readonly kind: 'free'; readonly profile: LeftProfile }
  | { readonly kind: 'gone' | 'inUse' | 'notTemporary' };

/** The result of deleting a profile. Only `deleted` and `failed` may have changed anything. */
export type ProfileDeletion = 'deleted' | 'gone' | 'inUse' | 'notTemporary' | 'failed';

/** Takes note of a temporary profile, so that it can be deleted after a crash. */
export type NoteProfile = (profile: string) => Promise<void>;

/** What we read, start, and delete on this machine, only when the user asks for it. */
export interface ThisMachine {
  /** Whether a browser's DevTools answer at a port of this machine. */
  hasDevtools(port: number): Promise<boolean>;
  /**
   * Starts an installed Chrome, Chromium or Edge without a window, with a new temporary profile.
   * @param note is told of each profile before a browser is started with it.
   */
  startBrowser(note: NoteProfile): Promise<BrowserStart>;
  /** Whether the browser that was started with this profile still runs. */
  isRunning(profile: string): Promise<boolean>;
  /** Deletes a profile that {@link startBrowser} made, and no other folder. */
  removeProfile(profile: string): Promise<void>;
  /** The temporary profiles of automation tools in the temporary folder that no process uses. */
  leftProfiles(signal: AbortSignal): Promise<readonly LeftProfile[]>;
  /** Whether a folder is a temporary profile of an automation tool that no process uses. */
  checkProfile(folder: string, signal: AbortSignal): Promise<ProfileCheck>;
  /** Checks a profile again, then deletes it. */
  deleteProfile(profile: Pick<LeftProfile, 'folder' | 'identity'>, signal: AbortSignal): Promise<ProfileDeletion>;
  /** The variable files of a folder. Links aren't followed. */
  readEnvFiles(
    folder: string,
  ): Promise<{ readonly files: readonly EnvFile[]; readonly skipped: readonly SkippedEnvFile[] }>;
}
