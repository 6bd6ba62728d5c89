import CertsRenew from '../commands/certs-renew.ts';
import Diff from '../commands/diff.ts';
import Doctor from '../commands/doctor.ts';
import Fetch from '../commands/fetch.ts';
import Gc from '../commands/gc.ts';
import ImportKubeKey from '../commands/import-kubekey.ts';
import Inspect from '../commands/inspect.ts';
import Install from '../commands/install.ts';
import Keygen from '../commands/keygen.ts';
import Pack from '../commands/pack.ts';
import Plan from '../commands/plan.ts';
import Publish from '../commands/publish.ts';
import Push from '../commands/push.ts';
import ReceiptVerify from '../commands/receipt-verify.ts';
import Receipt from '../commands/receipt.ts';
import Repair from '../commands/repair.ts';
import Resend from '../commands/resend.ts';
import Reset from '../commands/reset.ts';
import Resolve from '../commands/resolve.ts';
import Serve from '../commands/serve.ts';
import Split from '../commands/split.ts';
import Sign from '../commands/sign.ts';
import Status from '../commands/status.ts';
import Support from '../commands/support.ts';
import Verify from '../commands/verify.ts';
import Watch from '../commands/watch.ts';

/** Every verb, in the order of a release's life; oclif reads this instead of looking for files. */
export const COMMANDS = {
  keygen: Keygen,
  'import:kubekey': ImportKubeKey,
  resolve: Resolve,
  pack: Pack,
  split: Split,
  inspect: Inspect,
  diff: Diff,
  sign: Sign,
  verify: Verify,
  repair: Repair,
  resend: Resend,
  doctor: Doctor,
  plan: Plan,
  install: Install,
  push: Push,
  publish: Publish,
  fetch: Fetch,
  gc: Gc,
  serve: Serve,
  watch: Watch,
  status: Status,
  support: Support,
  'certs:renew': CertsRenew,
  reset: Reset,
  receipt: Receipt,
  'receipt:verify': ReceiptVerify,
};
