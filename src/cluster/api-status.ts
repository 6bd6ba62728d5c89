import { z } from 'zod';

const StatusSchema = z.object({
  kind: z.literal('Status'),
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z
    .object({
      causes: z
        .array(z.object({ reason: z.string().optional(), message: z.string().optional(), field: z.string().optional() }))
        .optional(),
    })
    .optional(),
});

export interface ApiCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/**
 * True for a refusal that the API server reports as its own failure: server-side apply answers 500 to a field that the
 * schema does not have (seen on 1.34), and asking again would not help.
 */
export function isBadPatch(body: unknown): boolean {
  return (StatusSchema.safeParse(body).data?.message ?? '').startsWith('failed to create typed patch object');
}

/** An answer of the API server that is not a success: meta/v1 Status, or whatever stood in its place. */
export class ApiStatus extends Error {
  /** HTTP status. */
  readonly status: number;
  /** `Forbidden`, `Conflict`, `Invalid` … */
  readonly reason: string;
  readonly causes: readonly ApiCause[];

  /** The object itself is at fault, whatever the HTTP status. */
  readonly badPatch: boolean;

  constructor(status: number, body: unknown) {
    const parsed = StatusSchema.safeParse(body);
    const text = typeof body === 'string' ? body.trim().slice(0, 300) : '';
    super(parsed.data?.message ?? (text === '' ? `HTTP ${String(status)}` : text));
    this.name = 'ApiStatus';
    this.status = status;
    this.badPatch = isBadPatch(body);
    this.reason = parsed.data?.reason ?? '';
    this.causes = (parsed.data?.details?.causes ?? []).map((cause) => ({
      reason: cause.reason ?? '',
      message: cause.message ?? '',
      field: cause.field ?? '',
    }));
  }
}
