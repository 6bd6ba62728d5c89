import { writeWhole } from '../core/write-whole.ts';
import { outputError } from '../bundle/output-error.ts';
import type { Flow } from '../core/report.ts';
import { deepInspectFlow, type DeepInspection, type DeepInspectResult, type InspectionOutput } from '../flows/inspect-deep.ts';
import { sbomOf } from '../inspect/sbom.ts';
import { inspectPage } from './page/inspect-page.ts';

/** What `deliver inspect` is asked to write. */
export interface DeepInspectWish {
  readonly bundle: string;
  readonly html?: string | undefined;
  readonly sbom?: string | undefined;
  readonly since?: string | undefined;
  readonly packages: boolean;
}

/** A bill of materials is made of packages: they are looked for whatever else was said. */
export function composeDeepInspect({ bundle, html, sbom, since, packages }: DeepInspectWish): Flow<DeepInspectResult> {
  const input = {
    bundlePath: bundle,
    packages: packages || sbom !== undefined,
    ...(since === undefined ? {} : { sincePath: since }),
  };
  const outputs = [
    ...(html === undefined ? [] : [output('Page', html, (inspection) => [inspectPage(inspection)])]),
    ...(sbom === undefined ? [] : [output('SBOM', sbom, ({ summary, images }) => sbomOf({ ...summary, images }))]),
  ];
  return deepInspectFlow(input, outputs);
}

function output(title: string, path: string, make: (inspection: DeepInspection) => Iterable<string>): InspectionOutput {
  const write = async (inspection: DeepInspection): Promise<void> => {
    try {
      await writeWhole(path, encoded(make(inspection)));
    } catch (error) {
      throw outputError(path, error).with({ fix: 'Name a file in a folder that is there and has room.' });
    }
  };
  return { title, path, write };
}

/** Encoded some 64 KB at a time: thousands of small parts are neither kept nor copied one by one. */
function encoded(parts: Iterable<string>): Buffer {
  const done: Buffer[] = [];
  let text = '';
  for (const part of parts) {
    text += part;
    if (text.length < 64 * 1024) continue;
    done.push(Buffer.from(text));
    text = '';
  }
  return Buffer.concat([...done, Buffer.from(text)]);
}
