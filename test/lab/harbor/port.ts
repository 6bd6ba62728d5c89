import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp } from 'node:net';
import { readFileSync } from 'node:fs';
import type { RequestListener, Server as HttpServer } from 'node:http';
import type { Server, Socket } from 'node:net';

const TLS_HANDSHAKE = 0x16;
const PLAIN_TO_TLS = 'The plain HTTP request was sent to HTTPS port';

export interface Port {
  readonly server: Server;
  close(): Promise<void>;
}

/** nginx has no limit on the length of a request, only on its silences. */
function patient<T extends HttpServer>(server: T): T {
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  return server;
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });

/** With TLS, a first byte that is no handshake gets nginx's 400 instead of a broken connection. */
export function openPort(tls: { cert: string; key: string } | null, listener: RequestListener): Port {
  if (tls === null) {
    const server = patient(createHttp(listener));
    return {
      server,
      close: () => {
        const done = closed(server);
        server.closeAllConnections();
        return done;
      },
    };
  }
  const sockets = new Set<Socket>();
  const secure = patient(createHttps({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, listener));
  const plain = createHttp((_req, res) => {
    res.writeHead(400, { 'Content-Type': 'text/html', Connection: 'close' });
    res.end(`<html>\r\n<head><title>400 ${PLAIN_TO_TLS}</title></head>\r\n</html>\r\n`);
  });
  const server = createTcp((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === TLS_HANDSHAKE ? secure : plain).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  return {
    server,
    close: () => {
      const done = closed(server);
      for (const socket of sockets) socket.destroy();
      return done;
    },
  };
}
