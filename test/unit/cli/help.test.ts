import { expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/command-table.ts';
import { commandHelp, examplesOf, rootHelp, typed, usageOf, type CommandClass } from '../../../src/cli/help-text.ts';
import { widthOf } from '../../../src/cli/text.ts';

const commands: Readonly<Record<string, CommandClass>> = COMMANDS;

it('keeps the command tree: a renamed flag is seen in review', async () => {
  const tree = Object.entries(commands).map(([id, command]) => ({
    usage: usageOf(id, command),
    flags: Object.entries({ ...command.baseFlags, ...command.flags }).map(([name, flag]) =>
      [`--${name}`, flag.char === undefined ? '' : `-${flag.char}`, flag.type, flag.required === true ? 'required' : '']
        .filter((word) => word !== '')
        .join(' '),
    ),
  }));
  await expect(`${JSON.stringify(tree, null, 2)}\n`).toMatchFileSnapshot('command-tree.snap.json');
});

it.each(Object.entries(commands))('fits the help of %s into 80 columns, with an example', (id, command) => {
  expect(commandHelp(id, command).filter((line) => widthOf(line) > 80)).toEqual([]);
  expect(examplesOf(command).length).toBeGreaterThan(0);
});

it('lists every command in the order of a release’s life', () => {
  const lines = rootHelp(commands);
  const found = Object.keys(commands).map((id) => lines.findIndex((line) => line.startsWith(`  ${typed(id)} `)));
  expect(found).toEqual([...found].sort((a, b) => a - b));
  expect(Math.min(...found)).toBeGreaterThan(0);
  expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
});
