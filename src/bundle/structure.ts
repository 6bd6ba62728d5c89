import { decodeTarHeader, isZeroBlock, TAR_BLOCK } from '../core/tar-header.ts';
import { readAt, type ByteSource } from './byte-source.ts';
import { END_SIZE, headerOf, type BundlePlan, type PlannedMember } from './plan.ts';
import { quoted, walkProblems } from './walk.ts';

/** What differs between a file and the plan of its lock. */
export interface StructureProblems {
  readonly problems: readonly string[];
  /** True when members are other than planned: a foreign or forged archive rather than a damaged one. */
  readonly foreign: boolean;
}

/** Content that is compared at once; of the rest, digests are checked when it is read. */
const COMPARED = new Set(['image layout', 'index', 'list of contents', 'empty config', 'signature', 'room for signatures']);

/**
 * Compares a file with the plan byte for byte: every header, all padding, the members that no digest pins, the end.
 * Links, devices, odd names, extensions, duplicates, overlaps and sizes that lie all fail here by being different.
 */
export async function compareStructure(source: ByteSource, plan: BundlePlan): Promise<StructureProblems> {
  const problems: string[] = [];
  let end = 0;
  for (const [at, member] of plan.members.entries()) {
    const gap = await readAt(source, end, member.offset - end);
    const header = gap.subarray(gap.length - TAR_BLOCK);
    if (gap.length < member.offset - end) return { problems: [...problems, ...truncated(source, plan, at)], foreign: false };
    if (!isZeroBlock(gap.subarray(0, -TAR_BLOCK)))
      problems.push(`the padding before byte ${String(member.headerOffset)} is not zero`);
    if (!header.equals(headerOf(member))) {
      const { problem, foreign } = judgeHeader(header, member);
      if (foreign) {
        const known = new Set(plan.members.map(({ name }) => name));
        const seen = plan.members.slice(0, at).map(({ name }) => name);
        const found = await walkProblems(source, { offset: member.headerOffset, known, seen });
        return { problems: [...problems, problem, ...found], foreign };
      }
      problems.push(problem);
    }
    if (member.content !== undefined && COMPARED.has(member.owners[0] ?? '')) {
      const content = await readAt(source, member.offset, member.size);
      if (!content.equals(member.content))
        problems.push(`${quoted(member.name)} (${member.owners[0] ?? ''}) is not what follows from the lock`);
    }
    end = member.offset + member.size;
  }
  return { problems: [...problems, ...(await compareEnd(source, plan, end))], foreign: false };
}

function judgeHeader(block: Uint8Array, expected: PlannedMember): { problem: string; foreign: boolean } {
  const at = String(expected.headerOffset);
  const header = decodeTarHeader(block);
  if ('problem' in header) {
    if (isZeroBlock(block))
      return {
        problem: `the archive ends at byte ${at}, before ${quoted(expected.name)} (${expected.owners[0] ?? ''})`,
        foreign: true,
      };
    return { problem: `the header of ${quoted(expected.name)} at byte ${at} is damaged: ${header.problem}`, foreign: false };
  }
  if (header.name !== expected.name)
    return { problem: `${quoted(header.name)} is at byte ${at}, where the lock puts ${quoted(expected.name)}`, foreign: true };
  if (header.size !== expected.size) {
    return {
      problem: `${quoted(header.name)} says ${String(header.size)} bytes, the lock says ${String(expected.size)}`,
      foreign: true,
    };
  }
  const foreign = header.type !== '0';
  return {
    problem: `the header of ${quoted(header.name)} at byte ${at} is not as deliver writes it (mode, owner, time or type)`,
    foreign,
  };
}

async function compareEnd(source: ByteSource, plan: BundlePlan, end: number): Promise<readonly string[]> {
  const rest = await readAt(source, end, plan.size - end);
  if (rest.length < plan.size - end) return [`the file ends at byte ${String(source.size)} of ${String(plan.size)}`];
  const problems = isZeroBlock(rest) ? [] : [`the last ${String(END_SIZE)} bytes or the padding before them are not zero`];
  const trailing = source.size - plan.size;
  return trailing > 0
    ? [...problems, `${String(trailing)} bytes follow the end of the archive at byte ${String(plan.size)}`]
    : problems;
}

function truncated(source: ByteSource, plan: BundlePlan, from: number): readonly string[] {
  const lost = plan.members.length - from;
  const first = plan.members[from];
  return [
    `the file ends at byte ${String(source.size)} of ${String(plan.size)}: ${String(lost)} members are missing, from ${first?.owners[0] ?? ''} on`,
  ];
}
