import { z } from 'zod';

/** RFC 1123 label: names of Kubernetes objects, apps, hosts. */
export const Label = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower-case letters, digits and “-”')
  .meta({ id: 'Label' });

/** A host's name, as its node is called too: labels joined by dots (RFC 1123 subdomain). */
export const HostName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, 'must be lower-case letters, digits, “-” and “.”');

/** `${secret.name}`; a literal password in the file is refused with that advice. */
export const SecretVariable = z
  .string()
  .regex(/^\$\{secret\.[A-Za-z0-9_.-]+\}$/, 'must be ${secret.name}; passwords do not belong in this file');

/** A path on a host. */
export const HostPath = z.string().regex(/^\/(?!.*(^|\/)\.\.(\/|$))/, 'must be an absolute path without “..”');

/** A release name or version as it appears in a file name. */
export const FileWord = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be letters, digits, “.”, “_” and “-”');

/** Lower-case release name: part of a file name and of an OCI name. */
export const ReleaseName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'must be lower-case letters and digits joined by “.”, “_” or “-”');

/** A file's name in the bundle: one component of an OCI ref.name (image-spec annotations.md). */
export const RefWord = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/, 'must be letters and digits joined by “.”, “_” or “-”');

export const Port = z.int().min(1).max(65535);
export const PortName = z
  .string()
  .max(15)
  .regex(
    /^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    'must be lower-case letters, digits and single “-”, with one letter at least',
  );

/** `linux/amd64`, `linux/arm64/v8`. */
export const PlatformText = z.string().regex(/^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?$/, 'must look like linux/amd64');

/** A string that is wholly one variable, filled in later: `${site.storageClass}`. */
export const Variable = z.string().regex(/^\$\{[^}]+\}$/, 'must be one ${variable}');

export const StringMap = z.record(z.string(), z.string());

/** Kubernetes quantity: `500m`, `4Gi`, `2`. */
export const Quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$/, 'must be a quantity like 500m or 4Gi');
