import Inspect from '../commands/inspect.ts';
import Install from '../commands/install.ts';
import Pack from '../commands/pack.ts';
import Plan from '../commands/plan.ts';
import Push from '../commands/push.ts';
import Resolve from '../commands/resolve.ts';
import Status from '../commands/status.ts';
import Verify from '../commands/verify.ts';

/** Every verb, in the order of a release's life; oclif reads this instead of looking for files. */
export const COMMANDS = {
  resolve: Resolve,
  pack: Pack,
  inspect: Inspect,
  verify: Verify,
  plan: Plan,
  install: Install,
  push: Push,
  status: Status,
};
