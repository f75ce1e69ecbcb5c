/** For work that nothing aborts, such as an end that was sent, or a list that several calls share. */
export const neverAborted = new AbortController().signal;
