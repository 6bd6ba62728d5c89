import { expect, it } from 'vitest';
import { looksLikeKey, parseTrustedKeys } from '../../../src/bundle/trusted-keys.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6+0zwSv9Gb1Q1yqn0ufCao4bqHmX3rWUEzQU7EoxA0';
const names = (text: string): string[] => parseTrustedKeys(text, 'keys').map(({ name }) => name);

it('reads .pub lines, allowed_signers lines, comments and empty lines', () => {
  expect(names(`# ours\n\n${KEY} release@corp\n${KEY}\r\nrelease@corp ${KEY}\n`)).toEqual(['release@corp', '', 'release@corp']);
});

it('takes a key whose namespaces name ours, and passes over one for other uses', () => {
  expect(names(`a namespaces="git,deliver" ${KEY}\nb namespaces="git" ${KEY}\nc namespaces="del*" ${KEY}`)).toEqual(['a', 'c']);
});

it('refuses time limits and certificates rather than ignoring them', () => {
  expect(() => parseTrustedKeys(`a valid-before="20200101" ${KEY}`, 'keys')).toThrowWithCode('E_NOT_YET');
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
