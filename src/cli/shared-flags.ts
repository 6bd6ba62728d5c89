import { Args, Flags } from '@oclif/core';

/** Arguments and flags that several verbs share, so that they read the same everywhere. */
export const releaseArg = Args.string({ required: true, description: 'release manifest (YAML)' });
export const bundleArg = Args.string({ required: true, description: 'bundle file (.tar), or folder with its volumes' });

export const siteFlag = Flags.string({ required: true, helpValue: 'FILE', description: 'site file (YAML)' });

export const allowUnsignedFlag = Flags.boolean({
  description: 'accept a bundle without a signature; a wrong signature is refused all the same',
});

export const trustFlag = Flags.string({
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'KEY.pub',
  description: 'file of a public key, allowed_signers or cosign.pub whose signature counts; may be given several times',
});

export const thresholdFlag = Flags.integer({
  min: 1,
  default: 1,
  helpValue: 'N',
  description: 'how many different keys of --trust must have signed',
});
