/** Is a certificate of the cluster's own authority still good? Judged by what a look at a node has brought. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { certificateRenewalMs } from '../cluster/layout.ts';

/** Signed by this authority, for this name, and good for 60 days or more. A text that is no certificate is not good. */
export function isGoodCertificate(pem: string, authority: string, name: string): boolean {
  try {
    const certificate = new X509Certificate(pem);
    const covered = isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name);
    return (
      covered !== undefined &&
      Date.parse(certificate.validTo) - Date.now() > certificateRenewalMs &&
      certificate.verify(new X509Certificate(authority).publicKey)
    );
  } catch {
    return false;
  }
}
