import type { ErrorCode } from '../../core/error-codes.ts';
import { byPosition, pathText, type JsonPath, type PositionOf, type Problem } from '../problem.ts';
import { valueAt, type Raw } from '../raw.ts';

/** What is to be said about the fields of a KubeKey file: refused by name, or taken with a word about it. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly #notes: { readonly path: JsonPath; readonly message: string }[] = [];

  /** A mistake in the file. */
  problem(path: JsonPath, message: string, code?: ErrorCode): void {
    this.problems.push({ path, message, ...(code === undefined ? {} : { code }) });
  }

  note(path: JsonPath, message: string): void {
    this.#notes.push({ path, message });
  }

  /** The notes as `file:line:col  path: message`, in file order. */
  noteLines(positionOf: PositionOf): string[] {
    return this.#notes.map(({ path, message }) => `${positionOf(path)}  ${pathText(path)}: ${message}`).sort(byPosition);
  }
}

/** A field that deliver has no place for. */
export interface FieldRule {
  /** Below `spec`. */
  readonly field: string;
  /** Values that ask for what deliver does anyway. */
  readonly fine?: readonly unknown[];
  /** Options of another program, of which false and 0 may be more than “not set”: any that is written counts. */
  readonly isFree?: boolean;
  readonly why: string;
}

/** Refuses every field that is set and that deliver can't honour. */
export function refuseFields(raw: Raw, rules: readonly FieldRule[], findings: Findings): void {
  forEachSet(raw, rules, (path, why) => {
    findings.problem(path, `is not supported: ${why}`, 'E_NOT_YET');
  });
}

/** Notes every field that is set and makes no difference to deliver. */
export function noteFields(raw: Raw, rules: readonly FieldRule[], findings: Findings): void {
  forEachSet(raw, rules, (path, why) => {
    findings.note(path, why);
  });
}

function forEachSet(raw: Raw, rules: readonly FieldRule[], tell: (path: JsonPath, why: string) => void): void {
  for (const { field, fine = [], isFree = false, why } of rules) {
    const path = ['spec', ...field.split('.')];
    const value = valueAt(raw, path);
    const unset = isFree ? isEmpty(value) : isUnset(value);
    if (!unset && !fine.includes(value)) tell(path, why);
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (value !== null && typeof value === 'object' && Object.values(value).every(isEmpty));
}

/** True for what KubeKey takes as “not set”: Go's zero values, `enabled: false`, and whatever holds nothing else. */
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.values(value).every(isUnset);
}
