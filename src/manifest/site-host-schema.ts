import { z } from 'zod';
import { HostName, Port, SecretVariable, StringMap } from './fields.ts';

const Taint = z.strictObject({
  key: z.string().min(1),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

export const SiteHostSchema = z.strictObject({
  name: HostName,
  address: z.string().min(1).describe('Address that deliver connects to'),
  internalAddress: z.string().min(1).optional().describe('Address that the hosts reach each other by; address when absent'),
  arch: z.enum(['amd64', 'arm64']).optional().describe('Checked against what the host says'),
  labels: StringMap.optional().describe('Labels of its node'),
  taints: z.array(Taint).optional().describe('Taints of its node'),
  port: Port.optional().describe('SSH port, 22 when absent'),
  user: z.string().min(1).optional(),
  key: z.string().optional().describe('Private key file; ~ is the home directory'),
  passphrase: SecretVariable.optional().describe('Passphrase of the private key'),
  password: SecretVariable.optional(),
  sudo: z.boolean().optional().describe('Use sudo; its password is sudoPassword, else password'),
  sudoPassword: SecretVariable.optional(),
  via: HostName.optional().describe('Name of the host to jump through'),
  hostKey: z.string().optional().describe('Pinned host key: “ssh-ed25519 AAAA…”; without it known_hosts decides'),
});
