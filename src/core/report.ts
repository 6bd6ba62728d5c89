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

/** Steps that need nothing of each other: the lanes run side by side, the steps of one in their order. */
export interface StepLanes {
  readonly lanes: readonly (readonly Step[])[];
}

/** A verb: its steps in the order in which they happen, and what is known when all are done. Run by `runSteps`. */
export interface Flow<Result, Entry extends Step | StepLanes = Step> {
  readonly steps: readonly Entry[];
  /** Only after every step has run. */
  result(): Result;
  /** What is told of a failure, once no step runs any more: the error, with what is true now. */
  failure?(error: unknown): unknown;
  /** Ends what is open: called once, when no step runs any more, however the flow ended. */
  close?(): Promise<void>;
}

/** A verb of which some steps run side by side. */
export type LanedFlow<Result> = Flow<Result, Step | StepLanes>;

/** Every step, lane by lane. */
export function allSteps(entries: readonly (Step | StepLanes)[]): Step[] {
  return entries.flatMap((entry) => ('lanes' in entry ? entry.lanes.flat() : [entry]));
}

/** The same entries, each step made into another. */
export function mapSteps(entries: readonly (Step | StepLanes)[], made: (step: Step) => Step): (Step | StepLanes)[] {
  return entries.map((entry) => ('lanes' in entry ? { lanes: entry.lanes.map((lane) => lane.map(made)) } : made(entry)));
}

/** A report that goes nowhere, for callers that need none. */
export const SILENT: Report = { progress: () => undefined, note: () => undefined };
