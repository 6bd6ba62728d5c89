import { Command, Flags } from '@oclif/core';
import type { LanedFlow } from '../core/report.ts';
import { cleaned, cleanJson } from './clean.ts';
import { interruptSignal } from './interrupt.ts';
import { JsonObserver } from './json-observer.ts';
import { outputTo, type Output } from './output.ts';
import { runFlow } from './run-flow.ts';

/** What every verb shares: `--json`, `--no-color`, running a flow, printing its result. */
export abstract class BaseCommand extends Command {
  static override args = {};
  static override flags = {};
  static override baseFlags = {
    json: Flags.boolean({ description: 'write JSON for programs instead of text for people', helpGroup: 'OUTPUT' }),
    'no-color': Flags.boolean({ description: 'no colours (so does the environment variable NO_COLOR)', helpGroup: 'OUTPUT' }),
  };

  protected readonly output: Output = outputTo(process.stdout);
  #signal: AbortSignal | undefined;
  readonly #events = new JsonObserver((line) => {
    process.stdout.write(`${line}\n`);
  });

  /** Runs a flow on the right kind of screen and gives its result. */
  protected async runFlow<Result>(flow: LanedFlow<Result>): Promise<Result> {
    return this.#run(flow, this.output);
  }

  /** The same for a verb that goes on until it is stopped: lines that scroll, also on a terminal. */
  protected async runLog<Result>(flow: LanedFlow<Result>): Promise<Result> {
    return this.#run(flow, { ...this.output, isTerminal: false });
  }

  async #run<Result>(flow: LanedFlow<Result>, output: Output): Promise<Result> {
    // Not before: until a flow runs, Ctrl-C simply ends the process.
    this.#signal ??= interruptSignal();
    return runFlow(flow, { output, ...(this.wantsJson ? { json: this.#events } : {}) }, this.#signal);
  }

  /** The end of a verb with progress: lines for a person, or one `result` event. */
  protected showResult<Result>(result: Result, view: (result: Result) => readonly string[]): void {
    if (this.wantsJson) this.#events.result(result);
    else this.print(view(cleaned(result)));
  }

  /** The answer of a verb that only reads: lines for a person, or one JSON document. */
  protected showDocument<Result>(result: Result, view: (result: Result) => readonly string[]): void {
    if (this.wantsJson) process.stdout.write(`${cleanJson(result)}\n`);
    else this.print(view(cleaned(result)));
  }

  protected print(lines: readonly string[]): void {
    for (const line of lines) this.output.line(line);
  }

  /** Errors are rendered in one place, cli/main.ts; oclif would print them here. */
  protected override async catch(error: Error): Promise<never> {
    throw error;
  }

  protected get wantsJson(): boolean {
    return wantsJson(this.argv);
  }
}

/** True when the arguments ask for JSON (before `--`). */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}
