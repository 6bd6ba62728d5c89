import { z } from 'zod';
import { excerpt } from '../core/errors.ts';
import { retryAfterMs } from '../core/passing.ts';
import type { HttpAnswer } from './http-call.ts';
import { readAll } from './http-client.ts';

const ErrorBody = z.object({
  errors: z
    .array(z.object({ code: z.string().default('UNKNOWN'), message: z.string().nullish(), detail: z.unknown().optional() }))
    .min(1),
});

/** An answer that was not wanted. Internal to this folder: `errors.ts` turns it into what a person is told. */
export class HttpProblem extends Error {
  readonly status: number;
  /** First code of the body's error list (distribution-spec “Error Codes”), '' without one. */
  readonly code: string;
  /** Messages of the body, '' without one. */
  readonly text: string;
  /** True when the registry says that its own disk is full. */
  readonly diskFull: boolean;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined;
  /** Harbor's way to say that the project is missing: 401 with an empty challenge. */
  readonly emptyChallenge: boolean;
  /** The credentials were refused, and another try would go with new ones. */
  renewed = false;

  constructor(
    status: number,
    body: { code: string; text: string; raw?: string },
    headers: { retryAfter?: string | undefined; challenge?: string | undefined } = {},
  ) {
    const text = body.text === '' ? '' : `: ${body.text}`;
    super(`HTTP ${String(status)}${body.code === '' ? '' : ` ${body.code}`}${text}`);
    this.status = status;
    this.code = body.code;
    this.text = body.text;
    // distribution 2.8 has a sentence in `detail`, or only the bare errno (28).
    this.diskFull = status >= 500 && /no space left on device|"Err":28\b|ENOSPC|disk quota exceeded/i.test(body.raw ?? body.text);
    this.retryAfter = retryAfterMs(headers.retryAfter);
    this.emptyChallenge = status === 401 && headers.challenge?.trim() === '';
  }
}

/** Reads the answer to its end (bounded) and says what was wrong. */
export async function problemOf(answer: HttpAnswer): Promise<HttpProblem> {
  const body = await readAll(answer, 256 * 1024).then(
    (bytes) => bytes.toString('utf8'),
    () => '',
  );
  return new HttpProblem(
    answer.status,
    { ...describe(body), raw: body },
    {
      retryAfter: answer.header('retry-after'),
      challenge: answer.header('www-authenticate'),
    },
  );
}

function describe(body: string): { code: string; text: string } {
  const parsed = ErrorBody.safeParse(parseJson(body));
  if (parsed.success) {
    const { errors } = parsed.data;
    const lines = errors.map((error) => {
      // Details that are not words (the scopes of a 401) help nobody.
      const detail = typeof error.detail === 'string' ? ` ${oneLine(error.detail, 300)}` : '';
      return `${error.message ?? ''}${detail}`.trim();
    });
    return { code: errors[0]?.code ?? 'UNKNOWN', text: [...new Set(lines)].join('; ') };
  }
  const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1];
  return { code: '', text: oneLine(title ?? body.replace(/<[^>]*>/g, ' '), 200) };
}

function oneLine(text: string, limit: number): string {
  return excerpt(text.replace(/\s+/g, ' ').trim(), limit);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
