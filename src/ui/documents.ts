import * as vscode from 'vscode';

/** The URI scheme of documents that exist only in memory. */
const documentScheme = 'browser-sessions';
/** Most documents that are kept; the oldest go first. An editor that still shows one has its own copy. */
const mostKept = 30;
const mostFolders = 1_000;

interface Kept {
  readonly bytes: Uint8Array;
  readonly madeAt: number;
}

/** Read-only documents in memory: screenshots and details of sessions. "Save As" writes them to files. */
export class Documents implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #kept = new Map<string, Kept>();
  /** The folder of the documents about each thing. VS Code stores the paths of documents that were open. */
  readonly #folders = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #registration: vscode.Disposable;
  readonly #now: () => number;

  readonly onDidChangeFile = this.#changed.event;

  constructor(now: () => number) {
    this.#now = now;
    this.#registration = vscode.workspace.registerFileSystemProvider(documentScheme, this, {
      isCaseSensitive: true,
      isReadonly: true,
    });
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }

  /**
   * Shows a document in an editor.
   * @param about distinguishes documents of the same name, such as the IDs of an account and a session. It isn't in the path.
   * @param name with its extension, by which VS Code chooses the editor; it is the editor's title.
   */
  async show(about: string, name: string, bytes: Uint8Array): Promise<void> {
    const folder = this.#folders.get(about) ?? crypto.randomUUID().slice(0, 8);
    this.#folders.set(about, folder);
    for (const oldest of this.#folders.keys()) {
      if (this.#folders.size <= mostFolders) break;
      this.#folders.delete(oldest);
    }
    const uri = vscode.Uri.from({ scheme: documentScheme, path: `/${folder}/${name.replace(/[\\/]/g, '_')}` });
    this.#kept.delete(uri.path);
    this.#kept.set(uri.path, { bytes, madeAt: this.#now() });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostKept) break;
      this.#kept.delete(oldest);
    }
    this.#changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
    await vscode.commands.executeCommand('vscode.open', uri);
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => {});
  }

  stat(uri: vscode.Uri): vscode.FileStat {
    const { bytes, madeAt } = this.#find(uri);
    const stat = { type: vscode.FileType.File, ctime: madeAt, mtime: madeAt, size: bytes.length };
    if (uri.path.endsWith('.json')) return stat;
    // From the time of change, VS Code makes the ETag without which its image preview doesn't store the image on disk.
    return { ...stat, mtime: undefined as unknown as number };
  }

  readFile(uri: vscode.Uri): Uint8Array {
    return this.#find(uri).bytes;
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(from: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(from);
  }

  #find(uri: vscode.Uri): Kept {
    const kept = this.#kept.get(uri.path);
    if (kept === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    return kept;
  }
}
