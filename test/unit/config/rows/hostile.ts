/** Strings that would do something elsewhere: in a shell, in a terminal, in an environment file. */
import type { Row } from './given.ts';
import { extra, serving, ssh, twoNodes, variables } from './given.ts';

const reserved = 'is reserved';

// One row, one line.
// prettier-ignore
export const rows: readonly Row[] = [
  ['X35 a command as model', { model: 'model: { id: "$(touch /tmp/pwn)" }' }, 'pwn', 'model.id', 'found $(touch /tmp/pwn)'],
  ['X35 backticks as model', { model: 'model: { id: "`id`" }' }, 'model', 'model.id', 'a model id looks like owner/name'],
  ['X35 a second command as model', { model: 'model: { id: "a/b; id" }' }, 'model', 'model.id', 'a model id looks like owner/name'],
  ['X35 a newline in the model', { model: 'model: { id: "a/b\\nid" }' }, 'model', 'model.id', 'contains a control or invisible character (U+000A at 4)'],
  ['X35 a command as package', { more: 'environments: { spark: { packages: ["$(id)"] } }' }, 'packages', 'environments.spark.packages[0]', 'a requirement looks like name==version'],
  ['X35 a command as argument', extra('$(touch /tmp/pwn)'), 'extraArguments', 'serving.extraArguments[0]', 'is not an option'],
  ['X36 a dash before the model', { model: 'model: { id: "--config=/etc/shadow" }' }, 'model', 'model.id', 'a model id looks like owner/name'],
  ['X36 a dash before the served name', serving('servedName: "--config=/etc/shadow"'), 'servedName', 'serving.servedName', '--config=/etc/shadow may not start with a dash'],
  ['X36 a dash before the ssh host', ssh('host: -oProxyCommand=id'), 'oProxy', 'nodes[1].ssh.host', '-oProxyCommand=id may not start with a dash'],
  ['X36 a dash before the ssh user', ssh('user: -oProxyCommand=id'), 'oProxy', 'nodes[1].ssh.user', '-oProxyCommand=id is not a Linux user name'],
  ['X36 a dash before a path', { model: 'model: { path: "-rf" }' }, 'model', 'model.path', 'may not start with a dash'],
  ['a path that climbs', { model: 'model: { path: /models/../etc }' }, 'model', 'model.path', 'may not contain ..'],
  ['X38 NUL', serving('servedName: "a\\0b"'), 'servedName', 'serving.servedName', 'a\\0b contains a control or invisible character (U+0000 at 2)'],
  ['X38 the bell', serving('servedName: "a\\ab"'), 'servedName', 'serving.servedName', '(U+0007 at 2)'],
  ['X38 clear the screen', serving('servedName: "\\e[2J"'), 'servedName', 'serving.servedName', '\\u{1B}[2J contains a control or invisible character (U+001B at 1)'],
  ['X38 the clipboard', serving('servedName: "\\e]52;c;aWQ="'), 'servedName', 'serving.servedName', '(U+001B at 1)'],
  ['X38 right-to-left override', serving('servedName: "gpt-os\\u202eexe"'), 'servedName', 'serving.servedName', 'gpt-os\\u{202E}exe contains a control or invisible character (U+202E at 7)'],
  ['X38 zero width', serving('servedName: "a\\u200bb"'), 'servedName', 'serving.servedName', '(U+200B at 2)'],
  ['X38 a byte-order mark inside', serving('servedName: "a\\ufeffb"'), 'servedName', 'serving.servedName', '(U+FEFF at 2)'],
  ['X38 half a character', serving('servedName: "a\\ud800"'), 'servedName', 'serving.servedName', '(U+D800 at 2)'],
  ['X39 a Cyrillic letter', twoNodes('{ name: spаrk-2, address: 10.0.0.22 }'), '10.0.0.22', 'nodes[1].name', 'names have lower-case letters'],
  ['X39 a combining mark', twoNodes('{ name: "spa\\u0301rk", address: 10.0.0.22 }'), '10.0.0.22', 'nodes[1].name', 'names have lower-case letters'],
  ['X41 a space in a variable', variables('"A B": x'), 'A B', 'environments.spark.variables["A B"]', 'A B is not a variable name'],
  ['X41 a digit first', variables('1A: x'), '1A', 'environments.spark.variables["1A"]', '1A is not a variable name'],
  ['X41 an equals sign', variables('"A=B": x'), 'A=B', 'environments.spark.variables["A=B"]', 'A=B is not a variable name'],
  ['X41 an empty variable', variables('"": x'), '"": x', 'environments.spark.variables[""]', 'is not a variable name'],
  ['X41 LD_PRELOAD', variables('LD_PRELOAD: /tmp/x.so'), 'LD_PRELOAD', 'environments.spark.variables.LD_PRELOAD', reserved],
  ['X41 PATH', variables('PATH: /tmp'), 'PATH', 'environments.spark.variables.PATH', 'PATH is reserved; use environments.<class>'],
  ['X41 PYTHONPATH', variables('PYTHONPATH: /tmp'), 'PYTHONPATH', 'environments.spark.variables.PYTHONPATH', reserved],
  ['X41 BASH_ENV', variables('BASH_ENV: /tmp/x'), 'BASH_ENV', 'environments.spark.variables.BASH_ENV', reserved],
  ['X41 NODE_OPTIONS', variables('NODE_OPTIONS: --require=/tmp/x'), 'NODE_OPTIONS', 'environments.spark.variables.NODE_OPTIONS', reserved],
  ['X41 the dumper', variables('DUMPER_SERVER_PORT: "9"'), 'DUMPER', 'environments.spark.variables.DUMPER_SERVER_PORT', reserved],
  ['X41 Ray’s token', variables('RAY_AUTH_TOKEN: x'), 'RAY_AUTH', 'environments.spark.variables.RAY_AUTH_TOKEN', reserved],
  ['X41 a GPU by hand', variables('CUDA_VISIBLE_DEVICES: "1"'), 'CUDA', 'environments.spark.variables.CUDA_VISIBLE_DEVICES', 'use gpus of the node instead'],
  ['X42 a newline in a value', variables('A: "x\\nLD_PRELOAD=/tmp/x.so"'), 'A:', 'environments.spark.variables.A', '(U+000A at 2)'],
  ['a value that is a number', variables('A: 1'), 'A: 1', 'environments.spark.variables.A', 'must be a quoted string: "1"'],
  ['a transport setting of one class', variables('NCCL_IB_DISABLE: "1"'), 'NCCL', 'environments.spark.variables.NCCL_IB_DISABLE', 'set network.nccl instead'],
];
