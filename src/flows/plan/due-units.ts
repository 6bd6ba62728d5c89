import type { HostLook } from '../../site/host/apply.ts';
import type { HostTodo } from '../host-todo.ts';

/**
 * The same with a note for each unit that an install starts anew although nothing of it is written: a run that was cut off
 * had changed its files, and its process has not read them.
 */
export function withDueUnits(todo: HostTodo, look: HostLook): HostTodo {
  if (!('plan' in look) || look.plan.refused !== undefined) return todo;
  const { units, state } = look.plan;
  const notes = units.flatMap(({ name, wanted }): string[] => {
    const found = state.units.get(name);
    if (wanted === 'running' && found?.active === true && state.record.due.includes(name))
      return [`restart ${name}: a run that was cut off changed its files, and it still runs with the old ones`];
    return found?.stale === true ? [`systemctl daemon-reload: systemd has not read ${name} as it is now`] : [];
  });
  return notes.length === 0 ? todo : { ...todo, notes: [...todo.notes, ...notes] };
}
