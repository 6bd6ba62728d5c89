import { expect, it } from 'vitest';
import { looksLikeKey, parseTrustedKeys } from '../../../../src/bundle/signature/trusted-keys.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6+0zwSv9Gb1Q1yqn0ufCao4bqHmX3rWUEzQU7EoxA0';
const names = (text: string): string[] => parseTrustedKeys(text, 'keys').map(({ name }) => name);

it('reads .pub lines, allowed_signers lines, comments and empty lines', () => {
  expect(names(`# ours\n\n${KEY} release@corp\n${KEY}\r\nrelease@corp ${KEY}\n`)).toEqual(['release@corp', '', 'release@corp']);
});

it('takes a key whose namespaces name ours, and passes over one for other uses', () => {
  expect(names(`a namespaces="git,deliver" ${KEY}\nb namespaces="git" ${KEY}\nc namespaces="del*" ${KEY}`)).toEqual(['a', 'c']);
});

it('reads time limits, in UTC and in the time of this machine', () => {
  const [key] = parseTrustedKeys(`a namespaces="deliver",valid-after="20260101Z",valid-before=20261231235959Z ${KEY}`, 'keys');
  expect(key).toMatchObject({ validAfter: Date.UTC(2026, 0, 1), validBefore: Date.UTC(2026, 11, 31, 23, 59, 59) });
  const [local] = parseTrustedKeys(`a valid-before="202601021530" ${KEY}`, 'keys');
  expect(local?.validBefore).toBe(new Date(2026, 0, 2, 15, 30).getTime());
});

it('refuses limits that it cannot read, and certificates, rather than passing over them', () => {
  for (const bad of ['2026', '20260231Z', 'tomorrow', '2026010125Z', ''])
    expect(() => parseTrustedKeys(`a valid-before="${bad}" ${KEY}`, 'keys')).toThrowWithCode(
      'E_SCHEMA',
      'keys:1 has a time limit',
    );
  expect(() => parseTrustedKeys(`a cert-authority ${KEY}`, 'keys')).toThrowWithCode('E_NOT_YET');
});

it('names every line that is no key', () => {
  expect(() => parseTrustedKeys(`${KEY}\nnonsense\nssh-ed25519 AAAA`, 'keys')).toThrowWithCode('E_SCHEMA', /keys:2[\s\S]*keys:3/);
  expect(() => parseTrustedKeys('', 'keys')).toThrowWithCode('E_SCHEMA', 'no key');
});

it('says so when it is given a private key', () => {
  expect(() => parseTrustedKeys('-----BEGIN OPENSSH PRIVATE KEY-----', 'id')).toThrowWithCode('E_SCHEMA', 'give the .pub file');
});

it('tells a key from the name of a file', () => {
  expect(looksLikeKey(KEY)).toBe(true);
  expect(looksLikeKey('~/.ssh/ssh-keys/release.pub')).toBe(false);
});
