import type { RegistryOptions } from './options.ts';

/** Token scope of a repository: one token serves all that is done there. */
export function scopeOf(repository: string, role: RegistryOptions['role']): string {
  return `repository:${repository}:${role === 'source' ? 'pull' : 'pull,push'}`;
}
