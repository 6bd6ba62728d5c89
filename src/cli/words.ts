/** Marks before lines; the same on every screen. */
export const MARK = { done: '✔', failed: '✖', running: '…', warn: '!', hint: '→' } as const;

/** Verbs, as they are typed, that write nothing anywhere; `inspect` only where no file is asked for. */
export const READS_ONLY: ReadonlySet<string> = new Set([
  ...['inspect', 'diff', 'verify', 'doctor', 'plan', 'serve', 'status', 'receipt verify'],
]);

/** Sentences that more than one place says. */
export const WORDS = {
  stopping: 'Stopping cleanly. Press Ctrl-C again to stop at once.',
  interrupted: 'Stopped, as you asked.',
  goOn: 'Run the same command again: it goes on where it stopped.',
  reportBug:
    'This is a bug in deliver, not your mistake. Please report it with the output of the same command and DEBUG=deliver.',
  seeHelp: (command: string): string => `deliver ${command} --help`.replace('  ', ' '),
} as const;
