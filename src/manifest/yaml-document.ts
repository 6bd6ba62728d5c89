import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair } from 'yaml';
import { DeliverError, messageOf } from '../core/errors.ts';
import { NOTHING_WRITTEN, type JsonPath, type PositionOf } from './problem.ts';

/** More aliases than this is a bomb, not a manifest. */
const MAX_ALIASES = 100;

export interface YamlDocument {
  readonly value: unknown;
  readonly positionOf: PositionOf;
}

export interface YamlOptions {
  /** Every scalar is text, as written (for secrets, where `0123` must stay `0123`). */
  readonly textOnly?: boolean;
  /** Don't repeat the parser's words: they may quote the content. */
  readonly confidential?: boolean;
}

/**
 * One YAML 1.2 document with a position for everything in it.
 * @param file how the file is named in messages
 * @throws DeliverError E_YAML with every syntax error as `file:line:col  message`
 */
export function parseYaml(file: string, text: string, options: YamlOptions = {}): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: options.textOnly === true ? 'failsafe' : 'core',
    uniqueKeys: true,
    strict: true,
    prettyErrors: false,
    lineCounter: lines,
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${String(Math.max(1, line))}:${String(Math.max(1, col))}`;
  };
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) {
    throw new DeliverError('E_YAML', {
      what: `${file} is not valid YAML.`,
      details: wrong.map(
        (error) =>
          `${at(error.pos[0])}  ${ownWording(error) ?? (options.confidential === true ? 'not valid YAML here' : error.message)}`,
      ),
      ...(options.confidential === true && wrong.some((error) => ownWording(error) === undefined)
        ? { fix: 'Put the value in single quotes.' }
        : {}),
      state: NOTHING_WRITTEN,
    });
  }
  return { value: toValue(file, document, options), positionOf: (path) => at(offsetOf(document, path)) };
}

/** What we say ourselves, without a word of the file. */
function ownWording(error: { code: string }): string | undefined {
  if (error.code === 'MULTIPLE_DOCS') return 'a second document starts here; this file holds one';
  if (error.code === 'DUPLICATE_KEY') return 'this key is here twice';
  if (error.code === 'TAB_AS_INDENT') return 'a tab is used to indent; YAML wants spaces';
  return undefined;
}

function toValue(file: string, document: Document, options: YamlOptions): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    refuseCircle(value, new Set());
    return value;
  } catch (cause) {
    const why = options.confidential === true ? 'An alias can’t be followed.' : messageOf(cause);
    throw new DeliverError('E_YAML', {
      what: `${file} is not valid YAML.`,
      why,
      ...(options.confidential === true ? {} : { cause }),
    });
  }
}

/** An anchor that holds an alias of itself has no end. */
function refuseCircle(value: unknown, above: Set<object>): void {
  if (value === null || typeof value !== 'object') return;
  if (above.has(value)) throw new Error('An anchor holds an alias of itself.');
  above.add(value);
  for (const item of Object.values(value)) refuseCircle(item, above);
  above.delete(value);
}

/** Where the key (or list item) at the path starts; its nearest parent when it is not there. */
function offsetOf(document: Document, path: JsonPath): number {
  let node: Node | null = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    const next = childOf(resolved(document, node), step);
    if (next === undefined) return offset;
    offset = next.offset ?? offset;
    node = next.node;
  }
  return offset;
}

function resolved(document: Document, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

function childOf(parent: Node | null, step: string | number): { node: Node | null; offset: number | undefined } | undefined {
  if (isSeq(parent) && typeof step === 'number') {
    const item = parent.items[step];
    return isNode(item) ? { node: item, offset: startOf(item) } : undefined;
  }
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find((entry: Pair) => isScalar(entry.key) && String(entry.key.value) === String(step));
  if (pair === undefined) return undefined;
  return { node: isNode(pair.value) ? pair.value : null, offset: isNode(pair.key) ? startOf(pair.key) : undefined };
}

function startOf(node: Node | null): number | undefined {
  return node?.range?.[0];
}
