// Writes the generated parts of README.md and src/providers/README.md (`npm run readme`). test/unit/readme.test.ts
// checks that they are current.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Capability, ProviderKind } from '../src/core/provider.ts';
import { providerKinds } from '../src/providers/index.ts';
import { type CommandName, commandTable } from '../src/ui/commands/table.ts';
import { readManifest } from './manifest.ts';

/** The commands that the palette offers. */
type ListedCommand = {
  [Name in CommandName]: (typeof commandTable)[Name]['palette'] extends 'never' ? never : Name;
}[CommandName];

/** Descriptions of the commands. Titles come from the command table. */
const descriptions: Readonly<Record<ListedCommand, string>> = {
  addAccount: 'Asks for a provider and a key, checks the key, then saves it.',
  manageAccounts: 'Lists the accounts, so that you can rename, test, or remove one, or replace its key.',
  tryIt: 'Finds a browser with DevTools at port 9222, or starts one without a window, and shows it live.',
  importKeys: "Adds accounts for keys in VS Code's environment and in the `.env` files of a trusted workspace.",
  openWalkthrough: 'Opens the four steps to get started.',
  replaceKey: 'Checks a new key for the same address, then saves it.',
  renameAccount: "Changes the account's name in the view.",
  testConnection: 'Checks the key. Shows who responds, how fast, and the session limit.',
  removeAccount: 'Deletes the account and its key here. Its sessions keep running unless you end them first.',
  setFilter: 'Shows only sessions that match the words you type. Saved for the workspace.',
  clearFilter: 'Shows all sessions again.',
  sortBy: 'Sorts sessions by age, idle time, name, or cost. Saved for the workspace.',
  groupBy: 'Groups sessions by batch, tag, metadata key, region, user, or status. Saved for the workspace.',
  showFinishedBatches: 'Shows finished batches too, and what failed in them. Saved for the workspace.',
  hideFinishedBatches: 'Hides them again.',
  refresh: 'Lists the sessions of all accounts again.',
  openLiveView: 'Shows a session, or one of its pages, in an editor tab. Clicking the session does the same.',
  openLiveViewToSide: 'Shows it in an editor tab beside the current editor.',
  openLiveViewExternal: 'Shows it in your own browser.',
  openGroupLiveViews: 'Shows every session of a batch or group. Asks first if there are more than four.',
  showDetails: 'Opens everything known about a session as JSON. Values that may be secret are masked.',
  openDashboard: "Opens the provider's own page about a session.",
  openRecording: 'Opens the recording of a session, if the provider made one.',
  takeScreenshot: "Opens a screenshot of the session or page. It isn't saved unless you save it.",
  copySessionId: "Copies the session's ID. In the list, `Ctrl+C` copies the IDs of all selected sessions.",
  copyLiveViewUrl: 'Copies a new link. Anyone with the link can watch the session and may be able to control it.',
  copyPageUrl: "Copies the URL of a session's page.",
  copyJson: 'Copies the JSON that Show Details opens.',
  endSession: 'Ends one session, the selected sessions, or the ones you pick. In the list, press `Delete`.',
  endGroup: 'Ends the sessions of a batch or group one by one. Its data is kept.',
  deleteBatch: "Deletes a batch with all its data at the provider. Lists each session that couldn't be deleted.",
  endAccountSessions:
    'Ends the listed sessions of one account. A second button ends everything, if the provider supports it.',
  endLeftBehind: 'Ends the browsers on this machine that were left behind, exactly the ones that the dialog lists.',
  endSessionById: "Ends a session that isn't listed, by its ID or a link to it. Checks with the provider first.",
  endAllSessions: 'Ends the listed sessions of all accounts.',
  endOldSessions: 'Asks for an age, then ends the sessions older than that. You can deselect some first.',
  retryFailedEnds: "Tries again to end the sessions that couldn't be ended.",
  cancelBatch: 'Stops the provider from starting more sessions of a batch. Its data is kept.',
  protectSession: 'Skips the session when you end several at once.',
  unprotectSession: 'Includes the session again.',
  endMySessions: 'Ends all sessions that are yours according to the setting `browserSessions.mine`.',
  deleteProfile:
    'Deletes the temporary profile that an ended browser on this machine left, or one that you pick, if no process uses it.',
  showLog: 'Opens the log, which has one line for each request and each ended session, and no keys.',
};

/** What a provider may offer besides listing and ending sessions. */
const abilities: Readonly<Partial<Record<Capability, string>>> = {
  pages: 'pages',
  liveView: 'live view',
  devtools: 'live view through DevTools',
  screenshot: 'screenshots',
  recording: 'recordings',
  dashboard: 'dashboard',
  deleteGroup: 'deleting a batch with its data',
  endEverything: 'ending everything in one call',
};

function table(...rows: readonly (readonly string[])[]): string {
  const [headings = [], ...others] = rows;
  const all = [headings, headings.map(() => '---'), ...others];
  return all.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('');
}

function providers(): string {
  const rows = providerKinds.map(({ label, can, fields, wording, address }: ProviderKind) => {
    const asked = fields.map((field) => {
      if (field.required) return field.label;
      return field.asked === 'withAddress'
        ? `${field.label} (only with your own address)`
        : `${field.label} (optional)`;
    });
    return [
      label,
      wording.session,
      [...(address.ask ? ['Address'] : []), ...asked].join('<br>'),
      can.flatMap((capability) => abilities[capability] ?? []).join(', ') || '–',
    ];
  });
  return table(['Provider', 'A session is', "You'll need", 'Besides listing and ending'], ...rows);
}

function providerDetails(): string {
  const rows = providerKinds.map(({ label, can, wording }: ProviderKind) => {
    const canWatch = can.includes('liveView') || can.includes('devtools');
    return [
      label,
      wording.ending,
      wording.endEverything ?? '–',
      wording.deleteGroup ?? '–',
      canWatch ? (wording.watching ?? 'No effect is documented.') : '–',
    ];
  });
  const headings = ['Provider', 'Ending a session', 'Ending everything', 'Deleting a batch', 'Watching a session'];
  return table(headings, ...rows);
}

function commands(): string {
  const rows = Object.entries(descriptions).map(([name, description]) => {
    return [commandTable[name as ListedCommand].title, description];
  });
  return table(['Command', 'What it does'], ...rows);
}

interface Property {
  readonly default: unknown;
  readonly scope: string;
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
  readonly markdownEnumDescriptions?: readonly string[];
  readonly description?: string;
  readonly markdownDescription?: string;
}

/** A value as the README shows it. */
function inSettingsFile(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function settings(): string {
  const { manifest, words } = readManifest();
  const properties: Readonly<Record<string, Property>> = manifest.contributes.configuration.properties;
  const text = (key = '') => words[key.slice(1, -1)] ?? key;
  const rows = Object.entries(properties).map(([name, property]) => {
    const described = property.enumDescriptions ?? property.markdownEnumDescriptions ?? [];
    const values = (property.enum ?? []).map((value, index) => `<br>\`${value}\`: ${text(described[index])}`);
    const standard = property.default === '' ? '' : `\`${inSettingsFile(property.default)}\``;
    return [`\`${name}\``, standard, text(property.markdownDescription ?? property.description) + values.join('')];
  });
  const open = Object.entries(properties).filter(([, { scope }]) => scope !== 'application');
  const names = open.map(([name]) => `\`${name}\``).join(', ');
  return `${table(['Setting', 'Default', 'Description'], ...rows)}
A workspace can set only ${names}. All other settings are read from your user settings.
`;
}

const parts: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'README.md': { providers, commands, settings },
  'src/providers/README.md': { providers: providerDetails },
};

/** The documents with generated parts, by their path from the project's folder, as they should be. */
export function currentDocuments(): ReadonlyMap<string, string> {
  const documents = Object.entries(parts).map(([path, generated]) => {
    let text = readFileSync(path, 'utf8');
    for (const [name, write] of Object.entries(generated)) {
      const [begin, end] = [`<!-- ${name}: npm run readme -->\n`, `<!-- /${name} -->\n`];
      const [from, to] = [text.indexOf(begin), text.indexOf(end)];
      if (from < 0 || to < from) throw new Error(`${path} has no place for ${name}.`);
      text = text.slice(0, from + begin.length) + write() + text.slice(to);
    }
    return [path, text] as const;
  });
  return new Map(documents);
}

if (import.meta.main) for (const [path, text] of currentDocuments()) writeFileSync(path, text);
