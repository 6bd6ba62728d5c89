import type { ErrorCode } from '../core/error-codes.ts';

/** What a code means in general, and what helps when the error itself says nothing better. `docs/errors.md` is made of these. */
export interface ErrorText {
  readonly meaning: string;
  readonly fix: string;
}

export const ERROR_TEXT: Readonly<Record<ErrorCode, ErrorText>> = {
  E_USAGE: { meaning: 'The command line is not one that deliver knows.', fix: 'See deliver --help, or deliver COMMAND --help.' },
  E_NOT_YET: {
    meaning:
      'The release or site asks for something that this version of deliver can’t do yet. It is refused, never skipped in silence.',
    fix: 'Leave that part out of the file, or use a later version of deliver.',
  },
  E_NEEDS_CONSENT: {
    meaning: 'The command would change a site and nobody is at a terminal to agree.',
    fix: 'Look at deliver plan first, then run the command again with --yes.',
  },

  E_FILE_NOT_FOUND: {
    meaning: 'A file that was named is not there.',
    fix: 'Check the path; relative paths start at the file that names them.',
  },
  E_FILE_UNREADABLE: { meaning: 'A file is there but can’t be read or written.', fix: 'Check its owner and permissions.' },
  E_YAML: { meaning: 'A file is not YAML that deliver reads.', fix: 'Correct the line that is named.' },
  E_SCHEMA: {
    meaning: 'A release, site or lock file has unknown or malformed fields; each is listed with file, line and column.',
    fix: 'Correct the lines that are named; docs/schema/ has the JSON Schemas for editors.',
  },
  E_REFERENCE: {
    meaning: 'A text is not an image reference or digest.',
    fix: 'Write it as host/path:tag or host/path@sha256:….',
  },
  E_VARIABLE: {
    meaning: 'A ${variable} has no value.',
    fix: 'Give it a value under versions: in the release, or in the site file.',
  },
  E_SECRET_MISSING: {
    meaning: 'A ${secret.name} has no value.',
    fix: 'Set it in the site’s secrets file or in the environment as DELIVER_SECRET_<NAME>.',
  },
  E_GRAPH: {
    meaning: 'dependsOn: names something unknown, or goes in a circle.',
    fix: 'Correct the dependsOn: lists that are named.',
  },
  E_PLATFORM: {
    meaning: 'An image is not there for a platform that the release wants.',
    fix: 'Change platforms:, or use an image that has it.',
  },
  E_IMAGE_FORMAT: {
    meaning: 'An image is of a form that can’t be carried: schema 1, layers elsewhere, or not an image at all.',
    fix: 'Build or copy the image anew in OCI or Docker v2 schema 2 form.',
  },
  E_ARCHIVE: {
    meaning:
      'An image archive or layout can’t be used: not one, cut off, compressed, incomplete, or without the image asked for.',
    fix: 'Correct sources.images in the release, or make the archive again.',
  },
  E_CHART: { meaning: 'A chart can’t be read or used.', fix: 'Check the chart: helm lint, helm template.' },
  E_COMPONENT: {
    meaning: 'What kubeadm of the release needs can’t be found out.',
    fix: 'Resolve on a machine of one of the release’s platforms, and commit the lock.',
  },
  E_SKEW: {
    meaning: 'Versions of components do not go together, by the rules of their projects.',
    fix: 'Take the versions that the message names.',
  },
  E_NOT_CLOSED: {
    meaning: 'A workload of the release would need an image or file on site that the lock lacks.',
    fix: 'Add what is named to the release, then run deliver resolve again.',
  },
  E_LOCK_STALE: { meaning: 'The release changed since its lock was written.', fix: 'Run deliver resolve on the release again.' },
  E_LOCK_MISSING: { meaning: 'The release has no lock yet.', fix: 'Run deliver resolve on the release.' },
  E_SIGN_KEY: {
    meaning: 'The key can’t be used to sign: missing, of another kind than ed25519, or its passphrase is wrong.',
    fix: 'Use an OpenSSH ed25519 key: ssh-keygen -t ed25519 -f release-key.',
  },
  E_KUBECONFIG: { meaning: 'The kubeconfig is missing or of no use.', fix: 'Check cluster: in the site file.' },
  E_OUTPUT: { meaning: 'The output can’t be written where it was asked for.', fix: 'Check the path given with --output.' },
  E_DISK_FULL: {
    meaning: 'The disk that is written to is full.',
    fix: 'Free space, then run the same command again: it goes on.',
  },
  E_LISTEN: {
    meaning: 'An address can’t be listened on, or the TLS certificate and key can’t be used for it.',
    fix: 'Give another address with --listen, or a certificate and key that belong together.',
  },
  E_RESEND_CODE: {
    meaning: 'A resend code is mistyped, or belongs to another carry set. Its checksum catches both.',
    fix: 'Have the code read again as deliver verify shows it, group by group.',
  },

  E_DIGEST: {
    meaning: 'Bytes don’t have the sha256 digest that was promised. They are never used.',
    fix: 'Get the file or image again from its source; if it stays so, its content was replaced there.',
  },
  E_SIZE: {
    meaning: 'There are more or fewer bytes than were promised. They are never used.',
    fix: 'Get the file or image again from its source.',
  },
  E_BUNDLE: {
    meaning: 'The file is not a bundle, or its structure is not what a bundle may have.',
    fix: 'Copy the bundle again from where it was packed.',
  },
  E_BUNDLE_DAMAGED: {
    meaning: 'Parts of the bundle are damaged; each is listed.',
    fix: 'Copy the bundle again, then run deliver verify.',
  },
  E_CARRY: {
    meaning: 'A folder is not a carry set: its carry manifest is missing or of no use, or there are several.',
    fix: 'Copy the carry manifest again: <bundle>.carry.json and <bundle>.carry.end.json are the same.',
  },
  E_CARRY_DAMAGED: {
    meaning: 'Volumes of a carry set are damaged or missing.',
    fix: 'deliver verify FOLDER says what can be mended and what has to come again; deliver repair FOLDER mends.',
  },
  E_RECEIPT: {
    meaning: 'A receipt was changed, mistyped, or does not follow the one before it.',
    fix: 'Do not use it. Ask the site for it again, and for those that are missing.',
  },
  E_UNSIGNED: {
    meaning: 'The bundle carries no signature.',
    fix: 'Ask for a bundle packed with --sign-key. If you accept it as it is: --allow-unsigned.',
  },
  E_UNTRUSTED: {
    meaning: 'The bundle is signed, but by no key that you trust.',
    fix: 'If the signer is right, add the public key under trust: in the site file, or give it with --trust.',
  },
  E_EXPIRED: {
    meaning: 'The signature is good, but its key is outside its time limits by the clock of this machine.',
    fix: 'Check the clock of this machine (date -u). If it is right, ask for a signature by a current key.',
  },
  E_SIGNATURE: {
    meaning: 'The signature does not fit the bundle: one of the two was changed.',
    fix: 'Do not install it. Ask the packager.',
  },
  E_HOST_KEY: {
    meaning: 'A host showed another SSH key than the one that is known, or is not known at all.',
    fix: 'Compare the fingerprint with the host’s owner, then set hostKey: in the site file or update known_hosts.',
  },

  E_SOURCE: {
    meaning: 'A registry or server on the connected side failed or can’t be reached.',
    fix: 'Check the network and sources: in the release, then run the command again.',
  },
  E_SOURCE_AUTH: {
    meaning: 'A registry or server on the connected side refused the account, or asks for one.',
    fix: 'Log in again (docker login HOST for a registry, ~/.netrc for a web server), then run the command again.',
  },
  E_SOURCE_NOT_FOUND: { meaning: 'An image, chart or file is not at its source.', fix: 'Check the name and the version or tag.' },
  E_STORE: {
    meaning: 'An S3 store failed, can’t be reached, or gave something else than was expected.',
    fix: 'Check the endpoint and the network, then run the same command again: it goes on where it stopped.',
  },
  E_STORE_AUTH: {
    meaning: 'An S3 store refused the account, or no account was found.',
    fix: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and check what the account may do.',
  },
  E_STORE_NOT_FOUND: { meaning: 'A bucket or an object of an S3 store is not there.', fix: 'Check the s3:// address.' },
  E_REGISTRY: {
    meaning: 'The site’s registry failed or can’t be reached.',
    fix: 'When it is well again, run the same command: nothing that arrived is sent twice.',
  },
  E_REGISTRY_AUTH: {
    meaning: 'The site’s registry refused the account.',
    fix: 'Check registry.username and registry.password, and what the account may do.',
  },
  E_REGISTRY_QUOTA: {
    meaning: 'The quota of a Harbor project is used up.',
    fix: 'Raise the project’s quota in Harbor, then run the same command again.',
  },
  E_REGISTRY_FULL: {
    meaning: 'The disk of the registry is full.',
    fix: 'Free space on the registry host, then run the same command again.',
  },
  E_REGISTRY_IMMUTABLE: {
    meaning: 'A tag is immutable in Harbor and points to something else.',
    fix: 'Ship a new tag, or change the project’s immutability rule.',
  },
  E_REGISTRY_READ_ONLY: {
    meaning: 'The registry is in read-only mode.',
    fix: 'End the read-only mode in Harbor, then run the same command again.',
  },
  E_HARBOR: {
    meaning: 'Harbor’s API answered with an error.',
    fix: 'Look at Harbor’s core log, then run the same command again.',
  },
  E_SSH: {
    meaning: 'A host can’t be reached over SSH, or the connection broke.',
    fix: 'Check address, port and via: of the host in the site file.',
  },
  E_SSH_AUTH: {
    meaning: 'A host refused the key or password.',
    fix: 'Check user, key and password of the host in the site file.',
  },
  E_SUDO: { meaning: 'sudo on a host refused.', fix: 'Check sudo and sudoPassword of the host in the site file.' },
  E_HOST: { meaning: 'A command on a host failed.', fix: 'Look at the host; then run the same command again.' },
  E_CLUSTER: {
    meaning: 'The Kubernetes API failed or can’t be reached.',
    fix: 'When it is well again, run the same command: it goes on.',
  },
  E_CLUSTER_AUTH: {
    meaning: 'The Kubernetes API refused the account.',
    fix: 'Check the kubeconfig and what its account may do.',
  },
  E_APPLY: { meaning: 'The API server refused an object.', fix: 'Correct the app in the release; the field is named above.' },
  E_CONFLICT: {
    meaning: 'Somebody else owns a field that deliver would set, or another release an object.',
    fix: 'Agree who owns it; then remove it there or from the release.',
  },
  E_IMAGE_PULL: {
    meaning: 'A node can’t pull an image.',
    fix: 'Run deliver plan: it checks mirrors and accounts of every node.',
  },
  E_NOT_READY: {
    meaning: 'An app did not become ready in its time.',
    fix: 'Look at the pod’s log and events; then run the same command again.',
  },

  E_PREFLIGHT: {
    meaning: 'A check before the install failed. Nothing was changed.',
    fix: 'Mend what is listed, then run the same command again.',
  },
  E_BASE_MISSING: {
    meaning: 'The bundle is a delta, and the site lacks what its base should have brought. Nothing was changed.',
    fix: 'Install the base first, or carry the bundle of the whole release.',
  },
  E_SITE_BUSY: {
    meaning: 'Another deliver works on this site; two at once would undo each other’s work.',
    fix: 'Wait until it is done. A lock whose holder died is taken over by itself within half a minute.',
  },
  E_NOTHING_INSTALLED: {
    meaning: 'A receipt was asked for, but the site has no release that is wholly installed.',
    fix: 'Finish the install; deliver status shows what is there.',
  },
  E_BUG: {
    meaning: 'deliver broke.',
    fix: 'Please report it with the output of the same command and DEBUG=deliver.',
  },
  E_INTERRUPTED: {
    meaning: 'The person or the system asked deliver to stop.',
    fix: 'Run the same command again: it goes on where it stopped.',
  },
};
