import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../src/ssh/credentials.ts';
import { createLogin, type Login } from '../../../src/ssh/login.ts';

const KEY: Attempt = { label: 'key', method: { type: 'publickey', username: 'ops', key: 'k' } };
const AGENT: Attempt = { label: 'agent', method: { type: 'agent', username: 'ops', agent: '/s' } };
const PASSWORD: Attempt = { label: 'password', method: { type: 'password', username: 'ops', password: 'p' } };

const login = (): Login =>
  createLogin({ name: 'a', address: 'a', user: 'ops' }, { attempts: [KEY, AGENT, PASSWORD], skipped: [] });

describe('login', () => {
  it('asks what the host takes, then tries key, agent and password in this order, each once', () => {
    const course = login();
    expect(course.next(null)).toEqual({ type: 'none', username: 'ops' });
    const all = ['publickey', 'password'] as ('publickey' | 'password')[];
    expect([course.next(all), course.next(all), course.next(all), course.next(all)]).toEqual([
      KEY.method,
      AGENT.method,
      PASSWORD.method,
      false,
    ]);
    expect(course.tried).toEqual(['key', 'agent', 'password']);
  });

  it('does not offer what the host does not take', () => {
    const course = login();
    course.next(null);
    expect(course.next(['password'])).toEqual(PASSWORD.method);
    expect(course.next(['password'])).toBe(false);
    expect(course.tried).toEqual(['password']);
  });

  it('brings the key after the password where the host wants both in that order', () => {
    const course = login();
    course.next(null);
    expect(course.next(['password'])).toEqual(PASSWORD.method);
    expect(course.next(['publickey'])).toEqual(KEY.method);
  });
});
