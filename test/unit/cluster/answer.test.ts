import { expect, it } from 'vitest';
import { z } from 'zod';
import { answerOf } from '../../../src/cluster/answer.ts';

it('takes a login page that answers 200 for no Kubernetes', () => {
  expect(() => answerOf(z.object({ gitVersion: z.string() }), '<html>Sign in</html>')).toThrowWithCode(
    'E_CLUSTER',
    'is no Kubernetes',
  );
});
