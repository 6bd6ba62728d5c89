import { DeliverError, isDeliverError } from '../../core/errors.ts';
import type { Report, Step, StepResult } from '../../core/report.ts';
import type { SitePorts } from '../site-ports.ts';

export interface SiteStepOptions {
  /** The last step of its verb: connections end after it, and this runs. */
  readonly last?: () => Promise<void> | undefined;
  /** What is true of the site when the step fails, given what the failed work says of itself. */
  readonly state?: (own: string | undefined) => string;
}

/** A step on a site: whatever happens in it, no connection stays open behind it when it is the last or fails. */
export function siteStep(
  ports: SitePorts,
  id: string,
  title: string,
  work: (report: Report, signal: AbortSignal) => Promise<StepResult>,
  options: SiteStepOptions = {},
): Step {
  return {
    id,
    title,
    run: async (report, signal) => {
      let done = false;
      try {
        const result = await work(report, signal);
        done = true;
        return result;
      } catch (error) {
        throw isDeliverError(error) && options.state !== undefined
          ? error.with({ state: options.state(error.facts.state) })
          : error;
      } finally {
        if (!done || options.last !== undefined) {
          await options.last?.();
          await ports.close();
        }
      }
    },
  };
}

/** What an earlier step has left behind. */
export function needed<Value>(value: Value | undefined): Value {
  if (value !== undefined) return value;
  throw new DeliverError('E_BUG', { what: 'The steps of this verb ran out of order.' });
}
