import { isMap, isScalar, parseDocument } from 'yaml';
import { z } from 'zod';
import type { Json } from '../core/canonical-json.ts';
import { DeliverError } from '../core/errors.ts';

const Fields = z.looseObject({
  name: z.string().min(1),
  version: z.string().min(1),
  dependencies: z.array(z.looseObject({ name: z.string(), version: z.string().optional() })).optional(),
});

/** What Chart.yaml says. */
export interface ChartYaml {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly { readonly name: string; readonly version?: string | undefined }[];
  /** The whole of it, as Helm stores it in the config of an OCI artifact. */
  readonly json: Readonly<Record<string, Json | undefined>>;
}

/** @param where the chart, for messages. @throws DeliverError E_CHART */
export function parseChartYaml(text: string, where: string): ChartYaml {
  // Helm reads YAML 1.1.
  const document = parseDocument(text, { version: '1.1', prettyErrors: false, strict: false });
  const [problem] = document.errors;
  if (problem !== undefined) throw badChart(where, `its Chart.yaml is not YAML: ${problem.message}`);
  const raw: unknown = document.toJS({ maxAliasCount: 100 });
  const json = raw !== null && typeof raw === 'object' ? { ...raw, ...versionsAsWritten(document.contents) } : raw;
  const fields = Fields.safeParse(json);
  if (!fields.success) {
    const issues = fields.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw badChart(where, `its Chart.yaml is malformed (${issues.join('; ')})`);
  }
  const { name, version, dependencies = [] } = fields.data;
  return { name, version, dependencies, json: json as ChartYaml['json'] };
}

/** `appVersion: 1.10` is 1.10, not the number 1.1. */
function versionsAsWritten(contents: unknown): Record<string, string> {
  if (!isMap(contents)) return {};
  const found = ['version', 'appVersion'].flatMap((key) => {
    const node = contents.get(key, true);
    return isScalar(node) && typeof node.value !== 'string' && node.source !== undefined ? [[key, node.source] as const] : [];
  });
  return Object.fromEntries(found);
}

export function badChart(where: string, why: string, fix?: string): DeliverError {
  return new DeliverError('E_CHART', {
    what: `The chart ${where} can’t be carried.`,
    why: `${why[0]?.toUpperCase() ?? ''}${why.slice(1)}.`,
    ...(fix === undefined ? {} : { fix }),
  });
}
