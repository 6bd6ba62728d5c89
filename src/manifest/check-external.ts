import { endpointProblem } from './ip-address.ts';
import { repeated, type Part } from './parts.ts';
import type { JsonPath, Problem } from './problem.ts';
import type { External } from './release-schema.ts';
import { variablesIn } from './variables.ts';

/** What no schema can say about an external: it becomes a Service and its endpoints. */
export function checkExternal({ path, value }: Part<External>): Problem[] {
  const { name, ports, addresses } = value;
  const at = (index: number, key: string): JsonPath => [...path, 'ports', index, key];
  const names = ports.flatMap((port, index) => (port.name === undefined ? [] : [{ path: at(index, 'name'), value: port.name }]));
  const numbers = ports.map(({ port, protocol = 'TCP' }, index) => ({
    path: at(index, 'port'),
    value: `${port}/${protocol}`,
  }));
  const unnamed = ports.length > 1 ? ports.flatMap((port, index) => (port.name === undefined ? [index] : [])) : [];
  return [
    ...(/^[0-9]/.test(name) ? [{ path: [...path, 'name'], message: 'must begin with a letter: its Service has that name' }] : []),
    ...repeated<string>([...names, ...numbers]).map((port) => ({
      path: port.path,
      message: `the port ${port.value} is here twice`,
    })),
    ...unnamed.map((index) => ({ path: at(index, 'name'), message: 'is missing: of several ports each needs a name' })),
    ...(typeof addresses === 'string' ? [] : addresses).flatMap(({ ip }, index) => {
      const message = variablesIn(ip).length > 0 ? undefined : endpointProblem(ip);
      return message === undefined ? [] : [{ path: [...path, 'addresses', index, 'ip'], message }];
    }),
  ];
}
