import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askSecret, confirm, consent } from '../../../src/cli/prompt.ts';

/** A terminal that nobody sits at: what is typed comes from the test, what is shown is kept. */
function terminal(isTTY = true): {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  type: (text: string) => void;
  shown: () => string;
} {
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode: () => input });
  const output = Object.assign(new PassThrough(), { isTTY });
  let shown = '';
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  return {
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
    type: (text) => input.write(text),
    shown: () => shown,
  };
}

describe('a secret', () => {
  it('is not shown while it is typed', async () => {
    const tty = terminal();
    const answer = askSecret('Passphrase: ', tty);
    tty.type('sesame\r');
    expect((await answer).reveal()).toBe('sesame');
    expect(tty.shown()).toContain('Passphrase: ');
    expect(tty.shown()).not.toContain('sesame');
  });

  it('is given up with Ctrl-C', async () => {
    const tty = terminal();
    const answer = askSecret('Passphrase: ', tty);
    tty.type('ses\u0003');
    await expect(answer).rejects.toThrowWithCode('E_INTERRUPTED');
  });
});

describe('consent', () => {
  it.each([
    ['y', true],
    ['yes', true],
    ['', false],
    ['n', false],
    ['yellow', false],
  ])('answers %j with %s', async (typed, expected) => {
    const tty = terminal();
    const answer = confirm('Go on?', tty);
    tty.type(`${typed}\r`);
    expect(await answer).toBe(expected);
  });

  it('is not asked for with --yes', async () => {
    const tty = terminal();
    await consent('Go on?', true, tty);
    expect(tty.shown()).toBe('');
  });

  it('is refused where nobody can be asked', async () => {
    await expect(consent('Go on?', false, terminal(false))).rejects.toThrowWithCode('E_NEEDS_CONSENT', '--yes');
  });

  it('changes nothing when the answer is no', async () => {
    const tty = terminal();
    const answer = consent('Go on?', false, tty);
    tty.type('no\r');
    await expect(answer).rejects.toThrowWithCode('E_INTERRUPTED', 'Nothing was changed.');
  });
});
