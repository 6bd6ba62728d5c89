import { DeliverError, isDeliverError, messageOf } from './errors.ts';
import type { LanedFlow, Step, StepLanes } from './report.ts';

/**
 * Runs the steps of a flow and gives its result. Of lanes none is stopped when another one fails: each finishes the step that it
 * is in, so that things are left in a state worth having, and begins no further one.
 * @param run runs one step
 * @throws what the first step threw that failed, with what others threw told in it; what the signal was aborted with
 */
export async function runSteps<Result>(
  flow: LanedFlow<Result>,
  run: (step: Step) => Promise<void>,
  signal: AbortSignal,
): Promise<Result> {
  try {
    for (const entry of flow.steps) await runLanes('lanes' in entry ? entry : { lanes: [[entry]] }, run, signal);
  } catch (error) {
    const told = flow.failure?.(error) ?? error;
    // What went wrong before says more than what goes wrong now.
    await flow.close?.().catch(() => undefined);
    throw told;
  }
  await flow.close?.();
  return flow.result();
}

interface Failure {
  readonly title: string;
  readonly error: unknown;
  /** It came after the person had asked to stop. */
  readonly stopped: boolean;
}

async function runLanes({ lanes }: StepLanes, run: (step: Step) => Promise<void>, signal: AbortSignal): Promise<void> {
  const failures: Failure[] = [];
  const runLane = async (steps: readonly Step[]): Promise<void> => {
    for (const step of steps) {
      if (failures.length > 0) return;
      try {
        signal.throwIfAborted();
        await run(step);
      } catch (error) {
        failures.push({ title: step.title, error, stopped: signal.aborted });
      }
    }
  };
  await Promise.all(lanes.map(runLane));
  // An interruption that only cuts short what went on behind a failure comes after it.
  const [first, ...others] = failures;
  if (first !== undefined) throw joined(first, others);
}

/** The first error, that also tells of the others: who reads it on a phone has no lines above it. */
function joined({ error, title }: Failure, others: readonly Failure[]): unknown {
  if (others.length === 0) return error;
  const first = asKnown(error);
  const rest = others.map((other) => ({ ...other, known: asKnown(other.error) }));
  // A full disk, a lost lock or an interruption is met by every lane.
  const told = rest.filter(({ known, stopped }) => !stopped && textOf(known) !== textOf(first));
  const why = [first.facts.why, ...told.map((other) => `${other.title} failed as well: ${textOf(other.known)}`)];
  const details = [
    ...(first.facts.details ?? []),
    ...told.flatMap((other) => (other.known.facts.details ?? []).map((line) => `${other.title}: ${line}`)),
  ];
  const left = rest.filter(({ known }) => known.facts.state !== first.facts.state);
  const own = first.facts.state;
  const states = [
    own === undefined || left.length === 0 ? own : `${title}: ${own}`,
    ...left.map((other) => (other.known.facts.state === undefined ? undefined : `${other.title}: ${other.known.facts.state}`)),
  ];
  return first.with({ ...fact('why', why), ...fact('state', states), ...(details.length === 0 ? {} : { details }) });
}

function fact(name: 'why' | 'state', lines: readonly (string | undefined)[]): { readonly why?: string; readonly state?: string } {
  const text = lines.filter((line) => line !== undefined && line !== '').join('\n');
  return text === '' ? {} : { [name]: text };
}

/** `Harbor is not healthy: core. [E_HARBOR] Fix: …` */
function textOf({ code, facts: { what, why, fix } }: DeliverError): string {
  return [what, `[${code}]`, why, fix === undefined ? undefined : `Fix: ${fix}`].filter((part) => part !== undefined).join(' ');
}

function asKnown(error: unknown): DeliverError {
  return isDeliverError(error) ? error : new DeliverError('E_BUG', { what: messageOf(error), cause: error });
}
