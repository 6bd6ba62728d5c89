import { describe, expect, it } from 'vitest';
import { HeadReader, parseHead } from '../../../src/registry/response-head.ts';

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

  it('is whole however it is cut into pieces, and passes on what follows it', () => {
    const text = 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n';
    const reader = new HeadReader();
    for (const sign of text.slice(0, -1)) expect(reader.add(Buffer.from(sign))).toBeUndefined();
    const found = reader.add(Buffer.from('\nabc'));
    expect([found?.head.status, found?.head.length, found?.rest.toString()]).toEqual([200, 3, 'abc']);
  });

  it('is given up when it has no end', () => {
    const reader = new HeadReader();
    expect(() => {
      for (let count = 0; count < 100; count++) reader.add(Buffer.alloc(1024, 'x'));
    }).toThrow('no end');
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
