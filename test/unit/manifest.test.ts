import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { groupId } from '../../src/core/ids.ts';
import { allCapabilities, type Capability } from '../../src/core/provider.ts';
import { providerKinds } from '../../src/providers/index.ts';
import type { CommandEntry } from '../../src/ui/commands/menus.ts';
import { commandPrefix, commandTable } from '../../src/ui/commands/table.ts';
import {
  accountContext,
  endedContext,
  groupContext,
  pageContext,
  selectedContext,
  sessionContext,
  troubleContext,
} from '../../src/ui/tree/contextValue.ts';
import { manifestOf, readManifest, settingsOf } from '../manifest.ts';

const { manifest, words } = readManifest();
const { contributes } = manifest;

/** Every subset of a provider's capabilities. */
function capabilitySets(): ReadonlySet<Capability>[] {
  return Array.from(
    { length: 2 ** allCapabilities.length },
    (_, bits) => new Set(allCapabilities.filter((_, index) => bits & (1 << index))),
  );
}

/** Every context value that the tree can give a row. */
function contextValues(): Set<string> {
  const values = new Set(['rb:info', ...(['replaceKey', 'enterKey', 'retry'] as const).map(troubleContext)]);
  for (const capabilities of capabilitySets()) {
    values.add(pageContext(capabilities));
    for (const left of [true, false]) values.add(endedContext(capabilities, left));
    for (const count of [0, 3]) {
      for (const kind of ['batch', 'metadata'] as const) {
        for (const canCancel of [true, false]) {
          const group = { id: groupId('g'), kind, status: undefined, name: undefined, createdAt: undefined, canCancel };
          for (const left of [true, false]) values.add(groupContext(group, capabilities, count, left));
        }
      }
      for (const key of ['saved', 'missing', 'automatic', undefined] as const) {
        for (const left of [true, false]) values.add(accountContext(key, count, left));
      }
    }
    for (const life of ['running', 'ending', 'stuck'] as const) {
      for (const isProtected of [true, false]) {
        for (const canWatch of [true, false]) {
          values.add(sessionContext({ canWatch }, life, capabilities, isProtected));
        }
      }
    }
  }
  return new Set([...values].flatMap((value) => [value, selectedContext(value)]));
}

/** The commands that the menus of a row offer, with those of its buttons listed separately. */
function offered(value: string): { readonly menu: string[]; readonly buttons: string[] } {
  const found = { menu: new Set<string>(), buttons: new Set<string>() };
  for (const [name, { menus }] of Object.entries<CommandEntry>(commandTable)) {
    for (const { menu, when, group } of menus) {
      if (menu !== 'view/item/context' || !viewItemPatterns(when).some((pattern) => pattern.test(value))) continue;
      found[group.startsWith('inline') ? 'buttons' : 'menu'].add(name);
    }
  }
  return { menu: [...found.menu].sort(), buttons: [...found.buttons].sort() };
}

function viewItemPatterns(when: string): RegExp[] {
  return [...when.matchAll(/viewItem =~ \/((?:[^/\\]|\\.)*)\//g)].map(([, pattern = '']) => new RegExp(pattern));
}

describe('manifest', () => {
  it('has exactly the commands, menus, palette entries, keys and titles of the command table', () => {
    const expected = manifestOf(commandTable);
    assert.deepEqual(contributes.commands, expected.commands);
    assert.deepEqual(contributes.menus, expected.menus);
    assert.deepEqual(contributes.submenus, expected.submenus);
    assert.deepEqual(contributes.keybindings, JSON.parse(JSON.stringify(expected.keybindings)));
    const titles = Object.entries(words).filter(([key]) => /^(command|submenu)\./.test(key));
    assert.deepEqual(Object.fromEntries(titles), expected.titles);
  });

  it('has exactly the settings of the settings table and of the providers, with their texts', () => {
    const expected = settingsOf(providerKinds);
    const { properties } = contributes.configuration;
    assert.deepEqual(properties, expected.properties);
    assert.deepEqual(Object.keys(properties), Object.keys(expected.properties));
    const texts = Object.entries(words).filter(([key]) => key.startsWith('setting.'));
    assert.deepEqual(Object.fromEntries(texts), expected.words);
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    assert.deepEqual(restrictedConfigurations, expected.restricted);
    assert.deepEqual(restrictedConfigurations, ['browserSessions.groupByMetadataKey']);
  });

  it('doesn’t let a workspace turn on a provider’s setting', () => {
    const { properties } = contributes.configuration;
    const theirs = providerKinds.flatMap(({ id, settings: its }) =>
      its.map((one) => `browserSessions.${id}.${one.id}`),
    );
    assert.ok(theirs.length > 0);
    for (const name of theirs) assert.equal(properties[name].scope, 'application', name);
  });

  it('says what each setting controls or specifies, and names each of its choices', () => {
    for (const [name, property] of Object.entries<Record<string, string[]>>(contributes.configuration.properties)) {
      const text = words[`setting.${name.replace('browserSessions.', '')}`] ?? '';
      assert.match(text, /^(Controls (whether|how|what|where)|Specifies) .*\.$/, name);
      for (const key of ['enumItemLabels', 'enumDescriptions']) {
        assert.equal(property[key]?.length, property['enum']?.length, `${name}: ${key}`);
      }
    }
  });

  it('checks rows only for flags that the tree sets', () => {
    const values = [...contextValues()];
    const entries: readonly CommandEntry[] = Object.values(commandTable);
    const patterns = entries.flatMap(({ menus }) => menus.flatMap(({ when }) => viewItemPatterns(when)));
    assert.ok(patterns.length > 20);
    for (const pattern of patterns)
      assert.ok(
        values.some((value) => pattern.test(value)),
        String(pattern),
      );
    assert.ok(!values.some((value) => /^rb:session\b(?=.*\+nothing\b)/.test(value)));
  });

  it('gives rows no flag that no menu reads', () => {
    const entries: readonly CommandEntry[] = Object.values(commandTable);
    const patterns = entries.flatMap(({ menus }) => menus.flatMap(({ when }) => viewItemPatterns(when)));
    const flags = new Set([...contextValues()].flatMap((value) => value.split('+').slice(1)));
    const unread = [...flags].filter((flag) => !patterns.some(({ source }) => source.includes(`\\+${flag}\\b`)));
    assert.deepEqual(unread, []);
  });

  it('offers on several selected rows only what makes sense for all of them', () => {
    const forMany = [
      'copySelectedSessionIds',
      'endSelectedSessions',
      'openSelectedLiveViews',
      'protectSelectedSessions',
      'refreshSelectedAccounts',
      'unprotectSelectedSessions',
    ];
    for (const value of contextValues()) {
      if (value.startsWith('rb:ended')) continue;
      const isSelected = value.endsWith('+selected');
      for (const name of offered(value).menu) assert.equal(forMany.includes(name), isSelected, `${value}: ${name}`);
    }
    const session = sessionContext({ canWatch: true }, 'running', new Set(['liveView']), false);
    assert.deepEqual(offered(selectedContext(session)), {
      menu: forMany.filter((name) => name !== 'refreshSelectedAccounts'),
      buttons: ['endSelectedSessions', 'openLiveView'],
    });
    assert.deepEqual(offered(selectedContext(accountContext('saved', 3, false))).menu, ['refreshSelectedAccounts']);
  });

  it('has buttons on rows for live views and for the mildest end', () => {
    const batch = {
      id: groupId('g'),
      kind: 'batch',
      status: undefined,
      name: undefined,
      createdAt: undefined,
    } as const;
    const capabilities = new Set<Capability>(['liveView', 'deleteGroup']);
    assert.deepEqual(offered(groupContext(batch, capabilities, 3)).buttons, ['endGroup', 'openGroupLiveViews']);
    assert.ok(offered(groupContext(batch, capabilities, 3)).menu.includes('deleteBatch'));
    assert.deepEqual(offered(groupContext(batch, capabilities, 0)).buttons, []);
    const session = sessionContext({ canWatch: true }, 'running', capabilities, false);
    assert.deepEqual(offered(session).buttons, ['endSession', 'openLiveView']);
  });

  it('doesn’t ask VS Code whether several rows are selected: it isn’t told when selected rows go away', () => {
    assert.doesNotMatch(JSON.stringify(contributes), /listMultiSelection|listDoubleSelection/);
  });

  it('finds the row with the focus for each of its keys, and asks while there is none', () => {
    for (const key of ['delete', 'ctrl+c', 'ctrl+r']) {
      const its = contributes.keybindings.filter(
        (one: { key: string; when: string }) =>
          one.key === key && one.when.includes('focusedView == browserSessions.sessions'),
      );
      const [asks, acts, ...others] = its;
      assert.deepEqual(others, []);
      assert.equal(acts.when, `${asks.when} && listHasSelectionOrFocus`);
      assert.equal(asks.args, undefined);
      assert.deepEqual(acts.args.commands.slice(0, 2), ['list.toggleSelection', 'list.toggleSelection']);
      assert.equal(acts.args.commands[2].command, asks.command);
    }
  });

  it('offers ending only on rows that can be ended, and nothing destructive next to something else', () => {
    const ends = contributes.menus['view/item/context'].filter(({ command }: { command: string }) =>
      /end[A-Z]|delete/.test(command),
    );
    for (const { group } of ends) assert.match(group, /^(inline@3|9_destructive@\d)$/);
    for (const life of ['running', 'stuck', 'ending'] as const) {
      const value = sessionContext({ canWatch: true }, life, new Set(), false);
      assert.equal(/\+endable\b/.test(value), life !== 'ending', value);
    }
    for (const { command, when } of ends) {
      // It is offered for any ID in an account, whether or not the session is listed.
      const takesAnyId = command === `${commandPrefix}endSessionById`;
      if (!takesAnyId) assert.match(when, /\(\?=\.\*\\\+(endable|deletable)\\b\)/, command);
    }
  });

  it('has a text for each placeholder, and a placeholder for each text', () => {
    const used = new Set([...JSON.stringify(manifest).matchAll(/%([\w.]+)%/g)].map(([, key]) => key));
    assert.deepEqual([...used].sort(), Object.keys(words).sort());
  });

  it('mentions only commands and views that exist', () => {
    const ids = new Set(Object.keys(commandTable).map((name) => commandPrefix + name));
    const text = JSON.stringify([manifest, words]);
    for (const [, id = ''] of text.matchAll(/command:(browserSessions\.\w+)\b(?!\.focus)/g)) assert.ok(ids.has(id), id);
    // VS Code adds this command for each view.
    for (const [, id = ''] of text.matchAll(/command:(browserSessions\.\w+)\.focus/g)) assert.match(id, /\.sessions$/);
    for (const [, id = ''] of text.matchAll(/view == ([\w.]+)/g))
      assert.match(id, /^browserSessions\.(sessions|ended)$/);
  });

  it('is ready to publish: its files exist, its engine and types agree, and it starts only once VS Code has', () => {
    for (const file of [manifest.icon, 'README.md', 'CHANGELOG.md', 'LICENSE', 'media/activityBar.svg']) {
      assert.ok(existsSync(file), file);
    }
    assert.equal(manifest.engines.vscode, '^1.101.0');
    assert.match(manifest.devDependencies['@types/vscode'], /^1\.101\./);
    // The status bar and warnings can't wait until the user opens the view; open panels come back.
    assert.deepEqual(manifest.activationEvents, ['onStartupFinished', 'onWebviewPanel:browserSessions.liveView']);
    assert.equal(manifest.dependencies, undefined);
    assert.match(
      readFileSync('CHANGELOG.md', 'utf8'),
      new RegExp(`^## .*${manifest.version.replaceAll('.', '\\.')}`, 'm'),
    );
  });

  it('has a picture for each step of the walkthrough, in colors of the theme that need no style sheet', () => {
    for (const { steps } of contributes.walkthroughs) {
      for (const { media } of steps) {
        const picture = readFileSync(media.svg, 'utf8');
        assert.match(picture, /"var\(--vscode-foreground|"var\(--vscode-descriptionForeground/, media.svg);
        // VS Code's content security policy blocks them there (1.139), and everything would be black.
        assert.doesNotMatch(picture, /<style|\s(style|class)=/, media.svg);
      }
    }
  });

  it('doesn’t let a workspace choose how requests are sent', () => {
    const { properties } = contributes.configuration;
    assert.equal(properties['browserSessions.network.transport'].scope, 'application');
    assert.deepEqual(
      Object.keys(properties).filter((key) => /origin|url|apiKey|token|secret|host/i.test(key)),
      [],
    );
  });
});
