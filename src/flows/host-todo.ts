import type { HostLook } from '../site/host/apply.ts';
import type { HostItem } from '../site/host/item.ts';

/** What one step of an install would do on one host. */
export interface HostTodo {
  readonly host: string;
  /** Everything that should be true there, also what is. */
  readonly items: readonly HostItem[];
  /** Why nothing can be done there. */
  readonly problem?: string;
  /** What a person should know: a package of the distribution that is used as it is. */
  readonly notes: readonly string[];
}

/** What a look says is to be done. @param items those of the look when absent */
export function hostTodo(look: HostLook, items?: readonly HostItem[]): HostTodo {
  if ('error' in look) return { host: look.host, items: [], problem: look.error.facts.what, notes: [] };
  const { host, plan } = look;
  const { refused, notes } = plan;
  return {
    host,
    items: items ?? plan.items,
    ...(refused === undefined ? {} : { problem: `refused, ${refused.facts.why ?? refused.facts.what}` }),
    notes,
  };
}

/** What is still to be done there. */
export function openItems({ items }: HostTodo): readonly HostItem[] {
  return items.filter(({ done }) => !done);
}

/** True when an install would change that host, or stop at it. */
export function isOpen(todo: HostTodo): boolean {
  return todo.problem !== undefined || openItems(todo).length > 0;
}
