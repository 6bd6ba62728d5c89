import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** TLS that trusts Node's CAs, the machine's, and a private one if there is any. @param ca PEM */
export function trustedContext(ca: string | undefined): SecureContext {
  const machine = [...getCACertificates('default'), ...getCACertificates('system')];
  return createSecureContext({ ca: ca === undefined ? machine : [...machine, ca] });
}
