// Reading a page's data anew while somebody looks: more slowly the longer it fails, and not at all behind other tabs.

const EVERY = 10; // seconds; the API's answers are up to five old
const SLOWEST = 120;
const LONGEST = 3600; // that an answer can make it wait

/**
 * @param {{load: (signal: AbortSignal) => Promise<any>, every?: number}} view `every` 0: once.
 * @param {(data: any) => void} good
 * @param {(error: Error, wait: number) => void} bad is told in how many seconds it is tried again; 0: it is not.
 * @returns {{now: () => Promise<void>, stop: () => void}}
 */
export function refreshing(view, good, bad) {
  const every = view.every ?? EVERY;
  const gone = new AbortController();
  let timer = 0;
  let failures = 0;
  let asked = null;

  async function once() {
    clearTimeout(timer);
    try {
      const data = await view.load(gone.signal);
      if (gone.signal.aborted) return;
      failures = 0;
      good(data);
      plan(every);
    } catch (error) {
      if (gone.signal.aborted) return;
      failures += 1;
      const again = error.kind === "later" ? Math.min(LONGEST, Math.max(error.after, Math.min(SLOWEST, (every || EVERY) * 2 ** (failures - 1)))) : 0;
      bad(error, again);
      plan(again);
    }
  }

  function plan(seconds) {
    clearTimeout(timer);
    if (seconds && !document.hidden) timer = setTimeout(now, seconds * 1000);
  }

  /** One at a time: who asks meanwhile waits for the one after it, which sees what was changed. */
  function now() {
    asked = (asked ?? Promise.resolve()).then(() => (gone.signal.aborted ? undefined : once()));
    return asked;
  }

  const seen = () => (document.hidden ? clearTimeout(timer) : every && now());
  document.addEventListener("visibilitychange", seen, { signal: gone.signal });
  addEventListener("online", seen, { signal: gone.signal });
  now();
  return {
    now,
    stop() {
      clearTimeout(timer);
      gone.abort();
    },
  };
}
