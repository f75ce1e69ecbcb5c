/** The type of live view panels, which VS Code stores too; package.json has it in an activation event. */
export const liveViewType = 'browserSessions.liveView';
