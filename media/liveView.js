// The toolbar of a live view panel. The frame beside it is another site: nothing here listens to it.
(() => {
  // @ts-expect-error: VS Code puts this function into every webview.
  const editor = acquireVsCodeApi();
  for (const button of document.querySelectorAll('header button')) {
    button.addEventListener('click', () => editor.postMessage({ type: button.id }));
  }
})();
