import type { RegistryPlan } from '../../flows/plan/types.ts';

/** What a plan says of a Harbor beside its images: as whom they are pushed, and what is set up there. */
export function harborTexts({ pushAs, setUp }: Pick<RegistryPlan, 'pushAs' | 'setUp'>): string[] {
  return [...(pushAs === undefined ? [] : [pushAsText(pushAs)]), ...(setUp === undefined ? [] : [`set up ${setUp.join(', ')}`])];
}

function pushAsText({ kind, name = 'nobody' }: NonNullable<RegistryPlan['pushAs']>): string {
  return kind === 'robot'
    ? `push as robot ${name}, made for this run and then removed`
    : `push as ${name}, which may not make a robot account for it`;
}
