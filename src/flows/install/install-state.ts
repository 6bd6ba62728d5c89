const GOES_ON = 'The same command goes on from here.';
/** Errors of single objects and files say it of their own work: it is not true of the steps and objects before it. */
const OWN_WORK_ONLY = /^Nothing was \w+\.$/;

/** What a step that failed left, given what the failed work says of itself. */
export function stepState(own: string | undefined): string {
  return own === undefined || OWN_WORK_ONLY.test(own) ? 'What this step did until then stays.' : own;
}

/**
 * What state a site is in when a step of an install failed.
 * @param changed what the steps before it, and beside it, did: `registry (3 images, 96 MB pushed)`
 * @param own what the failed work says of itself
 */
export function installState(changed: readonly string[], own: string | undefined): string {
  const before = changed.length === 0 ? [] : [`Done so far: ${changed.join('; ')}.`];
  const now = stepState(own);
  return [...before, now, ...(now.includes('same command goes on') ? [] : [GOES_ON])].join(' ');
}
