import type { z } from 'zod';
import { DeliverError, messageOf } from '../../core/errors.ts';
import { badArchive } from './archive-error.ts';
import { readSmall, type LocalContent } from './content.ts';

/** As for manifests of a registry. */
export const MAX_JSON = 16 * 1024 * 1024;

/** A file of the archive that is JSON, undefined when there is none. @throws DeliverError E_ARCHIVE */
export async function readJsonFile<T>(content: LocalContent, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const bytes = await readSmall(content, name, MAX_JSON);
    if (bytes === undefined) return undefined;
    const parsed = schema.safeParse(JSON.parse(bytes.toString('utf8')));
    if (parsed.success) return parsed.data;
    const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw badArchive(content.where, `its ${name} is malformed (${issues.slice(0, 3).join('; ')})`);
  } catch (error) {
    if (error instanceof DeliverError) throw error;
    throw badArchive(content.where, `its ${name} can’t be read: ${messageOf(error)}`);
  }
}
