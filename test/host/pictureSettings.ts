/** User settings for the README's pictures: nothing is in them but what they are about. */
export const pictureSettings = {
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.statusBar.visible': false,
  'workbench.layoutControl.enabled': false,
  'window.commandCenter': false,
  'window.menuBarVisibility': 'hidden',
  'browserSessions.refresh.interval': 2,
  'browserSessions.warnings.show': false,
};
