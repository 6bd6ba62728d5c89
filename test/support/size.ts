/** `npm cit` holds every promise on a small scale; `npm run test:long` holds the same tests at their full size. */
export const IS_LONG = process.env['TEST_SIZE'] === 'long';

export function bySize<Value>(quick: Value, long: Value): Value {
  return IS_LONG ? long : quick;
}
