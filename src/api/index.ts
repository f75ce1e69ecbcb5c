// What other extensions compile against. Everything here is public: exports are never removed, only added.
export type { AccountFacts, Credentials } from '../core/account.ts';
export type { CdpConnection, CdpDialer, CdpEvent, SessionDevtools } from '../core/cdp.ts';
export type { Clock } from '../core/clock.ts';
export type { Disposable, Event } from '../core/event.ts';
export type { Group, GroupDeletion } from '../core/group.ts';
export type { HttpAnswer, HttpClient, HttpRequest, Json } from '../core/http.ts';
export type { GroupId, PageId, SessionId } from '../core/ids.ts';
export type { Inventory, ListFault } from '../core/inventory.ts';
export type { LiveView, ViewMode } from '../core/liveView.ts';
export type { Page } from '../core/page.ts';
export type {
  CredentialField,
  EndAnswer,
  EndingTerms,
  Link,
  ListTerms,
  Liveness,
  Provider,
  ProviderKind,
  ProviderWording,
  Screenshot,
} from '../core/provider.ts';
export type { ProviderError, Trouble, TroubleKind } from '../core/providerError.ts';
export type { EndCause, Session, SessionPhase } from '../core/session.ts';
export type { Usage, UsageUnit } from '../core/usage.ts';
export {
  type AccountSnapshot,
  type BrowserSessionsApi,
  getBrowserSessions,
  type SessionSnapshot,
} from './browserSessions.ts';
export {
  defineProvider,
  type EndResponse,
  type FieldDefinition,
  type FinishedGroupsPage,
  type ListPage,
  type LiveViewAddress,
  type ProviderConnection,
  type ProviderDefinition,
} from './defineProvider.ts';
export { type GroupFields, newGroup, newSession, type PageFields, type SessionFields } from './newSession.ts';
export { isProviderError, type ProviderTrouble, providerError } from './providerError.ts';
