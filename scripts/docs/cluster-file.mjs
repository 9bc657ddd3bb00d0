/** The reference of the cluster file as Markdown, from the schema. */
import { z } from 'zod';

export function clusterFilePage(schema, note) {
  const { properties, required } = z.toJSONSchema(schema, { io: 'input' });
  // As a person writes it: the nodes follow the name of their head.
  const { schemaVersion, name, head, nodes, ...others } = properties;
  const fields = Object.entries({ schemaVersion, name, head, nodes, ...others });
  const plain = fields.filter(([, field]) => !isSection(field));
  return [
    '# The cluster file',
    note,
    'YAML (or JSON), UTF-8, at most 256 KiB, without anchors, aliases and tags. A key that is not listed here is an error, and no value is converted: a version is a quoted string, a port a plain decimal number. Everything that is wrong is told at once, with its line. Examples that work are in [examples/](../examples).',
    '## At the top',
    table(plain.map(([key, field]) => row(key, field, required.includes(key)))),
    ...fields
      .filter(([, field]) => isSection(field))
      .flatMap(([key, field]) => section(key, field, required)),
    rules,
  ].join('\n\n');
}

const rules = `## Rules across fields

- \`head\` is the name of a node. Names and addresses are there once. All addresses are IPv4, or all are IPv6, and other nodes can reach them; a cluster of one node may use loopback.
- \`parallel.pipeline\` × \`parallel.tensor\` is the sum of \`gpus\`, and every node gives the same number.
- The ports of \`serving\`, \`ray\` with the six after it, and \`temporal\` differ, are 1024 or more, and lie outside 10001 to 19999, where Ray puts its workers.
- Python is the same in all \`environments\`: Ray compares it down to the patch.
- \`model.trustRemoteCode\` needs a commit hash (40 digits) as \`model.revision\`; a model that is given by its \`path\` was looked at by whoever put it there.
- Variables by which a loader, a shell or Python finds its code, and those that windlass sets itself, are reserved: \`PATH\`, \`PYTHONPATH\`, \`LD_*\`, \`RAY_ADDRESS\`, \`RAY_AUTH*\`, \`CUDA_VISIBLE_DEVICES\`, \`WINDLASS_*\` and some more. \`NCCL_\` and \`GLOO_\` go in \`network\`, secrets in \`secrets\`.
- \`serving.extraArguments\` are checked against the options of the engine: written in full, with their values as entries of their own. What another field sets is refused there, and so is what would let requests run code.
- This version brings up SGLang (0.5.11 or newer) over Ray (2.54.0 or newer).`;

/** Objects, lists of objects, alternatives of objects, and objects by free keys get a section each. */
function isSection(field) {
  return alternatives(field).some((each) => each.properties !== undefined);
}

function alternatives(field) {
  const inner =
    field.items ?? (typeof field.additionalProperties === 'object' ? field.additionalProperties : field);
  return inner.anyOf ?? [inner];
}

function section(key, field, required) {
  const prefix = key + suffix(field);
  const forms = alternatives(field);
  const need = required.includes(key) ? '' : ' May be left out.';
  const tables = forms.flatMap((form) => [
    ...(forms.length > 1 ? [label(form, forms)] : []),
    table(rows(prefix, form)),
  ]);
  const names = field.propertyNames?.enum?.map((name) => `\`${name}\``).join(', ');
  const keys = names === undefined ? '' : ` Keys: ${names}.`;
  return [`## ${key}`, `${field.description}${need}${keys}`, ...tables];
}

function label(form, forms) {
  const [must] = form.required ?? [];
  return `${form === forms[0] ? 'Either' : 'Or'}${must === undefined ? ' built by windlass' : ` with \`${must}\``}:`;
}

function suffix(field) {
  if (field.items !== undefined) return '[]';
  return typeof field.additionalProperties === 'object' ? '.<class>' : '';
}

function rows(prefix, { properties, required = [] }) {
  return Object.entries(properties).flatMap(([key, field]) => {
    const path = `${prefix}.${key}`;
    if (field.properties !== undefined) return rows(path, field);
    const inner = field.anyOf?.filter((form) => form.properties !== undefined) ?? [];
    return inner.length > 0
      ? inner.flatMap((form) => rows(path, form).map((cells) => cells.with(2, 'one of them')))
      : [row(path, field, required.includes(key))];
  });
}

const row = (path, field, isRequired) => [
  `\`${path}\``,
  typeOf(field),
  field.default === undefined ? (isRequired ? 'required' : '') : `\`${JSON.stringify(field.default)}\``,
  (field.description ?? '').replaceAll('<', '\\<'),
];

const table = (lines) =>
  [['Field', 'Value', 'Default', 'Meaning'], ['---', '---', '---', '---'], ...lines]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const formats = { ipv4: 'IPv4 address', ipv6: 'IPv6 address', uri: 'URL' };

function typeOf(field) {
  if (field.const !== undefined) return `\`${field.const}\``;
  if (field.enum !== undefined) return field.enum.map((value) => `\`${value}\``).join(', ');
  if (field.anyOf !== undefined) return field.anyOf.map(typeOf).join(', ');
  if (field.type === 'array') return `list of ${typeOf(field.items)}`;
  if (field.type === 'object') return 'name: value';
  if (field.type === 'integer') return `${field.minimum} to ${field.maximum}`;
  if (field.type === 'number') return `above ${field.exclusiveMinimum}, below ${field.exclusiveMaximum}`;
  if (field.type === 'boolean') return '`true`, `false`';
  return formats[field.format] ?? 'string';
}
