import type { IConfiguration } from 'dependency-cruiser';

// The arrows of docs/architecture.md: commands → cli, flows → nouns → ports → core.
// test/unit/house/layers.test.ts proves on test/fixtures/layers-violation that each rule can fail.

const NOUNS = '^src/(?:manifest|lock|bundle|bucket|apps|site|carry|cluster|registry|store|ssh|serve|inspect|receipt|inbox)/';
const PORTS = '^src/[^/]+/port\\.ts$';
const SCHEMAS = '^src/[^/]+/[^/]*schema\\.ts$';
const COMPOSE = '^src/cli/compose[^/]*\\.ts$';

/** Files that talk to the network or to hosts: whole folders but for their ports and what is pure thought … */
const ADAPTERS = [
  '^src/(?:registry|store|ssh)/',
  '^src/cluster/(?:kube-|kubeconfig|transport|tunnel|discovery)[^/]*\\.ts$',
  '^src/serve/(?:http-listener|send-answer)\\.ts$',
];
/** … namely these. */
const PURE = ['^src/registry/(?:site-repository|push-[^/]*|measure-push)\\.ts$', '^src/ssh/shell-[^/]*\\.ts$'];

type Paths = string | string[];

const inside = (path: Paths, pathNot: string[] = []): { path: Paths; pathNot: string[] } => ({ path, pathNot });

export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A circle has no lowest part that can be read alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'core-is-the-bottom',
      comment: 'core/ imports nothing of ours.',
      severity: 'error',
      from: inside('^src/core/'),
      to: inside('^src/', ['^src/core/']),
    },
    {
      name: 'ports-know-core-only',
      comment: 'A port says what the domain needs: core, other ports, and the shapes of the schemas.',
      severity: 'error',
      from: inside(PORTS),
      to: inside('^src/', ['^src/core/', PORTS, SCHEMAS]),
    },
    {
      name: 'nouns-below-verbs',
      comment: 'Nouns know neither flows nor the command line.',
      severity: 'error',
      from: inside(NOUNS),
      to: inside('^src/(?:flows|cli|commands)/'),
    },
    {
      name: 'flows-below-cli',
      comment: 'A flow reports through core/report.ts and never prints.',
      severity: 'error',
      from: inside('^src/flows/'),
      to: inside('^src/(?:cli|commands)/'),
    },
    {
      name: 'cli-below-commands',
      comment: 'Only the command table names commands.',
      severity: 'error',
      from: inside('^src/cli/', ['^src/cli/command-table\\.ts$']),
      to: inside('^src/commands/'),
    },
    {
      name: 'commands-stay-thin',
      comment: 'A command parses flags, calls one flow and prints: it needs cli, flows and core.',
      severity: 'error',
      from: inside('^src/commands/'),
      to: inside('^src/', ['^src/(?:cli|flows|core)/']),
    },
    {
      name: 'adapters-only-in-compose',
      comment: 'Only src/cli/compose*.ts names adapters; everyone else gets a port.',
      severity: 'error',
      from: inside('^src/', [COMPOSE, ...ADAPTERS]),
      to: inside(ADAPTERS, [PORTS, ...PURE]),
    },
    {
      name: 'screen-libraries-at-the-edge',
      comment: 'oclif and listr2 are what a person sees: cli/ and commands/ only.',
      severity: 'error',
      from: inside('^src/', ['^src/(?:cli|commands)/']),
      to: inside('node_modules/(?:@oclif|listr2)/'),
    },
    {
      name: 'cluster-library-in-its-adapter',
      severity: 'error',
      from: inside('^src/', ['^src/cluster/']),
      to: inside('node_modules/@kubernetes/'),
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      from: inside('^src/'),
      to: { couldNotResolve: true },
    },
    {
      name: 'no-test-code-in-src',
      severity: 'error',
      from: inside('^(?:src|bin)/'),
      to: inside('^(?:test|tools)/'),
    },
    {
      name: 'no-dev-dependency-in-src',
      comment: 'What runs on site is in dependencies.',
      severity: 'error',
      from: inside('^(?:src|bin)/'),
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
} satisfies IConfiguration;
