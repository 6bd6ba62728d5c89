const BEGIN = '# deliver: begin, changes up to the end mark are overwritten';
const END = '# deliver: end';

/** A hosts file with these lines as deliver's block, at the place where the block was; without a block when there are none. */
export function hostsFileWith(content: string, lines: readonly string[]): string {
  const all = content.split('\n');
  const begin = all.indexOf(BEGIN);
  const end = all.indexOf(END, begin);
  const block = lines.length === 0 ? [] : [BEGIN, ...lines, END];
  if (begin >= 0 && end > begin) return [...all.slice(0, begin), ...block, ...all.slice(end + 1)].join('\n');
  if (block.length === 0) return content;
  const before = content === '' || content.endsWith('\n') ? content : `${content}\n`;
  return `${before}${block.join('\n')}\n`;
}
