/** How far a piece of work is. `total` is known before the first byte (design.md, promise 2). */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'items';
  /** One short line about what is in flight now. */
  readonly detail?: string;
}

/** Where a step tells what it is doing. The CLI draws it; nouns and flows never print. */
export interface Report {
  progress(progress: Progress): void;
  /** A line that stays visible below the step. */
  note(line: string): void;
}

export interface StepResult {
  /** One line for the person: “3 images, 96 MB pushed”. */
  readonly summary: string;
  /** How many things this step changed in the world; 0 when all was already so. Absent for read-only steps. */
  readonly changed?: number;
}

/** One step of a verb. */
export interface Step {
  /** Stable id for `--json` events and the journal: `trust`, `preflight`, `push` … */
  readonly id: string;
  /** A word or two in the person's language: “Trusted”, “Registry”. */
  readonly title: string;
  run(report: Report, signal: AbortSignal): Promise<StepResult>;
}

/** A verb: its steps in the order in which they happen, and what is known when all are done. */
export interface Flow<Result> {
  readonly steps: readonly Step[];
  /** Only after every step has run. */
  result(): Result;
}

/** A report that goes nowhere, for callers that need none. */
export const SILENT: Report = { progress: () => undefined, note: () => undefined };
