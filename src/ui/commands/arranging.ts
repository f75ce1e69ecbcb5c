import * as l10n from '@vscode/l10n';
import { plainText } from '../../core/plainText.ts';
import type { GroupBy } from '../../services/sessions/grouping.ts';
import type { ListOptions, SortBy } from '../tree/listOptions.ts';
import { groupChoicesOfMenu, type listMenuCommands, sortChoices } from './listMenus.ts';
import { type ListParts, listOnce } from './lists.ts';
import { countSessions } from './targets.ts';

/** What choosing the order and the groups of the list needs. */
export interface ArrangingParts extends ListParts {
  readonly options: ListOptions;
  readonly changeSetting: (key: string, value: string) => Promise<void>;
}

/** Most metadata keys that are offered, and the longest of them, in characters. */
const mostKeys = 100;
const longestKey = 200;

/** Asks how to sort the list. */
export async function sortBy({ options, prompts }: ArrangingParts): Promise<void> {
  const answer = await prompts.pick({
    title: l10n.t('Sort By'),
    placeholder: l10n.t('Select how to sort sessions'),
    choices: choicesOf(sortTitles(), options.sortBy),
    step: undefined,
  });
  if (answer.kind === 'answer') await options.setSort(answer.value);
}

/** Asks how to group the list. */
export async function groupBy(parts: ArrangingParts): Promise<void> {
  const { options, prompts } = parts;
  const answer = await prompts.pick({
    title: l10n.t('Group By'),
    placeholder: l10n.t('Select how to group sessions'),
    choices: choicesOf(groupTitles(), options.groupBy, { tag: l10n.t('the first tag of each session') }),
    step: undefined,
  });
  if (answer.kind === 'answer') await chooseGroup(parts, answer.value);
}

/** The handlers of the commands in the submenus, which have no arguments. */
export const listMenuHandlers = handlersOfMenus();

function handlersOfMenus(): Record<keyof typeof listMenuCommands, (parts: ArrangingParts) => Promise<void>> {
  const pair = (command: string, run: (parts: ArrangingParts) => Promise<void>) => [
    [command, run] as const,
    [`${command}Checked`, run] as const,
  ];
  return Object.fromEntries([
    ...keysOf(sortChoices).flatMap((value) =>
      pair(sortChoices[value].command, ({ options }) => options.setSort(value)),
    ),
    ...keysOf(groupChoicesOfMenu).flatMap((value) =>
      pair(groupChoicesOfMenu[value].command, (parts) => chooseGroup(parts, value)),
    ),
  ]) as ReturnType<typeof handlersOfMenus>;
}

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}

async function chooseGroup(parts: ArrangingParts, chosen: GroupBy): Promise<void> {
  if (chosen === 'metadata') {
    const key = await askKey(parts);
    if (key === undefined) return;
    await parts.changeSetting('groupByMetadataKey', key);
  }
  await parts.options.setGroup(chosen);
}

/** Asks for a metadata key, and offers those that sessions have. Undefined when the user canceled. */
async function askKey(parts: ArrangingParts): Promise<string | undefined> {
  const { prompts, options } = parts;
  const used = options.grouping.metadataKey;
  const known = await knownKeys(parts);
  if (known.size > 0) {
    const other = Symbol();
    const offered = [...known].sort(([, a], [, b]) => b - a).slice(0, mostKeys);
    const answer = await prompts.pick<string | typeof other>({
      title: l10n.t('Group by Metadata Key'),
      placeholder: l10n.t('Select the metadata key to group sessions by'),
      choices: [
        ...offered.map(([key, count]) => ({
          label: plainText(key),
          description: [countSessions(count), ...(key === used ? [l10n.t('current')] : [])].join(' · '),
          detail: '',
          icon: undefined,
          heading: undefined,
          value: key,
        })),
        {
          label: l10n.t('Enter Another Metadata Key…'),
          description: '',
          detail: '',
          icon: 'edit',
          heading: undefined,
          value: other,
        },
      ],
      step: undefined,
    });
    if (answer.kind !== 'answer') return undefined;
    if (answer.value !== other) return String(answer.value);
  }
  const answer = await prompts.ask({
    title: l10n.t('Group by Metadata Key'),
    prompt: l10n.t('Enter the metadata key to group sessions by'),
    placeholder: '',
    value: used,
    secret: false,
    step: undefined,
    button: undefined,
    refuse: async (typed) => {
      if (typed.trim() === '') return l10n.t('Enter a metadata key.');
      return typed.trim().length > longestKey ? l10n.t('Enter at most {0} characters.', longestKey) : undefined;
    },
  });
  return answer.kind === 'answer' ? answer.value.trim() : undefined;
}

/** The metadata keys that sessions have, and how many sessions have each. */
async function knownKeys(parts: ArrangingParts): Promise<Map<string, number>> {
  const { accounts, store } = parts;
  const ids = accounts.all.map(({ id }) => id);
  await listOnce(parts, ids);
  const counts = new Map<string, number>();
  for (const id of ids) {
    for (const { metadata } of store.state(id)?.contents.sessions.values() ?? []) {
      for (const key of metadata.keys()) {
        if (key.length <= longestKey && plainText(key) !== '') counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  return counts;
}

function choicesOf<Value extends string>(
  titles: Readonly<Record<Value, string>>,
  current: Value,
  notes: Readonly<Partial<Record<Value, string>>> | undefined = undefined,
) {
  return keysOf(titles).map((value) => ({
    label: titles[value],
    description: [notes?.[value] ?? '', value === current ? l10n.t('current') : '']
      .filter((part) => part !== '')
      .join(' · '),
    detail: '',
    icon: value === current ? 'check' : 'blank',
    heading: undefined,
    value,
  }));
}

function sortTitles(): Readonly<Record<SortBy, string>> {
  return {
    newest: l10n.t('Newest First'),
    oldest: l10n.t('Oldest First'),
    idle: l10n.t('Longest Idle First'),
    name: l10n.t('Name'),
    cost: l10n.t('Highest Cost First'),
  };
}

function groupTitles(): Readonly<Record<GroupBy, string>> {
  return {
    none: l10n.t('None'),
    batch: l10n.t('Batch'),
    tag: l10n.t('Tag'),
    metadata: l10n.t('Metadata Key…'),
    region: l10n.t('Region'),
    user: l10n.t('User'),
    status: l10n.t('Status'),
  };
}
