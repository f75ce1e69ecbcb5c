import * as vscode from 'vscode';
import type { AccountId, GroupId } from '../../core/ids.ts';
import { Throttle } from '../../core/throttle.ts';
import type { PageLoader } from '../../services/sessions/pageLookups.ts';
import type { StoreChange } from '../../services/sessions/sessionsView.ts';
import { escapedMarkdown } from '../text/escapedMarkdown.ts';
import { countByPhase } from './accountRow.ts';
import type { Arrangement } from './arrangement.ts';
import { childrenOf, isThere, parentOf, rowsAtOnce, type TreeModel } from './children.ts';
import { selectedContext } from './contextValue.ts';
import type { LostPages } from './lostPages.ts';
import { nodeId, type TreeNode } from './nodes.ts';
import { rowOf } from './rows.ts';
import { itemOf } from './treeItem.ts';

/** The id of the view "Sessions". */
export const sessionsViewId = 'browserSessions.sessions';
/**
 * From this many changed rows on, redrawing the account is cheaper than redrawing each row (measured on 5,000 rows: 1.2 s for
 * all of them by name, 0.16 s for their parent).
 */
const mostRowsByName = 50;
const minuteMs = 60_000;
/** While a list arrives, rows that are gone are looked for at most this often (milliseconds): that goes through all rows. */
const forgetMs = 1_000;

/** Draws the store as a tree. It answers from memory, synchronously, and fires only rows that look different. */
export class SessionsTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #model: TreeModel;
  readonly #arrangement: Arrangement;
  readonly #pages: PageLoader;
  readonly #lostPages: LostPages;
  readonly #media: vscode.Uri;
  readonly #limits: Map<string, number>;
  readonly #changed = new vscode.EventEmitter<TreeNode | TreeNode[] | undefined>();
  readonly #subscriptions: vscode.Disposable[] = [];
  /** The selected rows, if there are several. */
  #selected: ReadonlySet<TreeNode> = new Set();
  /** What was last drawn of each row that shows an age. */
  readonly #drawn = new Map<TreeNode, string>();
  readonly #forgetting = new Throttle(() => this.#forgetGone(), forgetMs);

  readonly onDidChangeTreeData = this.#changed.event;

  /** @param lostPages notified when pages were fetched. @param media the folder with our own icons. */
  constructor(
    model: Omit<TreeModel, 'limit' | 'arranged'>,
    arrangement: Arrangement,
    pages: PageLoader,
    lostPages: LostPages,
    media: vscode.Uri,
  ) {
    this.#limits = new Map();
    this.#model = { ...model, arranged: arrangement, limit: (account, group) => this.#limit(account, group) };
    this.#arrangement = arrangement;
    this.#pages = pages;
    this.#lostPages = lostPages;
    this.#media = media;
    this.#subscriptions.push(
      this.#changed,
      model.names,
      this.#forgetting,
      arrangement.onDidChange((change) => this.#follow(change)),
    );
    const minutes = setInterval(() => this.#redrawAges(), minuteMs);
    this.#subscriptions.push({ dispose: () => clearInterval(minutes) });
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  /** The view's description: how many sessions are running in all accounts. */
  get summary(): string {
    const { accounts, store } = this.#model;
    const sessions = accounts().flatMap(({ id }) => [...(store.state(id)?.contents.sessions.values() ?? [])]);
    return sessions.length === 0 ? '' : countByPhase(sessions);
  }

  /** Draws more sessions of an account or group. */
  showMore(account: AccountId, group: GroupId | undefined): void {
    this.#limits.set(`${account}/${group ?? ''}`, this.#limit(account, group) + rowsAtOnce);
    this.redraw(account);
  }

  /** Shows a progress bar above the rows while a refresh that the user asked for is in progress. The rows stay until it's done. */
  async whileRefreshing(work: () => Promise<void>): Promise<void> {
    await vscode.window.withProgress({ location: { viewId: sessionsViewId } }, work);
  }

  /** Sorts, groups and filters the list again, and redraws everything. */
  arrangeAgain(): void {
    this.#arrangement.reset();
    this.#forgetting.ask();
    this.redrawAll();
  }

  /** Redraws everything. */
  redrawAll(): void {
    this.#changed.fire(undefined);
  }

  /** Redraws an account and everything below it. */
  redraw(accountId: AccountId): void {
    this.#changed.fire(this.#model.nodes.get({ kind: 'account', accountId }));
  }

  /** Gives selected rows the menus for several rows. @param nodes the selected rows. */
  showSelected(nodes: readonly TreeNode[]): void {
    const [before, after] = [this.#selected, new Set(nodes.length > 1 ? nodes : [])];
    this.#selected = after;
    const isChanged = (node: TreeNode) => before.has(node) !== after.has(node) && this.isThere(node);
    const changed = [...new Set([...before, ...after])].filter(isChanged);
    if (changed.length > mostRowsByName) {
      for (const accountId of new Set(changed.map((node) => node.accountId))) this.redraw(accountId);
    } else if (changed.length > 0) this.#changed.fire(changed);
  }

  /** Whether the session, group or account of a row is still there. */
  isThere(node: TreeNode): boolean {
    return isThere(this.#model, node);
  }

  getChildren(node?: TreeNode): TreeNode[] {
    const children = [...childrenOf(this.#model, node)];
    if (node !== undefined) this.#lookUp(node, children);
    if (node?.kind === 'session' && this.#model.store.session(node.accountId, node.sessionId)?.pages === undefined) {
      const { accountId, sessionId } = node;
      void this.#pages.load(accountId, sessionId).then(() => this.#lostPages.follow(accountId, sessionId));
    }
    return children;
  }

  /** Call it when a row was expanded or collapsed: pages are looked up for the rows below it. */
  setExpanded(node: TreeNode, isExpanded: boolean): void {
    this.#lookUp(node, isExpanded ? childrenOf(this.#model, node) : []);
  }

  getParent(node: TreeNode): TreeNode | undefined {
    return parentOf(this.#model, node);
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const row = rowOf(this.#model, node);
    if (row === undefined) return new vscode.TreeItem('');
    this.#drawn.set(node, row.description);
    const item = itemOf(row, this.#media);
    if (this.#selected.has(node)) item.contextValue = selectedContext(row.contextValue);
    return item;
  }

  /** Runs the action of a click on a row. */
  async click(node: TreeNode): Promise<void> {
    const command = rowOf(this.#model, node)?.click;
    if (command !== undefined) await vscode.commands.executeCommand(command, node);
  }

  async resolveTreeItem(item: vscode.TreeItem, node: TreeNode): Promise<vscode.TreeItem> {
    const { tooltipOf } = await import('./tooltips.ts');
    const tooltip = tooltipOf(this.#model, node);
    if (tooltip === undefined) return item;
    const text = new vscode.MarkdownString();
    text.appendMarkdown(`**${escapedMarkdown(tooltip.heading)}**\n\n`);
    for (const [label, value] of tooltip.facts) {
      text.appendMarkdown(`${escapedMarkdown(`${label}: ${value}`)}  \n`);
    }
    item.tooltip = text;
    return item;
  }

  #lookUp(node: TreeNode, children: readonly TreeNode[]): void {
    const { accountId, kind } = node;
    if (kind !== 'account' && kind !== 'group') return;
    if (!this.#model.store.capabilities(accountId).has('pages')) return;
    const sessions = children.flatMap((child) => (child.kind === 'session' ? [child.sessionId] : []));
    void this.#pages.draw(accountId, nodeId(node), sessions);
  }

  #limit(account: AccountId, group: GroupId | undefined): number {
    return this.#limits.get(`${account}/${group ?? ''}`) ?? rowsAtOnce;
  }

  #follow(change: StoreChange): void {
    if (change.kind === 'accounts') {
      this.#forgetting.ask();
      this.redrawAll();
      return;
    }
    const { nodes } = this.#model;
    const { accountId, membership, sessions } = change;
    if (membership) this.#forgetting.ask();
    if (membership || sessions.length > mostRowsByName) this.redraw(accountId);
    else this.#changed.fire(sessions.map((sessionId) => nodes.get({ kind: 'session', accountId, sessionId })));
  }

  #forgetGone(): void {
    const remains = (node: TreeNode) => this.isThere(node);
    this.#model.nodes.keepOnly(remains);
    for (const node of this.#drawn.keys()) if (!remains(node)) this.#drawn.delete(node);
  }

  /** Ages are shown in minutes: once a minute the rows whose text changed are redrawn. */
  #redrawAges(): void {
    const stale: TreeNode[] = [];
    for (const [node, drawn] of this.#drawn) {
      const description = rowOf(this.#model, node)?.description;
      if (description !== undefined && description !== drawn) stale.push(node);
    }
    if (stale.length === 0) return;
    const accounts = new Set(stale.map(({ accountId }) => accountId));
    if (stale.length <= mostRowsByName) this.#changed.fire(stale);
    else for (const accountId of accounts) this.redraw(accountId);
  }
}
