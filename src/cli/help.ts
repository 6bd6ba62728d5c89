import { HelpBase } from '@oclif/core';
import { COMMANDS } from './command-table.ts';
import { commandHelp, rootHelp, type CommandClass } from './help-text.ts';
import { outputTo } from './output.ts';

/** What oclif calls for --help. */
export default class Help extends HelpBase {
  override async showHelp(argv: string[]): Promise<void> {
    const commands: Readonly<Record<string, CommandClass>> = COMMANDS;
    const [word = '', next = ''] = argv.filter((given) => !given.startsWith('-'));
    const id = Object.hasOwn(commands, `${word}:${next}`) ? `${word}:${next}` : word;
    const command = Object.hasOwn(commands, id) ? commands[id] : undefined;
    const output = outputTo(process.stdout);
    const lines = command === undefined ? rootHelp(commands, output.width) : commandHelp(id, command, output.width);
    for (const line of lines) output.line(line);
  }

  override async showCommandHelp(command: { id: string }): Promise<void> {
    await this.showHelp([command.id]);
  }
}
