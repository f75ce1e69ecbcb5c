import type { Event } from './event.ts';

/** How requests are to leave this machine, as the user set it up in the editor. */
export interface NetworkSettings {
  /** `auto` uses undici and falls back to the editor's `fetch` where undici finds no way out. */
  readonly transport: 'auto' | 'undici' | 'editor';
  /** Whether certificates of the operating system's store are trusted besides Node's own. */
  readonly systemCertificates: boolean;
  /** Whether a certificate that cannot be verified is an error. */
  readonly strictCertificates: boolean;
}

/** The way to one origin. */
export type Route =
  /** The editor has said: by this proxy, or directly. */
  | { readonly by: 'editor'; readonly proxy: string | undefined }
  /** The editor's resolver isn't available: these settings apply, then the environment variables. */
  | { readonly by: 'settings'; readonly proxy: string | undefined; readonly noProxy: readonly string[] };

/** What the editor knows of the network. */
export interface EditorNetwork {
  settings(): NetworkSettings;
  routeTo(url: URL): Promise<Route>;
  /** Fires when `settings` or a route may have become another. */
  readonly onDidChange: Event<void>;
}
