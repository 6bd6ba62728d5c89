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

/** An answer of the API server that is not a success: meta/v1 Status, or whatever stood in its place. */
export class ApiStatus extends Error {
  /** HTTP status. */
  readonly status: number;
  /** `Forbidden`, `Conflict`, `Invalid` … */
  readonly reason: string;
  readonly causes: readonly ApiCause[];

  constructor(status: number, body: unknown) {
    const parsed = StatusSchema.safeParse(body);
    const text = typeof body === 'string' ? body.trim().slice(0, 300) : '';
    super(parsed.data?.message ?? (text === '' ? `HTTP ${String(status)}` : text));
    this.name = 'ApiStatus';
    this.status = status;
    this.reason = parsed.data?.reason ?? '';
    this.causes = (parsed.data?.details?.causes ?? []).map((cause) => ({
      reason: cause.reason ?? '',
      message: cause.message ?? '',
      field: cause.field ?? '',
    }));
  }
}
