/** What VS Code knows live view panels by, in its files too; package.json names it as an activation event. */
export const liveViewType = 'browserSessions.liveView';
