import { describe, expect, it } from 'vitest';
import { parseHead } from '../../../src/registry/response-head.ts';

describe('the head of an HTTP answer', () => {
  it('gives status, headers whatever their case, and the length of the body', () => {
    const head = parseHead('HTTP/1.1 206 Partial Content\r\ncontent-LENGTH: 12 \r\nWarning: a\r\nwarning: b');
    expect(head.status).toBe(206);
    expect(head.length).toBe(12);
    expect(head.headers.get('warning')).toBe('a, b');
    expect(head.headers.get('etag')).toBeUndefined();
  });

  it.each([
    ['chunks', 'Transfer-Encoding: chunked'],
    ['chunks, whatever length it claims too', 'Content-Length: 3\r\nTransfer-Encoding: chunked'],
    ['the end of the connection', 'Server: x'],
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 4'],
    ['a length that is no number', 'Content-Length: 3x'],
  ])('leaves a body that is framed by %s to the HTTP library', (_how, headers) => {
    expect(parseHead(`HTTP/1.1 200 OK\r\n${headers}`).length).toBeUndefined();
  });

  it('knows which answers have no body', () => {
    expect(parseHead('HTTP/1.1 204 No Content').length).toBe(0);
  });

  it.each(['SSH-2.0-OpenSSH_9.2', 'HTTP/1.1 999 x', 'HTTP/2 200', 'HTTP/1.1 200 OK\r\nfolded\r\n value', ''])(
    'refuses what is no HTTP/1: %j',
    (text) => {
      expect(() => parseHead(text)).toThrow('not HTTP/1.1');
    },
  );
});
